import type { EntityRef, Related } from "../../model/entity.ts";
import type { LogLine } from "./log-line.ts";
import { lineIsOfPlatform } from "./platform-lines.ts";
import type { RequestPath } from "./request-path.ts";
import { readRequestPath } from "./request-path.ts";
import { readAddresses, readNames, readSpokenOf, readThingNames } from "./spoken-of.ts";

/** Everything that a line speaks of, sorted by what proves it. */
export interface LineContent {
  readonly service: string;
  readonly request?: RequestPath;
  /** Each thing once, what proves its kind best first. */
  readonly things: readonly EntityRef[];
  readonly subject: EntityRef;
  /** True where the line is of a request and tells who asked. */
  readonly isOfRequest: boolean;
  readonly aliases: readonly Related[];
  readonly platform: boolean;
}

/** Nova's programs are named after it, so a program's first word is its service; else the logger's is. */
function serviceOf(line: LogLine): string {
  const program = line.program?.split(/[-_.@]/)[0];
  return (program ?? line.logger?.split(".")[0] ?? "unnamed").toLowerCase() || "unnamed";
}

/** Finds what the line is about, and what else it speaks of. */
export function readContent(line: LogLine): LineContent {
  const service = serviceOf(line);
  const request = readRequestPath(line.message);
  const own = new Set([line.userId, line.projectId].filter((id) => id !== undefined));
  const spoken = readSpokenOf(request === undefined ? line.message : withoutPath(line.message, request), own);
  const inPath = (request?.things ?? []).filter(({ id }) => id !== line.userId);
  const proven = [...(spoken.instance === undefined ? [] : [spoken.instance]), ...inPath, ...spoken.byWord];
  const known = distinctById([...proven, ...spoken.byField, ...spoken.unknown]);
  const isOfRequest = line.requestId !== undefined && line.userId !== undefined;
  const platform = !isOfRequest && spoken.instance === undefined && lineIsOfPlatform(line);
  const aliases =
    isOfRequest || platform || spoken.instance !== undefined ? [] : aliasesOf(line, request, known, proven);
  return {
    service,
    ...(request !== undefined && { request }),
    things: known,
    isOfRequest,
    aliases,
    platform,
    subject: isOfRequest
      ? { kind: "request", id: line.requestId! }
      : platform
        ? componentOf(line, service)
        : (dhcpNetwork(line, spoken.byField) ??
          subjectOf(proven, { things: known, byField: spoken.byField }, aliases) ??
          componentOf(line, service)),
  };
}

/** The path was read by itself; the rest of an access line may still speak of something. */
function withoutPath(message: string, { path }: RequestPath): string {
  return path.length < 2 ? message : message.replaceAll(path, " ").replaceAll(/\?[^\s"]*/g, " ");
}

function distinctById(refs: readonly EntityRef[]): readonly EntityRef[] {
  const byId = new Map<string, EntityRef>();
  for (const ref of refs) if (!byId.has(ref.id)) byId.set(ref.id, ref);
  return [...byId.values()];
}

/** A port that Neutron made to serve a network's addresses is a part of that network, and of nothing else. */
function dhcpNetwork({ message }: LogLine, byField: readonly EntityRef[]): EntityRef | undefined {
  if (!/\bdevice_owner['"]?[:=] ?u?['"]?network:dhcp\b/.test(message)) return undefined;
  const [network, ...others] = byField.filter(({ kind }) => kind === "network");
  return others.length === 0 ? network : undefined;
}

/**
 * What the line itself puts first, or the only thing that it speaks of. A name beside an id is looked at first: what is
 * known of the id is known of a mentioned thing as well, and of a name only while the subject has none.
 */
function subjectOf(
  proven: readonly EntityRef[],
  { things, byField }: { readonly things: readonly EntityRef[]; readonly byField: readonly EntityRef[] },
  aliases: readonly Related[],
): EntityRef | undefined {
  const [only, ...others] = things.length > 1 ? byField : things;
  return aliases[0]?.ref ?? proven[0] ?? (others.length === 0 ? only : undefined);
}

function componentOf(line: LogLine, service: string): EntityRef {
  const program = line.program ?? service;
  return {
    kind: "component",
    id: (line.host === undefined ? program : `${program}@${line.host}`).slice(0, 255),
  };
}

/**
 * Names and addresses by which a line speaks of its subject. Beside an id whose kind the line proves, only what a word
 * for a kind of thing stands before is taken for a name.
 */
function aliasesOf(
  line: LogLine,
  request: RequestPath | undefined,
  known: readonly EntityRef[],
  proven: readonly EntityRef[],
): readonly Related[] {
  const fromPath = (request?.names ?? []).map(({ name, kind }): Related => ({
    role: `alias:${kind}`,
    ref: { kind: "name", id: name },
  }));
  // What a message in JSON or a dump of fields names are its fields.
  const isDump = request !== undefined || /^\s*\{|\w=[^,]*, \w+=|: \{/.test(line.message);
  const text = isDump ? "" : line.message;
  const names = proven.length > 0 ? readThingNames(text) : readNames(text);
  const inText = names.map((name): Related => ({ role: "alias", ref: { kind: "name", id: name } }));
  const addresses = known.length > 0 ? [] : readAddresses(text);
  return [
    ...fromPath,
    ...inText,
    ...addresses.map((id): Related => ({ role: "alias", ref: { kind: "ip", id } })),
  ];
}
