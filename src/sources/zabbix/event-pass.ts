import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import { duration, instant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import { FarClock } from "../answer-time.ts";
import type { LostPlace } from "../cursor/opaque.ts";
import { outliveRetention } from "../cursor/opaque.ts";
import { settledTo, settleMarks } from "../cursor/time-window.ts";
import { baseUrl, parseSettings, secretReference } from "../http-settings.ts";
import { asObject, asText } from "../json-fields.ts";
import type { Page, RawRecord, SourceIo } from "../source.ts";
import type { ZabbixCall } from "./json-rpc.ts";
import { openZabbix } from "./json-rpc.ts";
import { hostsSetting } from "./problem.ts";

/** The server writes events in batches, by several processes, so that ids become readable out of order. */
export const settleMs = duration(60_000);

/** How far the clock that dates Zabbix's events may be from the one that dates our passes: its frontend's, else ours. */
export const clockErrorMs = duration(5_000);

/** How many problems of the same triggers are looked through for those that a recovery ends. */
const problemsMax = 1000;

export const zabbixSettings = z.strictObject({
  url: baseUrl.describe("Address of the frontend, where `api_jsonrpc.php` lies."),
  token: secretReference.describe("An API token, as `env:NAME` or `file:PATH`."),
  hosts: hostsSetting.describe(
    "`cloud` where the technical names of Zabbix's hosts are those of the cloud's own hosts; else a host is only noted.",
  ),
  group_ids: z
    .array(z.string().regex(/^\d{1,20}$/))
    .max(1000)
    .default([])
    .describe("Only events of hosts in these groups."),
  page_size: z.number().int().min(1).max(1000).default(500).describe("Events asked for per request."),
  overlap_seconds: z
    .number()
    .int()
    .min(60)
    .max(86_400)
    .default(300)
    .describe(
      "Events that were first seen so recently, and 5 s more for clocks that differ, are read again, because ids appear out of order.",
    ),
  look_back_hours: z
    .number()
    .int()
    .min(1)
    .max(8760)
    .default(24)
    .describe("How far back the first passes read."),
  retention_days: z
    .number()
    .int()
    .min(1)
    .max(9125)
    .default(365)
    .describe("How long Zabbix's housekeeper keeps events of triggers (*Administration → Housekeeping*)."),
});
type ZabbixSettings = z.output<typeof zabbixSettings>;

const eventId = z.string().regex(/^\d{1,20}$/);

export const zabbixCursor = z.object({
  /** Where the first passes begin, in milliseconds since the epoch. */
  since: z.number().int(),
  /** True where it reads again: then ids are followed from the first event of that moment on. */
  again: z.boolean().default(false),
  /** Everything up to this id was read long enough ago; null until then. */
  floor: eventId.nullable(),
  /** The highest id that each of the latest passes saw. */
  marks: z.array(z.object({ at: z.number().int(), id: eventId })),
  /** A pass that is not over: when it began, and the last id that it read. */
  pass: z.object({ startedAt: z.number().int(), after: eventId }).nullable(),
});
export type ZabbixCursor = z.infer<typeof zabbixCursor>;

/**
 * Reads one page of trigger events in the order of their ids. Each pass begins at the id that was the highest one
 * `overlap_seconds` ago, not at a time: an event that a proxy delivers late has an old time and a new id.
 */
export async function fetchEvents(
  config: JsonObject,
  from: ZabbixCursor | undefined,
  io: SourceIo,
): Promise<Page<ZabbixCursor>> {
  const settings = parseSettings(zabbixSettings, config);
  const clock = new FarClock(io);
  const call = await openZabbix(settings, clock.io);
  const now = clock.earliest();
  const cursor = from ?? {
    since: now - settings.look_back_hours * 3_600_000,
    again: false,
    floor: null,
    marks: [],
    pass: null,
  };
  const lost = housekept(settings, cursor, now);
  const known = cursor.pass?.after ?? cursor.floor;
  const after = known ?? (cursor.again ? await findPlace(call, settings, cursor.since) : null);
  const items = await readEvents(call, settings, after, cursor.since);
  const seenAt = clock.latest();
  const ids = items.map(idOf).filter((id) => id !== undefined);
  const records = await writeRecords(call, settings, items, io);
  const highest = ids.reduce<string | null>((best, id) => (isHigher(id, best) ? id : best), after);
  const startedAt = cursor.pass?.startedAt ?? now;
  if (items.length >= settings.page_size) {
    if (highest === null || highest === after)
      throw malformed("Zabbix gave a page of events that leads nowhere");
    return { records, cursor: { ...cursor, pass: { startedAt, after: highest } }, done: false, ...lost };
  }
  if (items.length === 0 && after !== null) await checkIdsGoOn(call, after);
  return {
    records,
    cursor: { ...advance(cursor, highest, { startedAt, seenAt }, settings), pass: null },
    completeTo: instant(settledTo(startedAt, { settleMs: settleMs + clockErrorMs })),
    done: true,
    ...lost,
  };
}

/** What the housekeeper may have deleted before it was read, told once when a pass begins. */
function housekept(
  { retention_days: days, url }: ZabbixSettings,
  { pass, marks }: ZabbixCursor,
  now: number,
): Partial<LostPlace> {
  const readTo = marks.at(-1)?.at;
  if (pass !== null || readTo === undefined) return {};
  return outliveRetention(`Zabbix at ${url}`, instant(readTo - settleMs), instant(now - days * 86_400_000));
}

/**
 * Ids that were seen long enough ago become the floor. A mark bears the time at which its id was seen, not that of its
 * pass: below an id that a long pass came to at its end, others may still be on their way.
 */
function advance(
  cursor: ZabbixCursor,
  highest: string | null,
  { startedAt, seenAt }: { readonly startedAt: number; readonly seenAt: number },
  settings: ZabbixSettings,
): ZabbixCursor {
  const marks = highest === null ? cursor.marks : [...cursor.marks, { at: seenAt, id: highest }];
  const overlapMs = settings.overlap_seconds * 1000 + clockErrorMs;
  const settled = settleMarks(cursor.floor, marks, startedAt, { overlapMs });
  return { ...cursor, floor: settled.floor, marks: [...settled.marks] };
}

/** Reads again from the first event of that moment on. */
export function startEventsAt(_config: JsonObject, at: Instant): ZabbixCursor {
  return { since: Math.floor(at), again: true, floor: null, marks: [], pass: null };
}

function ofGroups({ group_ids: groups }: ZabbixSettings): JsonObject {
  return groups.length > 0 ? { groupids: groups } : {};
}

/**
 * The id before the first event of that moment on, from which ids are followed: what a proxy delivers late has an old
 * time and a new id. Null where there is no such event.
 */
async function findPlace(call: ZabbixCall, settings: ZabbixSettings, since: number): Promise<string | null> {
  const first = await call("event.get", {
    output: ["eventid"],
    source: 0,
    object: 0,
    ...ofGroups(settings),
    time_from: Math.floor(since / 1000),
    sortfield: ["eventid"],
    sortorder: "ASC",
    limit: 1,
  });
  const id = listOf(first, "event.get").map(idOf)[0];
  return id === undefined ? null : String(BigInt(id) - 1n);
}

async function readEvents(
  call: ZabbixCall,
  settings: ZabbixSettings,
  after: string | null,
  since: number,
): Promise<readonly Json[]> {
  const result = await call("event.get", {
    output: ["eventid", "objectid", "clock", "ns", "value", "name", "severity"],
    // Of triggers only: discovery, autoregistration and internal events tell of Zabbix itself.
    source: 0,
    object: 0,
    selectHosts: ["hostid", "host", "name"],
    selectTags: "extend",
    ...ofGroups(settings),
    ...(after === null
      ? { time_from: Math.floor(since / 1000) }
      : { eventid_from: String(BigInt(after) + 1n) }),
    sortfield: ["eventid"],
    sortorder: "ASC",
    limit: settings.page_size,
  });
  return listOf(result, "event.get");
}

/** A server that was set up anew counts from 1 again, and would never reach the ids that were read. */
async function checkIdsGoOn(call: ZabbixCall, after: string): Promise<void> {
  const newest = {
    output: ["eventid"],
    source: 0,
    object: 0,
    sortfield: ["eventid"],
    sortorder: "DESC",
    limit: 1,
  };
  const [item] = listOf(await call("event.get", newest), "event.get");
  const id = item === undefined ? undefined : idOf(item);
  if (id === undefined || !isHigher(after, id)) return;
  throw malformed(`Zabbix's newest event is ${id}, but ${after} was read already: its ids began anew`);
}

async function writeRecords(
  call: ZabbixCall,
  settings: ZabbixSettings,
  items: readonly Json[],
  io: SourceIo,
): Promise<readonly RawRecord[]> {
  const addresses = await readAddresses(call, items);
  const problems = await readProblems(call, items);
  return items.map((item, index) => {
    const id = idOf(item);
    const problemIds = id === undefined ? [] : (problems.get(id) ?? []);
    const ofHosts = hostIdsOf(item).flatMap((host) => addresses.get(host) ?? []);
    return {
      bytes: new TextEncoder().encode(JSON.stringify(item)),
      position: `event.get ${id ?? `#${index + 1}`}`,
      receivedAt: io.now(),
      meta: { hosts: settings.hosts, addresses: ofHosts, problem_ids: problemIds },
    };
  });
}

/** The addresses of the events' hosts, by the hosts' ids. */
async function readAddresses(
  call: ZabbixCall,
  items: readonly Json[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const hostids = [...new Set(items.flatMap(hostIdsOf))];
  if (hostids.length === 0) return new Map();
  const hosts = listOf(
    await call("host.get", { hostids, output: ["hostid"], selectInterfaces: ["ip", "useip"] }),
    "host.get",
  );
  return new Map(
    hosts.map((host) => {
      const interfaces = asObject(host)?.["interfaces"];
      const ips = (Array.isArray(interfaces) ? (interfaces as readonly Json[]) : []).flatMap(
        (one) => asText(asObject(one)?.["ip"]) ?? [],
      );
      return [asText(asObject(host)?.["hostid"]) ?? "", [...new Set(ips)].toSorted()];
    }),
  );
}

/** The problems that the recoveries among the events ended; only a problem names its recovery (`r_eventid`). */
async function readProblems(
  call: ZabbixCall,
  items: readonly Json[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const recoveries = items.filter((item) => asObject(item)?.["value"] === "0");
  const objectids = [...new Set(recoveries.flatMap((item) => asText(asObject(item)?.["objectid"]) ?? []))];
  if (objectids.length === 0) return new Map();
  const problems = listOf(
    await call("event.get", {
      output: ["eventid", "r_eventid"],
      source: 0,
      object: 0,
      objectids,
      value: [1],
      sortfield: ["eventid"],
      sortorder: "DESC",
      limit: problemsMax,
    }),
    "event.get",
  );
  const byRecovery = Map.groupBy(problems, (problem) => asText(asObject(problem)?.["r_eventid"]) ?? "0");
  return new Map(
    [...byRecovery].map(([recovery, list]) => [
      recovery,
      list.flatMap((item) => idOf(item) ?? []).toSorted(),
    ]),
  );
}

function hostIdsOf(item: Json): readonly string[] {
  const hosts = asObject(item)?.["hosts"];
  if (!Array.isArray(hosts)) return [];
  return (hosts as readonly Json[]).flatMap((host) => asText(asObject(host)?.["hostid"]) ?? []);
}

function idOf(item: Json): string | undefined {
  return eventId.safeParse(asObject(item)?.["eventid"]).data;
}

/** Ids have up to 20 digits, more than a number keeps. */
function isHigher(id: string, than: string | null): boolean {
  return than === null || BigInt(id) > BigInt(than);
}

function listOf(result: Json, method: string): readonly Json[] {
  if (Array.isArray(result)) return result as readonly Json[];
  throw malformed(`Zabbix answered ${method} with something that is no list`);
}

function malformed(problem: string): IsochronError {
  return new IsochronError(
    "source-malformed",
    `${problem}.`,
    "Check the address and Zabbix's version; a server that was set up anew needs a new connection.",
  );
}
