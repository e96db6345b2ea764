import type pg from "pg";
import { entityKey, type EntityRef } from "../../model/entity.ts";
import { severities } from "../../model/event.ts";
import { duration, instant } from "../../model/instant.ts";
import type { Cut, NearEvent, NearEvents, NearQuestion } from "../correlation-reader.ts";
import type { EventRow } from "./event-row.ts";
import { iso } from "./event-writes.ts";
import { Parameters } from "./filter.ts";
import { weekMs, weekStart } from "./partitions.ts";
import type { View } from "./view.ts";

/** What is read of a row to rank it; the rest is read of those that are shown. */
const columns = `e.id, e.occurred_at, e.precision_ms, e.type, e.kind, e.category,
  e.phase, e.severity, e.subject_kind, e.subject_id, e.subject_name, e.related, e.operation, e.summary, e.details,
  e.changes, e.actor, e.connection, e.control_plane`;

type NearRow = Pick<
  EventRow,
  | "id"
  | "occurred_at"
  | "precision_ms"
  | "type"
  | "kind"
  | "category"
  | "phase"
  | "severity"
  | "subject_kind"
  | "subject_id"
  | "subject_name"
  | "related"
  | "operation"
  | "summary"
  | "details"
  | "changes"
  | "actor"
  | "connection"
  | "control_plane"
>;

interface Found extends NearRow {
  readonly found: keyof typeof ways;
  readonly nth: number;
}

/** In what words each way of looking is told where it found more than it takes. */
const ways = {
  start: "events of what is asked about",
  near: "events of what it hangs together with",
  beside: "events of what stands beside it",
  around: "events that name it, or share its request or actor",
  newest: "changes in the window",
  estate: "changes of the estate",
  rare: "rare changes",
  trouble: "trouble of shared infrastructure",
  symptom: "symptoms in the window",
  followed: "events of its things afterwards",
  after: "symptoms afterwards",
} as const;

/** So many of each are taken: of each kind for each thing, or in all. */
const most = {
  start: 24,
  near: 5,
  beside: 2,
  around: 60,
  newest: 80,
  estate: 80,
  rare: 3,
  trouble: 60,
  symptom: 120,
  followed: 4,
  after: 60,
} as const;

/** Kinds that a cause or a symptom may be of; of what stands beside, only what was done or broke. */
const allKinds = ["change", "human", "symptom", "recovery", "activity"];
const besideKinds = ["change", "symptom"];

/** A type of which so many or more lay in the weeks before is no rare one. */
const rareBelow = 6;
const rareSpanMs = 28 * 86_400_000;
const typesMax = 1_000;

/**
 * Newest first of each kind for each thing: one descent of the index for each, whatever lies beyond. One more than are
 * taken is looked up, to know whether there are more.
 */
function ofThings(found: "start" | "near" | "beside" | "followed", each: number): string {
  const order = found === "followed" ? "e.occurred_at" : "e.occurred_at DESC";
  return `SELECT '${found}' AS found, hit.*
    FROM unnest($1::text[], $2::text[]) AS given (kind, id)
   CROSS JOIN unnest($3::text[]) AS sort (kind) CROSS JOIN LATERAL (
    SELECT e.*, row_number() OVER (ORDER BY ${order}) AS nth FROM (
      SELECT ${columns} FROM isochron.event e
       WHERE e.subject_id = given.id AND e.kind = sort.kind AND (e.kind <> 'activity' OR e.phase = 'start')
         AND e.subject_kind = given.kind
         AND ($4::text IS NULL OR e.control_plane = $4) AND e.occurred_at >= $5::timestamptz
         AND e.occurred_at < $6::timestamptz AND CLASSES
       ORDER BY ${order} LIMIT ${each + 1}) AS e) AS hit`;
}

/** Of each of many things fewer are taken, so that a selection costs about what one event does. */
function shareOf(found: keyof typeof eachTotal, things: readonly EntityRef[]): number {
  return Math.max(1, Math.min(most[found], Math.floor(eachTotal[found] / Math.max(1, things.length))));
}

const eachTotal = { start: 150, near: 150, beside: 300, followed: 160 } as const;

const estate = "e.kind IN ('change', 'human') AND (e.platform OR e.category IN ('platform', 'deployment'))";
const symptom = "e.kind IN ('symptom', 'recovery')";
const trouble = `${symptom}
  AND e.subject_kind IN ('host', 'service', 'agent', 'backend', 'hypervisor', 'component', 'aggregate')`;

