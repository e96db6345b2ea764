import { lookup as systemLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { domainToASCII } from "node:url";
import { callbackify } from "node:util";
import { IsochronError } from "../errors.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { Addresses, ResolvedAddress } from "../sources/source.ts";
import { isWithin, judgeAddress } from "./address-range.ts";

/** Finds all addresses of a name; rejects as `dns.lookup` does. */
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

export interface AddressGuardOptions {
  readonly connection: string;
  /** The connection's `allow_networks`; absent where nobody wrote any. */
  readonly allowNetworks?: readonly string[];
  /** The connection's settings, whose addresses count as written down. */
  readonly config?: JsonObject;
  readonly resolve?: Resolve;
}

/**
 * Decides which addresses one connection may be made to. Public ones always; private ones where `allow_networks` holds
 * them, or, without that setting, where the host is one that the configuration names; loopback where the configuration
 * names it as such; link-local ones and metadata services only where `allow_networks` names them. A name is resolved
 * once, and `lookup` hands out just what was checked, so that it cannot mean something else a moment later.
 */
export class AddressGuard implements Addresses {
  readonly lookup: LookupFunction;
  readonly #connection: string;
  readonly #allowNetworks: readonly string[] | undefined;
  readonly #resolve: Resolve;
  readonly #ownHosts = new Set<string>();

  constructor({ connection, allowNetworks, config = {}, resolve = resolveBySystem }: AddressGuardOptions) {
    this.#connection = connection;
    this.#allowNetworks = allowNetworks;
    this.#resolve = resolve;
    for (const host of hostsWithin(config)) this.#ownHosts.add(host);
    const look = callbackify((host: string) => this.resolve(host));
    this.lookup = (host, { all, family: wanted }, done) =>
      look(host, (error, found) => {
        const fitting = (found ?? []).filter(({ family }) => !wanted || fits(wanted, family));
        const failure = error ?? (fitting[0] === undefined ? notFound(host) : null);
        if (all === true) done(failure, [...fitting]);
        else done(failure, fitting[0]?.address ?? "", fitting[0]?.family);
      });
  }

  own(address: string): void {
    const host = hostOf(address);
    if (host !== undefined) this.#ownHosts.add(host);
  }

  check(url: string, protocols: readonly string[] = ["http:", "https:"]): void {
    if (!URL.canParse(url)) throw this.#refuse("an address that is none", "it cannot be read");
    const { protocol, username, password, hostname } = new URL(url);
    if (!protocols.includes(protocol))
      throw this.#refuse(hostname, `${protocol.slice(0, 20)} is none of ${protocols.join(", ")}`);
    if (username !== "" || password !== "")
      throw this.#refuse(
        hostname,
        "the address holds a user or a password, which belong into settings of their own",
      );
    const host = plainHost(hostname);
    if (host === "") throw this.#refuse("an address without a host", "nothing can be asked there");
    if (isIP(host) !== 0) this.#admit(host, host);
  }

  async resolve(name: string): Promise<readonly ResolvedAddress[]> {
    const host = plainHost(name);
    if (host.includes("%")) throw this.#refuse(host, "it names a network interface");
    const found =
      isIP(host) === 0 ? await this.#resolve(host) : [{ address: host, family: isIP(host) as 4 | 6 }];
    // One bad address among good ones is how a name is made to lead somewhere else at the second look.
    for (const { address } of found) this.#admit(host, address);
    return found;
  }

  #admit(host: string, address: string): void {
    const { reach, range } = judgeAddress(address);
    if (reach === "public") return;
    if (reach !== "never" && isWithin(address, this.#allowNetworks ?? [])) return;
    if (this.#allowNetworks === undefined && this.#ownHosts.has(host)) {
      if (reach === "private") return;
      if (reach === "loopback" && (isIP(host) !== 0 || /(^|\.)localhost$/.test(host))) return;
    }
    const place = host === address ? `a ${range} address` : `${address}, a ${range} address`;
    throw this.#refuse(host, `it is ${place}`, reach);
  }

  #refuse(host: string, why: string, reach?: string): IsochronError {
    const remedy =
      reach === undefined || reach === "never"
        ? "Correct the address in the connection's configuration, or what its service names."
        : "If it is meant, put its range (such as 10.0.0.0/8) into the connection's `allow_networks`.";
    return new IsochronError(
      "address-refused",
      `${this.#connection} is led to ${shown(host)}, which is not asked: ${why}.`,
      remedy,
    );
  }
}

function fits(wanted: number | "IPv4" | "IPv6", family: number): boolean {
  return wanted === family || wanted === `IPv${family}`;
}

function notFound(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${shown(host)}`), { code: "ENOTFOUND" });
}

function resolveBySystem(host: string): Promise<readonly ResolvedAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(host, { all: true, verbatim: true }, (error, found) => {
      if (error !== null) reject(error);
      else resolve(found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 })));
    });
  });
}

/** A host as it is compared: small letters, ASCII, without brackets and without the root's dot. */
function plainHost(name: string): string {
  const bare = name.replace(/^\[(.*)\]$/, "$1").replace(/\.+$/, "");
  return isIP(bare) === 0 && !bare.includes("%")
    ? domainToASCII(bare) || bare.toLowerCase()
    : bare.toLowerCase();
}

/** The host of an address, a `host:port` or a bare name. */
function hostOf(address: string): string | undefined {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(address)) {
    return URL.canParse(address) ? plainHost(new URL(address).hostname) : undefined;
  }
  const host = /^(\[[0-9a-f:.]+\]|[^\s:/@]+)(:\d{1,5})?$/i.exec(address)?.[1] ?? address;
  return plainHost(host);
}

/** The hosts of all addresses that a configuration spells out. */
function* hostsWithin(value: Json): Iterable<string> {
  if (typeof value === "string") {
    const host = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? hostOf(value) : undefined;
    if (host !== undefined && host !== "") yield host;
  } else if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) yield* hostsWithin(inner as Json);
  }
}

function shown(host: string): string {
  return JSON.stringify(host.slice(0, 253)).slice(1, -1);
}
