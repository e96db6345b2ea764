import type { EntityRef } from "../../model/entity.ts";
import { entityKey } from "../../model/entity.ts";
import { idSource } from "./request-path.ts";

/** What a line's text speaks of, in the order in which it does. */
export interface SpokenOf {
  /** The server of Nova's `[instance: ID]`. */
  readonly instance?: EntityRef;
  /** Things whose kind a word before the id proves: `Port ID`, `volume ID`. */
  readonly byWord: readonly EntityRef[];
  /** Things whose kind the field that holds the id proves: `'network_id': 'ID'`. */
  readonly byField: readonly EntityRef[];
  /** Ids of a kind that nothing tells. */
  readonly unknown: readonly EntityRef[];
}

/** Words that stand right before an id, and the kind that they prove. */
const words: Readonly<Record<string, string>> = {
  instance: "server",
  server: "server",
  vm: "server",
  volume: "volume",
  snapshot: "snapshot",
  backup: "backup",
  image: "image",
  port: "port",
  network: "network",
  net: "network",
  subnet: "subnet",
  router: "router",
  "floating ip": "floating_ip",
  floatingip: "floating_ip",
  "security group": "security_group",
  stack: "stack",
  share: "share",
  loadbalancer: "load_balancer",
  "load balancer": "load_balancer",
  listener: "listener",
  zone: "zone",
  transfer: "transfer",
};

/** Fields that hold an id, beside those that are one of the words and `_id`, `_uuid` or `-id`. */
const fields: Readonly<Record<string, string>> = {
  server_uuid: "server",
  instance_uuid: "server",
  instance_id: "server",
  net_id: "network",
  net_uuid: "network",
};

