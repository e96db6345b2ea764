import type pg from "pg";
import { eventKinds, type EventKind, type StoredEvent } from "../../model/event.ts";
import { instant, type Instant } from "../../model/instant.ts";
import { ownConnection } from "../../model/own-connection.ts";
import { mergeSpans } from "../../model/source-health.ts";
import type { Scope } from "../../model/scope.ts";
import type {
  Coverage,
  EarlierAttribution,
  EntitySymptoms,
  EventFilter,
  EventPage,
  EventReader,
  FeedPage,
  HistogramBin,
  PageRequest,
  SetAsideListing,
  TypeRate,
  VisibleEvent,
} from "../event-reader.ts";
import { countAttributes, nothingCounted } from "./attribute-counts.ts";
import { readEditions } from "./edition-reads.ts";
import { readFeed, standsInFeed } from "./feed.ts";
import { conditionsOf, Parameters } from "./filter.ts";
import type { EventRow } from "./event-row.ts";
import { iso } from "./event-writes.ts";
import { listConnections } from "./connection-states.ts";
import type { Listener } from "./listener.ts";
import { controlPlaneOf } from "./event-row.ts";
import type { Pools } from "./pools.ts";
import { readQuarantine } from "./quarantine.ts";
import { foldMinute, readMember, readMembers } from "./storm-reads.ts";
import { readSymptoms } from "./symptom-reads.ts";
import { findText } from "./text-search.ts";
import { openView, poolOf, toVisible, type Order, type View } from "./view.ts";

const excerptBytes = 4_096;

/** The reads that people's requests end in: each is one read-only transaction on the scope's own login. */
export function eventReader(pools: Pools, claimKey: Uint8Array, listener: Listener): EventReader {
  const within = <T>(
    scope: Scope,
    empty: T,
    read: (client: pg.ClientBase, view: View) => Promise<T>,
    order?: Order,
  ): Promise<T> => openView(pools, claimKey, scope, empty, read, order);
  const asProvider = <T>(scope: Scope, empty: T, read: (client: pg.ClientBase) => Promise<T>): Promise<T> =>
    scope.kind === "provider" ? pools.transact(poolOf(scope), "read", read) : Promise.resolve(empty);
  return {
    timeline: (scope, filter, page) =>
      within<EventPage>(
        scope,
        { events: [], more: false },
        (client, view) => readPage(client, view, filter, page),
        "newest-first",
      ),
    event: (scope, id) =>
      within<VisibleEvent | undefined>(scope, undefined, (client, view) => readEvent(client, view, id)),
    members: (scope, eventId, page) =>
      within<EventPage>(scope, { events: [], more: false }, (client, view) =>
        readMembers(client, view, eventId, page),
      ),
    histogram: (scope, filter, bins) =>
      within<readonly HistogramBin[]>(scope, fillBins(filter, bins, []), async (client, view) =>
        fillBins(filter, bins, await countBins(client, view, filter, strideOf(filter, bins))),
      ),
    typeRates: (scope, types, from, to) =>
      within<readonly TypeRate[]>(scope, [], (client, view) => countTypes(client, view, types, from, to)),
    symptoms: (scope, question) =>
      within<readonly EntitySymptoms[]>(
        scope,
        [],
        (client, view) => readSymptoms(client, view, question),
        "newest-first",
      ),
    attributeCounts: (scope, question) =>
      within(scope, nothingCounted(question), (client, view) => countAttributes(client, view, question)),
    extent: (scope) => within<Extent>(scope, undefined, readExtent),
    coverage: (scope) => readCoverage(pools, scope),
    quarantine: (scope, limit, reason) =>
      asProvider(scope, { groups: [], more: false }, (client) => readQuarantine(client, limit, reason)),
    editions: (scope, event, limit) =>
      asProvider(scope, { editions: [], more: false }, (client) => readEditions(client, event, limit)),
    attributionHistory: (scope, id) => asProvider(scope, [], (client) => readHistory(client, id)),
    setAside: (scope, limit) => asProvider(scope, [], (client) => readSetAside(client, limit)),
    feed: (scope, after, limit) =>
      within<FeedPage>(
        scope,
        { events: [], repeated: [], retracted: [], position: after ?? {} },
        (client, view) => readFeed(client, view, after, limit),
      ),
    standsInFeed: (scope, id) => within(scope, false, (client, view) => standsInFeed(client, view, id)),
    woken: (waitMs, signal) => listener.woken(waitMs, signal),
  };
}

