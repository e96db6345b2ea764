import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { guardOver, StillTime } from "../../test/guard.ts";
import { IsochronError } from "../errors.ts";
import type { ResolvedAddress } from "../sources/source.ts";
import { AddressGuard } from "./address-guard.ts";
import { createHttpClient } from "./http-client.ts";
import { createSqlAccess } from "./sql-client.ts";

/** What the names of these tests mean. */
const names: Readonly<Record<string, readonly string[]>> = {
  "public.example": ["93.184.216.34"],
  "public6.example": ["2606:2800:220:1::1"],
  "nat64.example": ["64:ff9b::5db8:d822"],
  "keystone.internal": ["10.1.2.3"],
  "nova.internal": ["10.1.2.4"],
  "ula.internal": ["fd12:3456::1"],
  "cgnat.internal": ["100.64.1.1"],
  localhost: ["127.0.0.1", "::1"],
  "api.localhost": ["127.0.0.1"],
  "rebound.example": ["127.0.0.1"],
  "half.example": ["93.184.216.34", "169.254.169.254"],
  "meta.example": ["169.254.169.254"],
  "neighbour.example": ["169.254.7.7"],
  "mapped.example": ["::ffff:10.0.0.1"],
  "xn--bcher-kva.example": ["10.9.9.9"],
  "0x7f.1": ["127.0.0.1"],
  "017700000001": ["127.0.0.1"],
};

