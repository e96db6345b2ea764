import type pg from "pg";
import { entityKey } from "../../model/entity.ts";
import { instant } from "../../model/instant.ts";
import type { RulingMatch } from "../../model/ruling.ts";
import { namesThing } from "../../model/ruling-index.ts";
import type { MatchedPage, MatchPlace } from "../ruling-store.ts";
import { toStoredEvent, type EventRow } from "./event-row.ts";
import { eventSelect, iso } from "./event-writes.ts";
import { Parameters } from "./filter.ts";
import type { Pools } from "./pools.ts";
import { rulingKey } from "./ruling-keys.ts";
import { toStoredMember, type StormMemberRow } from "./storm-fold.ts";
import { memberSelect } from "./storm-writes.ts";

/** Events, or folds of storms, that one step of the search looks at; a step is one transaction. */
const eventsPerStep = 1_000;

/** Far more steps than any store needs; a search without an end is a bug to be seen. */
const stepsMax = 1_000_000;

/** A match as it is kept: JSON, with times in milliseconds. */
export type MatchRow = RulingMatch;

/**
 * What a match may concern, as conditions over `event`: exact but for the record's own words of its subject, and with the
 * folds of all storms that may hold a member. Where it names a thing, also what is proven to be a tenant's.
 */
function conditionsOf(match: RulingMatch, parameters: Parameters): string[] {
  const { eventId, controlPlane, connection, type, subject, alias, from, to } = match;
  const conditions = [
    namesThing(match) ? "(unproven IS NOT NULL OR attribution_status = 'owned')" : "unproven IS NOT NULL",
  ];
  if (eventId !== undefined) {
    const id = parameters.add(eventId, "text");
    const member = `FROM isochron.storm_member WHERE id = ${id}`;
    conditions.push(
      `id = ANY(ARRAY(SELECT ${id} UNION ALL SELECT fold_id ${member}))`,
      `occurred_at = ANY(ARRAY(SELECT occurred_at FROM isochron.delivery WHERE event_id = ${id}
         UNION ALL SELECT date_bin('1 minute', occurred_at, 'epoch') ${member}))`,
    );
  }
  if (controlPlane !== undefined) conditions.push(`control_plane = ${parameters.add(controlPlane, "text")}`);
  if (connection !== undefined) conditions.push(`connection = ${parameters.add(connection, "text")}`);
  if (type !== undefined) {
    const prefix = type.endsWith("*");
    const text = parameters.add(prefix ? type.slice(0, -1) : type, "text");
    conditions.push(prefix ? `starts_with(type, ${text})` : `type = ${text}`);
  }
  for (const ref of [subject, alias]) {
    if (ref === undefined) continue;
    const key = parameters.add(entityKey(ref), "text");
    conditions.push(`(mentions @> ARRAY[${key}]
      OR id = ANY(ARRAY(SELECT fold_id FROM isochron.storm_member WHERE subject_key = ${key})))`);
  }
  // A fold stands at the beginning of its minute.
  if (from !== undefined) {
    conditions.push(
      `occurred_at >= date_bin('1 minute', ${parameters.add(iso(from), "timestamptz")}, 'epoch')`,
    );
  }
  if (to !== undefined) conditions.push(`occurred_at < ${parameters.add(iso(to), "timestamptz")}`);
  return conditions;
}

/** The same for the members of folds that were found. */
function memberConditionsOf(match: RulingMatch, parameters: Parameters): string[] {
  const { eventId, subject, alias, from, to } = match;
  const conditions: string[] = [];
  if (eventId !== undefined) conditions.push(`m.id = ${parameters.add(eventId, "text")}`);
  if (subject !== undefined) conditions.push(`m.subject_key = ${parameters.add(entityKey(subject), "text")}`);
  if (alias !== undefined) {
    const ref = JSON.stringify([{ ref: { kind: alias.kind, id: alias.id } }]);
    conditions.push(`(m.subject_key = ${parameters.add(entityKey(alias), "text")}
      OR m.draft::jsonb -> 'related' @> ${parameters.add(ref, "jsonb")})`);
  }
  if (from !== undefined) conditions.push(`m.occurred_at >= ${parameters.add(iso(from), "timestamptz")}`);
  if (to !== undefined) conditions.push(`m.occurred_at < ${parameters.add(iso(to), "timestamptz")}`);
  return conditions;
}

interface SearchRow {
  readonly id: string;
  readonly match: MatchRow;
  /** As text: the beginning of time is no number. */
  readonly after_at: string;
  readonly after_id: string;
}

/** Looks for events that new rulings concern, until some were found or none is left to be looked for. */
export async function searchForRulings(pools: Pools): Promise<void> {
  for (let step = 0; step < stepsMax; step += 1) {
    const outcome = await pools.transact("ingest", "write", takeStep);
    if (outcome !== "nothing") return;
  }
  throw new Error(`the search for a ruling's events did not come to an end in ${stepsMax} steps`);
}

/**
 * One step of one search. It needs no lock against pages: what was stored before the ruling is there to be found, and
 * whatever is written after it knows of the ruling, or is marked for not knowing.
 */