async function readPage(
  client: pg.ClientBase,
  view: View,
  filter: EventFilter,
  page: PageRequest,
): Promise<EventPage> {
  const parameters = new Parameters();
  const holdingText = await findText(client, view, filter);
  const conditions = conditionsOf(filter, view.audience, parameters, holdingText);
  const [sign, direction] = page.order === "newest" ? ["<", "DESC"] : [">", "ASC"];
  if (page.after !== undefined) {
    const at = parameters.add(iso(page.after.occurredAt), "timestamptz");
    conditions.push(`(occurred_at, id) ${sign} (${at}, ${parameters.add(page.after.id, "text")})`);
  }
  const limit = parameters.add(page.limit + 1, "integer");
  const order = `occurred_at ${direction}, id ${direction}`;
  const sql = view.select(view.columns, conditions, parameters, `ORDER BY ${order} LIMIT ${limit}`);
  const { rows } = await client.query<EventRow>(sql, parameters.values);
  return {
    events: rows.slice(0, page.limit).map((row) => toVisible(view, row)),
    more: rows.length > page.limit,
  };
}

async function readEvent(client: pg.ClientBase, view: View, id: string): Promise<VisibleEvent | undefined> {
  const parameters = new Parameters();
  const conditions = [`id = ${parameters.add(id, "text")}`];
  if (view.audience === "provider") {
    // Tells the partition; an event outlives its deliveries only where retention has cut both. Asked by itself, since to
    // plan both in one takes longer than to read both.
    const { rows } = await client.query<{ at: number }>(
      `SELECT occurred_at AS at FROM isochron.delivery WHERE event_id = $1 UNION ${foldMinute}`,
      [id],
    );
    if (rows.length === 0) return readMember(client, view, id);
    conditions.push(
      `occurred_at = ANY(${parameters.add(
        rows.map(({ at }) => iso(at)),
        "timestamptz[]",
      )})`,
    );
  }
  const sql = view.select(view.columns, conditions, parameters, "LIMIT 1");
  const { rows } = await client.query<EventRow>(sql, parameters.values);
  return rows[0] === undefined ? readMember(client, view, id) : toVisible(view, rows[0]);
}

interface BinRow {
  readonly bin: number;
  readonly kind: EventKind;
  readonly count: number;
}

function strideOf(filter: { from: Instant; to: Instant }, bins: number): number {
  return Math.max(1, Math.ceil((filter.to - filter.from) / bins));
}

async function countBins(
  client: pg.ClientBase,
  view: View,
  filter: EventFilter & { from: Instant; to: Instant },
  strideMs: number,
): Promise<readonly BinRow[]> {
  const parameters = new Parameters();
  const holdingText = await findText(client, view, filter);
  const conditions = conditionsOf(filter, view.audience, parameters, holdingText);
  const stride = parameters.add(strideMs, "double precision");
  const from = parameters.add(iso(filter.from), "timestamptz");
  const bin = `date_bin(${stride} * interval '1 millisecond', occurred_at, ${from})`;
  const sql = view.count(
    `(extract(epoch FROM ${bin} - ${from}) * 1000 / ${stride})::integer AS bin, kind`,
    conditions,
    parameters,
    "bin, kind",
  );
  const { rows } = await client.query<BinRow>(sql, parameters.values);
  return rows;
}

function fillBins(
  filter: { from: Instant; to: Instant },
  bins: number,
  rows: readonly BinRow[],
): readonly HistogramBin[] {
  const strideMs = strideOf(filter, bins);
  const count = Math.max(0, Math.ceil((filter.to - filter.from) / strideMs));
  const counts = Array.from(
    { length: count },
    () => Object.fromEntries(eventKinds.map((kind) => [kind, 0])) as Record<EventKind, number>,
  );
  for (const row of rows) {
    const bin = counts[row.bin];
    if (bin !== undefined) bin[row.kind] = row.count;
  }
  return counts.map((kinds, index) => ({ at: instant(filter.from + index * strideMs), counts: kinds }));
}