/** $1 the control plane, $2 and $3 the window, $4 how far back trouble may have begun, $5 how far on. */
function inWindow(found: keyof typeof ways, what: string, [from, to]: readonly [string, string]): string {
  const order = found === "after" ? "" : " DESC";
  return `SELECT '${found}' AS found, e.*, row_number() OVER () AS nth FROM (
    SELECT ${columns} FROM isochron.event e
     WHERE ${what} AND ($1::text IS NULL OR e.control_plane = $1) AND e.occurred_at >= ${from}::timestamptz
       AND e.occurred_at < ${to}::timestamptz AND CLASSES
     ORDER BY e.occurred_at${order}, e.id${order} LIMIT ${most[found] + 1}) AS e`;
}

const change = "e.kind IN ('change', 'human')";

const estateSql = [
  inWindow("newest", change, ["$2", "$3"]),
  inWindow("estate", estate, ["$2", "$3"]),
  inWindow("trouble", trouble, ["$4", "$3"]),
  inWindow("symptom", symptom, ["$2", "$3"]),
  inWindow("after", symptom, ["$3", "$5"]),
].join(" UNION ALL ");

/**
 * Goes from type to type in the index, and gives the newest changes of those in the window that were hardly seen in the
 * weeks before: $1 the control plane, $2 and $3 the window, $4 how far back rarity looks; $5 and $6 the whole weeks of the
 * window, so that the next type is the next entry of the index.
 */
const rareSql = `
  WITH RECURSIVE known (type, nth) AS (
    (SELECT e.type, 1 FROM isochron.event e WHERE e.occurred_at >= $5::timestamptz AND e.occurred_at < $6::timestamptz
        ORDER BY e.type LIMIT 1)
    UNION ALL
    SELECT (SELECT e.type FROM isochron.event e WHERE e.type > known.type
               AND e.occurred_at >= $5::timestamptz AND e.occurred_at < $6::timestamptz ORDER BY e.type LIMIT 1),
           known.nth + 1
      FROM known WHERE known.type IS NOT NULL AND known.nth < ${typesMax})
  SELECT 'rare' AS found, hit.*
    FROM known CROSS JOIN LATERAL (
      SELECT e.*, row_number() OVER (ORDER BY e.occurred_at DESC) AS nth FROM (
        SELECT ${columns} FROM isochron.event e
         WHERE e.type = known.type AND e.kind IN ('change', 'human') AND ($1::text IS NULL OR e.control_plane = $1)
           AND e.occurred_at >= $2::timestamptz AND e.occurred_at < $3::timestamptz AND CLASSES
         ORDER BY e.occurred_at DESC LIMIT ${most.rare + 1}) AS e) AS hit
   WHERE known.type IS NOT NULL AND ${rareBelow} > (
     SELECT count(*) FROM (
       SELECT FROM isochron.event e
        WHERE e.type = known.type AND e.occurred_at >= $4::timestamptz AND e.occurred_at < $2::timestamptz
        LIMIT ${rareBelow}) AS before)`;

/** Reads in a transaction of its own on the scope's login. */
export type Ask = <T>(empty: T, read: (client: pg.ClientBase, view: View) => Promise<T>) => Promise<T>;

/**
 * Of the provider's events what lies near. The ways are looked along at once, each stretch of them in a transaction of its
 * own: what one of them waits for the disk to give, the others do not wait for.
 */
export async function readNearEvents(ask: Ask, question: NearQuestion): Promise<Omit<NearEvents, "usual">> {
  const all = [...question.starts, ...question.near];
  const bounds: Bounds = {
    ...most,
    start: shareOf("start", question.starts),
    near: shareOf("near", question.near),
    beside: shareOf("beside", question.beside),
    followed: shareOf("followed", all),
  };
  const parts = [ofPlaces(question, bounds), ofNeighbours(question, bounds), ofTheTime(question)];
  const read = await Promise.all(parts.map((statements) => ask([], (...at) => readAll(statements, ...at))));
  const found = read.flat();
  const taken = found.filter(({ found: way, nth }) => nth <= bounds[way]);
  const events = new Map(taken.map((row) => [row.id, row]));
  return { ...split([...events.values()].map(toNearEvent), question), cut: cutOf(found, bounds) };
}

interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

async function readAll(
  statements: readonly Statement[],
  client: pg.ClientBase,
  view: View,
): Promise<readonly Found[]> {
  const classes = view.own(new Parameters());
  const found: Found[] = [];
  for (const { sql, values } of statements)
    found.push(...(await client.query<Found>(sql.replaceAll("CLASSES", classes), [...values])).rows);
  return found;
}

function thingsOf(
  { controlPlane }: NearQuestion,
  refs: readonly EntityRef[],
  kinds: readonly string[],
  [from, to]: readonly [number, number],
): readonly unknown[] {
  const ids = [refs.map(({ kind }) => kind), refs.map(({ id }) => id)];
  return [...ids, kinds, controlPlane ?? null, iso(from), iso(to)];
}