function resolve(host: string): Promise<readonly ResolvedAddress[]> {
  const found = names[host];
  if (found === undefined)
    return Promise.reject(Object.assign(new Error("ENOTFOUND"), { code: "ENOTFOUND" }));
  return Promise.resolve(found.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
}

/** Whether a connection with these settings may ask the address; `own` is what its configuration names. */
interface Case {
  readonly url: string;
  readonly own?: string;
  readonly allow?: readonly string[];
  readonly admitted: boolean;
}

const refused = (url: string, more: Partial<Case> = {}): Case => ({ url, admitted: false, ...more });
const admitted = (url: string, more: Partial<Case> = {}): Case => ({ url, admitted: true, ...more });

/** Links found in an answer, when the configuration names a public service. */
const links: readonly Case[] = [
  admitted("https://public.example/v3"),
  admitted("https://PUBLIC.example./v3"),
  admitted("http://public6.example"),
  admitted("http://8.8.8.8"),
  admitted("http://[2606:4700::1111]"),
  admitted("http://nat64.example"),
  admitted("http://[64:ff9b::808:808]"),
  admitted("http://[::ffff:8.8.8.8]"),
  ...[
    "http://127.0.0.1",
    "http://127.1",
    "http://0x7f000001",
    "http://2130706433",
    "http://0177.0.0.1",
    "http://0x7f.0.0.1:8080",
    "http://127.0.0.1.",
    "http://localhost",
    "http://LOCALHOST.",
    "http://api.localhost",
    "http://[::1]",
    "http://0",
    "http://0.0.0.0",
    "http://[::]",
    "http://10.0.0.1",
    "http://172.16.0.1",
    "http://172.31.255.255",
    "http://192.168.1.1",
    "http://3232235777",
    "http://100.64.0.1",
    "http://100.127.255.255",
    "http://169.254.169.254/latest/meta-data",
    "http://2852039166",
    "http://0xa9fea9fe",
    "http://169.254.1.1",
    "http://169.254.170.2",
    "http://100.100.100.200",
    "http://[fd00:ec2::254]",
    "http://[fe80::1]",
    "http://[fc00::1]",
    "http://[fd12::1]",
    "http://[fec0::1]",
    "http://[ff02::1]",
    "http://224.0.0.1",
    "http://239.255.255.255",
    "http://255.255.255.255",
    "http://240.0.0.1",
    "http://192.0.0.1",
    "http://198.18.0.1",
    "http://192.0.2.1",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "http://[::ffff:a9fe:a9fe]",
    "http://[::127.0.0.1]",
    "http://[64:ff9b::7f00:1]",
    "http://[64:ff9b::a9fe:a9fe]",
    "http://[64:ff9b:1::a00:1]",
    "http://[2002:7f00:1::]",
    "http://[2002:808:808::]",
    "http://[2001::1]",
    "http://[2001:db8::1]",
    "http://[100::1]",
    "http://rebound.example",
    "http://half.example",
    "http://meta.example",
    "http://mapped.example",
    "http://keystone.internal",
    "http://cgnat.internal",
    "http://ula.internal",
    "http://bücher.example",
    "ftp://public.example",
    "file:///etc/passwd",
    "gopher://public.example",
    "data:text/plain,x",
    "javascript:1",
    "http://user@public.example",
    "http://user:pass@public.example",
    "https://:pass@public.example",
    "no address",
    "http://",
    "unix:/run/x.sock",
  ].map((url) => refused(url)),
];

/** A private cloud whose operator wrote its address, or its range, down. */
const written: readonly Case[] = [
  admitted("http://keystone.internal/v3", { own: "http://keystone.internal:5000" }),
  admitted("http://keystone.internal:8774", { own: "http://keystone.internal:5000" }),
  admitted("http://KEYSTONE.internal.", { own: "http://keystone.internal" }),
  admitted("http://10.1.2.3:9696", { own: "http://10.1.2.3:5000" }),
  admitted("http://ula.internal", { own: "http://ula.internal" }),
  admitted("http://cgnat.internal", { own: "http://cgnat.internal" }),
  admitted("http://127.0.0.1:9090", { own: "http://127.0.0.1:9093" }),
  admitted("http://localhost:9090", { own: "http://localhost:9093" }),
  admitted("http://[::1]", { own: "http://[::1]:1" }),
  admitted("http://bücher.example", { own: "http://xn--bcher-kva.example" }),
  refused("http://nova.internal", { own: "http://keystone.internal" }),
  refused("http://10.1.2.4", { own: "http://10.1.2.3" }),
  refused("http://127.0.0.2", { own: "http://127.0.0.1" }),
  refused("http://rebound.example", { own: "http://rebound.example" }),
  refused("http://half.example", { own: "http://half.example" }),
  refused("http://meta.example", { own: "http://meta.example" }),
  refused("http://169.254.169.254", { own: "http://169.254.169.254" }),
  refused("http://neighbour.example", { own: "http://neighbour.example" }),
  refused("http://0.0.0.0", { own: "http://0.0.0.0" }),
  admitted("http://nova.internal", { allow: ["10.0.0.0/8"] }),
  admitted("http://mapped.example", { allow: ["10.0.0.0/8"] }),
  admitted("http://[64:ff9b::a00:1]", { allow: ["10.0.0.0/8"] }),
  admitted("http://ula.internal", { allow: ["fd00::/8"] }),
  admitted("http://127.0.0.1", { allow: ["127.0.0.0/8"] }),
  admitted("http://[2002:808:808::]", { allow: ["2002::/16"] }),
  admitted("http://public.example", { allow: ["10.0.0.0/8"] }),
  admitted("http://169.254.169.254", { allow: ["169.254.169.254/32"] }),
  admitted("http://neighbour.example", { allow: ["169.254.0.0/16"] }),
  refused("http://nova.internal", { allow: ["10.2.0.0/16"] }),
  refused("http://keystone.internal", { own: "http://keystone.internal", allow: ["10.2.0.0/16"] }),
  refused("http://127.0.0.1", { own: "http://127.0.0.1", allow: [] }),
  refused("http://meta.example", { allow: ["0.0.0.0/0"] }),
  refused("http://meta.example", { allow: ["169.254.0.0/16"] }),
  refused("http://neighbour.example", { allow: ["0.0.0.0/0"] }),
  refused("http://100.100.100.200", { allow: ["100.64.0.0/10"] }),
  refused("http://224.0.0.1", { allow: ["0.0.0.0/0"] }),
  refused("http://0.0.0.0", { allow: ["0.0.0.0/0"] }),
  refused("http://[fd00:ec2::254]", { allow: ["::/0"] }),
];

async function isAdmitted({ url, own, allow }: Case): Promise<boolean> {
  const guard = new AddressGuard({
    connection: "cloud",
    config: { url: own ?? "https://status.example" },
    ...(allow === undefined ? {} : { allowNetworks: allow }),
    resolve,
  });
  try {
    guard.check(url);
    await guard.resolve(new URL(url).hostname);
    return true;
  } catch (error) {
    if (error instanceof IsochronError && error.code === "address-refused") return false;
    throw error;
  }
}

const describeCase = ({ url, own, allow }: Case): string =>
  [url, own && `where ${own} is written`, allow && `with allow_networks [${allow.join()}]`]
    .filter(Boolean)
    .join(" ");

describe("an address that an answer names", () => {
  test.each(links.map((one) => ({ ...one, name: describeCase(one) })))("$name: $admitted", async (one) => {
    expect(await isAdmitted(one)).toBe(one.admitted);
  });
});

describe("an address that the operator wrote down", () => {
  test.each(written.map((one) => ({ ...one, name: describeCase(one) })))("$name: $admitted", async (one) => {
    expect(await isAdmitted(one)).toBe(one.admitted);
  });
});

describe("other clients' hosts, which no URL has made plain", () => {
  test.each([
    "0x7f.1",
    "017700000001",
    "rebound.example",
    "fe80::1%eth0",
    "[::1]",
    "::ffff:127.0.0.1",
    "half.example",
  ])("%s is refused", async (host) => {
    await expect(new AddressGuard({ connection: "c", resolve }).resolve(host)).rejects.toMatchObject({
      code: "address-refused",
    });
  });

  test("a name that nobody knows stays a failure of the network", async () => {
    await expect(
      new AddressGuard({ connection: "c", resolve }).resolve("gone.example"),
    ).rejects.toMatchObject({
      code: "ENOTFOUND",
    });
  });
});

test("a refusal names the connection, the host, the range and the setting", async () => {
  const guard = new AddressGuard({ connection: "nova@r1", resolve });
  const refusal = await guard.resolve("nova.internal").catch((error: unknown) => error);
  expect(refusal).toMatchObject({
    problem: "nova@r1 is led to nova.internal, which is not asked: it is 10.1.2.4, a private address.",
    remedy: expect.stringContaining("`allow_networks`") as string,
  });
});

describe("clients behind the guard", () => {
  const servers: { close(): unknown; closeAllConnections(): unknown }[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  async function listen(location?: string): Promise<{ readonly port: number; readonly asked: string[] }> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.headers.host ?? "");
      if (location === undefined) response.end("here");
      else response.writeHead(302, { location }).end();
    });
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    return { port: (server.address() as AddressInfo).port, asked };
  }

  function client(addresses: AddressGuard) {
    const signal = new AbortController().signal;
    return createHttpClient({ signal, guard: guardOver(new StillTime()), addresses, retriesMax: 0 });
  }

  test("the address that was checked is the one that is connected to, whatever the name means a moment later", async () => {
    const { port, asked } = await listen();
    let looks = 0;
    const addresses = new AddressGuard({
      connection: "c",
      allowNetworks: ["127.0.0.1/32"],
      resolve: () => {
        looks += 1;
        return Promise.resolve([{ address: looks === 1 ? "127.0.0.1" : "169.254.169.254", family: 4 }]);
      },
    });
    const answer = await client(addresses)({ method: "GET", url: `http://turning.example:${port}/` });
    expect(Buffer.from(answer.body).toString()).toBe("here");
    expect({ looks, asked }).toEqual({ looks: 1, asked: [`turning.example:${port}`] });
  });

  test("a name that leads inside is refused before a byte is sent, and not tried again", async () => {
    const { port, asked } = await listen();
    const addresses = new AddressGuard({ connection: "c", resolve });
    await expect(
      client(addresses)({ method: "GET", url: `http://rebound.example:${port}/` }),
    ).rejects.toMatchObject({ code: "address-refused" });
    expect(asked).toEqual([]);
  });

  test("a redirect is not followed to another origin", async () => {
    const { port } = await listen("http://169.254.169.254/latest");
    const addresses = new AddressGuard({ connection: "c", config: { url: "http://127.0.0.1" } });
    await expect(
      client(addresses)({ method: "GET", url: `http://127.0.0.1:${port}/` }),
    ).rejects.toMatchObject({
      code: "source-malformed",
    });
  });

  test.each([
    "postgres://u:p@169.254.169.254/db",
    "postgres://u:p@public.example/db?host=169.254.169.254",
    "postgres://u:p@rebound.example/db",
    "mysql://u:p@rebound.example/db",
    "mysql://u:p@[fe80::1]/db",
  ])("the database %s is refused", async (url) => {
    const addresses = new AddressGuard({ connection: "c", resolve });
    const access = createSqlAccess({ signal: new AbortController().signal, addresses })(url);
    const refusal = await access.read("UTC", () => Promise.resolve()).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: "address-refused" });
    expect(String(refusal)).not.toContain("p@");
  });

  test("a MySQL URL cannot lead the driver elsewhere by its query", async () => {
    const addresses = new AddressGuard({ connection: "c", resolve });
    const access = createSqlAccess({ signal: new AbortController().signal, addresses });
    await expect(
      access("mysql://u:p@public.example/db?host=127.0.0.1").read("UTC", () => Promise.resolve()),
    ).rejects.toMatchObject({ code: "config-invalid" });
  });
});