async function countTypes(
  client: pg.ClientBase,
  view: View,
  types: readonly string[],
  from: Instant,
  to: Instant,
): Promise<readonly TypeRate[]> {
  const parameters = new Parameters();
  const conditions = conditionsOf({ from, to }, view.audience, parameters);
  conditions.push(`type = ANY(${parameters.add(types, "text[]")})`);
  const sql = view.count("type", conditions, parameters, "type");
  const { rows } = await client.query<TypeRate>(`${sql} ORDER BY type`, parameters.values);
  return rows.map(({ type, count }) => ({ type, count }));
}

type Extent = { readonly first: Instant; readonly last: Instant } | undefined;

async function readExtent(client: pg.ClientBase, view: View): Promise<Extent> {
  const end = async (direction: "ASC" | "DESC"): Promise<number | undefined> => {
    const parameters = new Parameters();
    const order = `ORDER BY occurred_at ${direction}, id ${direction} LIMIT 1`;
    const sql = view.select("occurred_at, id", [], parameters, order);
    return (await client.query<{ occurred_at: number }>(sql, parameters.values)).rows[0]?.occurred_at;
  };
  const first = await end("ASC");
  const last = first === undefined ? undefined : await end("DESC");
  return first === undefined || last === undefined
    ? undefined
    : { first: instant(first), last: instant(last) };
}

/** Complete up to the moment that every connection with a claim has reached; tenants learn that moment alone. */
async function readCoverage(pools: Pools, scope: Scope): Promise<Coverage> {
  if (scope.kind === "tenant" && scope.keys.length === 0) return { connections: [], holes: [] };
  const all = await pools.transact("provider", "read", listConnections);
  const planes = scope.kind === "tenant" ? new Set(scope.keys.map(controlPlaneOf)) : undefined;
  const connections = planes === undefined ? all : all.filter(({ controlPlane }) => planes.has(controlPlane));
  const claims = connections.filter(
    ({ state, source }) => state !== "retired" && source !== ownConnection.source,
  );
  const reached = claims.flatMap(({ completeTo }) => (completeTo === undefined ? [] : [completeTo]));
  return {
    connections: scope.kind === "provider" ? connections : [],
    ...(reached.length === 0 ? {} : { completeTo: instant(Math.min(...reached)) }),
    holes: mergeSpans(connections.flatMap(({ holes }) => holes)),
  };
}

/** Each answer held until the next was written; the last of the earlier ones until the one that stands. */
async function readHistory(client: pg.ClientBase, id: string): Promise<readonly EarlierAttribution[]> {
  const { rows } = await client.query<{
    recorded_at: number;
    recorded_until: number;
    attribution: StoredEvent["attribution"];
  }>(
    `SELECT r.recorded_at, r.attribution,
            coalesce(lead(r.recorded_at) OVER (ORDER BY r.replaced_xid), m.attributed_at, e.attributed_at,
                     r.recorded_at) AS recorded_until
       FROM isochron.attribution_revision r
       LEFT JOIN isochron.storm_member m ON m.id = r.event_id
       LEFT JOIN isochron.event e ON e.id = r.event_id AND e.occurred_at = r.occurred_at
      WHERE r.event_id = $1 ORDER BY r.replaced_xid`,
    [id],
  );
  return rows.map((row) => ({
    recordedAt: instant(row.recorded_at),
    recordedUntil: instant(row.recorded_until),
    attribution: row.attribution,
  }));
}

async function readSetAside(client: pg.ClientBase, limit: number): Promise<readonly SetAsideListing[]> {
  const { rows } = await client.query<{
    id: string;
    connection: string;
    position: string;
    code: string;
    reason: string;
    received_at: number;
    attempts: number;
    head: Buffer;
  }>(
    `SELECT id, connection, position, code, reason, received_at, attempts, substr(bytes, 1, $2) AS head
       FROM isochron.set_aside WHERE replayed_at IS NULL ORDER BY received_at DESC, id LIMIT $1`,
    [limit, excerptBytes],
  );
  return rows.map(({ received_at, head, ...row }) => {
    return { ...row, receivedAt: instant(received_at), excerpt: head.toString("utf8") };
  });
}