/** What is asked about, and what it hangs together with; nothing is asked of no things. */
function ofPlaces(question: NearQuestion, bounds: Bounds): readonly Statement[] {
  const { starts, near, window, longFrom, until } = question;
  const of = (
    found: "start" | "near" | "followed",
    refs: readonly EntityRef[],
    span: readonly [number, number],
  ) =>
    refs.length === 0
      ? []
      : [{ sql: ofThings(found, bounds[found]), values: thingsOf(question, refs, allKinds, span) }];
  return [
    ...of("start", starts, [longFrom, window.to]),
    ...of("near", near, [longFrom, window.to]),
    ...of("followed", [...starts, ...near], [window.to, until]),
  ];
}

function ofNeighbours(question: NearQuestion, bounds: Bounds): readonly Statement[] {
  const { beside, starts, requests, actors, window, longFrom } = question;
  const leaves = starts.filter(({ kind }) => namedKinds.has(kind)).slice(0, namedMax);
  const named = [...leaves.map(entityKey), ...requests.map((id) => `request:${id}`)];
  const span = [window.from, window.to] as const;
  const besides = {
    sql: ofThings("beside", bounds.beside),
    values: thingsOf(question, beside, besideKinds, span),
  };
  const long = [iso(longFrom), iso(window.to), question.controlPlane ?? null];
  return [
    ...(beside.length === 0 ? [] : [besides]),
    ...(named.length + actors.length === 0 ? [] : [{ sql: aroundSql, values: [named, actors, ...long] }]),
  ];
}

function ofTheTime({ controlPlane, window, longFrom, until }: NearQuestion): readonly Statement[] {
  const plane = controlPlane ?? null;
  const [from, to] = [iso(window.from), iso(window.to)];
  const weeks = [weekStart(window.from), weekStart(window.to) + weekMs].map(iso);
  return [
    { sql: estateSql, values: [plane, from, to, iso(longFrom), iso(until)] },
    { sql: rareSql, values: [plane, from, to, iso(window.from - rareSpanMs), ...weeks] },
  ];
}

type Bounds = Readonly<Record<keyof typeof ways, number>>;

/** Few events speak of one of these; of a host or an image half of the cloud does, and what is done to it is its own event. */
const namedKinds = new Set([
  "server",
  "volume",
  "port",
  "snapshot",
  "backup",
  "floating_ip",
  "stack",
  "migration",
  "transfer",
  "router",
]);
const namedMax = 20;

/** One more than is taken, as everywhere. */
const aroundSql = `SELECT 'around' AS found, ours.*, row_number() OVER (ORDER BY a.occurred_at DESC) AS nth
  FROM isochron.events_around($1, $2, $3::timestamptz, $4::timestamptz, ${most.around + 1}) AS a
  JOIN LATERAL (SELECT ${columns} FROM isochron.event e WHERE e.id = a.id AND e.occurred_at = a.occurred_at
                   AND ($5::text IS NULL OR e.control_plane = $5) AND CLASSES LIMIT 1) AS ours ON true`;

function toNearEvent(row: NearRow): NearEvent {
  return {
    id: row.id,
    occurredAt: instant(row.occurred_at),
    precision: duration(row.precision_ms),
    type: row.type,
    kind: row.kind,
    category: row.category,
    ...(row.phase === null ? {} : { phase: row.phase }),
    severity: severities[row.severity] ?? "info",
    subject: { kind: row.subject_kind, id: row.subject_id },
    ...(row.subject_name === null ? {} : { subjectName: row.subject_name }),
    related: row.related,
    ...(row.operation === null ? {} : { operation: row.operation }),
    summary: row.summary,
    details: row.details,
    ...(row.changes === null ? {} : { changes: row.changes }),
    ...(row.actor === null ? {} : { actor: row.actor }),
    connection: row.connection,
    controlPlane: row.control_plane,
  };
}

/** What lies before the window's end and what lies behind it, each in its order. */
export function split(
  events: readonly NearEvent[],
  { window }: Pick<NearQuestion, "window">,
): Pick<NearEvents, "earlier" | "later"> {
  const inOrder = events.toSorted((a, b) => a.occurredAt - b.occurredAt || (a.id < b.id ? -1 : 1));
  return {
    earlier: inOrder.filter(({ occurredAt }) => occurredAt < window.to).toReversed(),
    later: inOrder.filter(({ occurredAt }) => occurredAt >= window.to),
  };
}

function cutOf(found: readonly Found[], bounds: Bounds): readonly Cut[] {
  const cut = new Set(found.filter(({ found: way, nth }) => nth > bounds[way]).map(({ found: way }) => way));
  return [...cut].map((way) => ({ of: ways[way], most: bounds[way] }));
}