async function takeStep(client: pg.ClientBase): Promise<"found" | "nothing" | "over"> {
  const { rows: searches } = await client.query<SearchRow>(
    `SELECT id, match, after_at::text AS after_at, after_id FROM isochron.ruling_search
      ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`,
  );
  const [search] = searches;
  if (search === undefined) return "over";
  const parameters = new Parameters();
  const place = `(${parameters.add(search.after_at, "timestamptz")}, ${parameters.add(search.after_id, "text")})`;
  const conditions = [...conditionsOf(search.match, parameters), `(occurred_at, id) > ${place}`];
  const members = ["m.fold_id = page.id", ...memberConditionsOf(search.match, parameters)].join(" AND ");
  const key = parameters.add(rulingKey(search.id), "text");
  const { rows } = await client.query<{
    found: number;
    looked: number;
    at: string | null;
    last: string | null;
  }>(
    `WITH page AS MATERIALIZED (
       SELECT id, occurred_at, control_plane FROM isochron.event WHERE ${conditions.join(" AND ")}
        ORDER BY occurred_at, id LIMIT ${eventsPerStep}
     ), concerned AS MATERIALIZED (
       SELECT control_plane, occurred_at, id FROM page
        WHERE NOT EXISTS (SELECT FROM isochron.storm_member WHERE fold_id = page.id)
       UNION ALL
       SELECT m.control_plane, m.occurred_at, m.id FROM page JOIN isochron.storm_member m ON ${members}
     ), pending AS (
       INSERT INTO isochron.pending_attribution (control_plane, entity_key, occurred_at, event_id)
       SELECT control_plane, ${key}, occurred_at, id FROM concerned ORDER BY control_plane, occurred_at, id
       ON CONFLICT DO NOTHING
     ), due AS (
       INSERT INTO isochron.reattribution_due AS due (control_plane, entity_key, since)
       SELECT control_plane, ${key}, min(occurred_at) FROM concerned GROUP BY control_plane ORDER BY control_plane
       ON CONFLICT (control_plane, entity_key) DO UPDATE
         SET since = least(due.since, excluded.since),
             after_id = CASE WHEN excluded.since <= due.since THEN '' ELSE due.after_id END,
             marked_xid = excluded.marked_xid
     )
     SELECT (SELECT count(*) FROM concerned) AS found, count(*) AS looked, max(occurred_at)::text AS at,
            (SELECT id FROM page ORDER BY occurred_at DESC, id DESC LIMIT 1) AS last FROM page`,
    parameters.values,
  );
  const { found = 0, looked = 0, at = null, last = null } = rows[0] ?? {};
  if (looked < eventsPerStep)
    await client.query("DELETE FROM isochron.ruling_search WHERE id = $1", [search.id]);
  else {
    await client.query(
      "UPDATE isochron.ruling_search SET after_at = $2::timestamptz, after_id = $3 WHERE id = $1",
      [search.id, at, last],
    );
  }
  return found > 0 ? "found" : "nothing";
}

/** A page of what the match may concern, oldest first; a fold's members come in its stead. */
export async function readMatched(
  client: pg.ClientBase,
  match: RulingMatch,
  limit: number,
  after: MatchPlace | undefined,
): Promise<MatchedPage> {
  if (after?.member !== undefined)
    return readMatchedMembers(client, match, limit, { ...after, member: after.member });
  const parameters = new Parameters();
  const conditions = conditionsOf(match, parameters);
  if (after !== undefined) {
    const at = parameters.add(iso(after.occurredAt), "timestamptz");
    conditions.push(`(occurred_at, id) > (${at}, ${parameters.add(after.id, "text")})`);
  }
  const { rows } = await client.query<EventRow & { recorded_at: number; folded: boolean }>(
    `SELECT ${eventSelect}, recorded_at,
            EXISTS (SELECT FROM isochron.storm_member WHERE fold_id = event.id) AS folded
       FROM isochron.event WHERE ${conditions.join(" AND ")} ORDER BY occurred_at, id LIMIT ${limit}`,
    parameters.values,
  );
  const fold = rows.findIndex(({ folded }) => folded);
  const events = (fold < 0 ? rows : rows.slice(0, fold)).map(toStoredEvent);
  const last = fold < 0 ? rows.at(-1) : rows[fold];
  if (last === undefined || (fold < 0 && rows.length < limit)) return { events };
  const place = { occurredAt: instant(last.occurred_at), id: last.id };
  return { events, next: fold < 0 ? place : { ...place, member: { ...place, id: "" } } };
}

async function readMatchedMembers(
  client: pg.ClientBase,
  match: RulingMatch,
  limit: number,
  after: Required<MatchPlace>,
): Promise<MatchedPage> {
  const parameters = new Parameters();
  const at = parameters.add(iso(after.member.occurredAt), "timestamptz");
  const conditions = [
    `m.fold_id = ${parameters.add(after.id, "text")}`,
    `(m.occurred_at, m.id) > (${at}, ${parameters.add(after.member.id, "text")})`,
    ...memberConditionsOf(match, parameters),
  ];
  const { rows } = await client.query<StormMemberRow & { recorded_at: number }>(
    `SELECT ${memberSelect}, recorded_at FROM isochron.storm_member AS m WHERE ${conditions.join(" AND ")}
      ORDER BY m.occurred_at, m.id LIMIT ${limit}`,
    parameters.values,
  );
  const last = rows.at(-1);
  const fold = { occurredAt: after.occurredAt, id: after.id };
  const next =
    last === undefined || rows.length < limit
      ? fold
      : { ...fold, member: { occurredAt: instant(last.occurred_at), id: last.id } };
  return { events: rows.map(toStoredMember), next };
}