const ids = new RegExp(`(?:${idSource})`, "g");
const wordBefore =
  /\b(floating[ _]?ip|security[ _]group|load[ _]?balancer|instance|server|vm|volume|snapshot|backup|image|port|network|net|subnet|router|stack|share|listener|zone|transfer|project|user|domain)(?: with)?(?: ?(?:id|uuid))?[:=]? ?[([]{0,2}u?['"]?$/i;
const fieldBefore = /\b([a-z]+(?:[_-][a-z]+)*[_-](?:uu)?id)(?:u?['"])? ?[:=] ?u?['"]?$/i;

/** How many ids of one line are looked at; what a line lists beyond them is in its text. */
const idsMax = 64;

/** Finds every id in the text but those of requests, of the caller, and of the caller's project. */
export function readSpokenOf(text: string, own: ReadonlySet<string>): SpokenOf {
  const found: { by: "instance" | "word" | "field" | "none"; ref: EntityRef }[] = [];
  for (const match of text.slice(0, 64_000).matchAll(ids)) {
    if (found.length >= idsMax) break;
    const id = match[0];
    const before = text.slice(Math.max(0, match.index - 48), match.index);
    if (before.endsWith("req-") || own.has(id)) continue;
    const one = classify(before, id, text.slice(match.index + id.length, match.index + id.length + 48));
    if (one !== undefined) found.push(one);
  }
  const distinct = [...new Map(found.map((one) => [entityKey(one.ref), one])).values()];
  const known = new Set(distinct.filter(({ by }) => by !== "none").map(({ ref }) => ref.id));
  const of = (by: string) => distinct.filter((one) => one.by === by).map(({ ref }) => ref);
  const [instance] = of("instance");
  return {
    ...(instance !== undefined && { instance }),
    byWord: of("word"),
    byField: of("field"),
    unknown: of("none").filter(({ id }) => !known.has(id)),
  };
}

function classify(
  before: string,
  id: string,
  after: string,
): { by: "instance" | "word" | "field" | "none"; ref: EntityRef } | undefined {
  if (before.endsWith("[instance: ")) return { by: "instance", ref: { kind: "server", id } };
  // Heat writes a stack as `[NAME(ID)]`.
  if (after.startsWith(")]") && before.endsWith("(")) {
    return { by: "word", ref: { kind: "stack", id } };
  }
  // Agents are told of the group whose rules or members changed.
  if (/\bsecurity group (?:rule|member)s? updated [^\s'"]{0,5}['"]$/i.test(before))
    return { by: "word", ref: { kind: "security_group", id } };
  // Messages are no things.
  if (/\bmessage id[:=]? ?['"]?$/i.test(before)) return undefined;
  // Neutron's DHCP ports bear `dhcp`, a hash of the host, and their network's id.
  if (/\bdhcp$/.test(before) && /^-[0-9a-f]{8}-/.test(after)) return undefined;
  if (/\bdhcp[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-$/.test(before)) {
    return { by: "field", ref: { kind: "network", id } };
  }
  if (/(?:^|[^a-z])volume-$/.test(before)) return { by: "word", ref: { kind: "volume", id } };
  const field = fieldBefore.exec(before)?.[1]?.toLowerCase().replaceAll("-", "_");
  if (field !== undefined) {
    const kind = fields[field] ?? words[field.replace(/_(?:uu)?id$/, "").replaceAll("_", " ")];
    // Whom something is done for is not what it is done to.
    if (/^(?:project|tenant|user|domain|request)_id$/.test(field)) return undefined;
    return { by: kind === undefined ? "none" : "field", ref: { kind: kind ?? "resource", id } };
  }
  const word = wordBefore.exec(before)?.[1]?.toLowerCase().replaceAll("_", " ");
  if (word === "project" || word === "user" || word === "domain") return undefined;
  const kind = word === undefined ? undefined : (words[word] ?? words[word.replaceAll(" ", "")]);
  return { by: kind === undefined ? "none" : "word", ref: { kind: kind ?? "resource", id } };
}

/** How many names of one line are looked at. */
const namesMax = 16;

const notNames =
  /^(?:req-[0-9a-f-]+|request-id|.*[-_](?:uu)?id|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:tap|qr-|qg-|qvo|qvb|qbr|sg-|ha-|rfp-|fpr-)[0-9a-f]{8}-[0-9a-f]{2}|v?\d+(?:\.\d+)*[a-z]{0,3}|0x[0-9a-f]+|[\d:.,/%+-]+|\d+(?:\.\d+)?(?:[kmgt]i?b|ms|s|sec|us|%)|[0-9a-f]{32,}|(?:[0-9a-f]{2}:){5}[0-9a-f]{2}|https?|utf-?8|x86_64|i\d86|aarch64|qcow2|ipv[46]|sha\d+|md5|ed25519)$/i;

/**
 * Words of a text that look like somebody's name for a thing: with a digit, a dash or an underscore in them, or quoted.
 * No flags, paths, addresses, ids, numbers or versions. That a word looks like a name proves nothing: it is only looked
 * up among the names that are known.
 */
export function readNames(text: string): readonly string[] {
  const names = new Set<string>();
  const add = (word: string): void => {
    const name = word.replace(/^[^\p{L}\p{N}_]+/u, "").replace(/[^\p{L}\p{N}_]+$/u, "");
    if (names.size < namesMax && name.length >= 3 && name.length <= 255 && looksLikeName(name))
      names.add(name);
  };
  const shown = text.slice(0, 4_096).replaceAll(/\[[^\]]{0,64}: [^\]]{0,64}\]|[\w.]+\(/g, " ");
  for (const [, quoted] of shown.matchAll(/(?<![=\w])'([^'\s=<>(){}]{3,255})'/g)) add(quoted!);
  for (const [, quoted] of shown.matchAll(/(?<![=\w])"([^"\s=<>(){}]{3,255})"/g)) add(quoted!);
  for (const word of shown.split(/[\s,;|"'()[\]{}<>]+/)) {
    if (word.startsWith("-") || word.includes("/") || word.includes("://")) continue;
    const value = word.slice(word.lastIndexOf("=") + 1);
    // What stands behind dots is the end of the sentence: `web-1...great!`.
    add(value.split("...")[0]!);
  }
  return [...names];
}

const nameAfterWord = new RegExp(
  `\\b(?:instance|server|volume|snapshot|backup|image|network|subnet|router|port|stack|key-?pair|security group|floating ip)s? ['"]?([^\\s'"]{3,255})`,
  "gi",
);

/** Of those, the ones that a word for a kind of thing stands right before: `router web-router`. */
export function readThingNames(text: string): readonly string[] {
  const after = new Set([...text.slice(0, 4_096).matchAll(nameAfterWord)].map(([, word]) => word!));
  return readNames([...after].join(" "));
}

function looksLikeName(word: string): boolean {
  if (notNames.test(word) || !/\p{L}/u.test(word) || !/[\d_-]/.test(word)) return false;
  // Names of code: dotted paths, calls, and addresses with a port.
  return !/[/\\:@$%&*+?^~`]|\.\w+\.\w*[a-z]{3}/i.test(word);
}

const addressWord =
  /\b(?:floating ?ip|fixed[_ ]ip|ip[_ ]address|ip|address)(?: (?:add|create|delete|remove|set|unset|address))?\b['"]?[ :=]{1,3}u?['"]?((?:\d{1,3}\.){3}\d{1,3})(?![\d.]*[:/\d])/gi;

/** Addresses that the text itself calls a thing's address; those of endpoints and of callers are not. */
export function readAddresses(text: string): readonly string[] {
  const found = [...text.slice(0, 4_096).matchAll(addressWord)].map(([, address]) => address!);
  const sound = found.filter((address) => address.split(".").every((part) => Number(part) <= 255));
  return [...new Set(sound)].slice(0, namesMax);
}
