import type pg from "pg";
import type { AffectedTenant, Attribution } from "../../model/event.ts";
import { compareText } from "./canonical.ts";
import type { EditionRow, EventRow } from "./event-row.ts";
import { insertEvents, iso, loadEditions, loadEvents, writeEditions } from "./event-writes.ts";
import {
  foldAttribution,
  sampleOf,
  sampleOfEdition,
  stormMinute,
  toFoldEdition,
  toFoldRow,
  type StormEditionRow,
  type StormMember,
  type StormMemberRow,
} from "./storm-fold.ts";
import { addMembers, readStormDetails } from "./storm-state.ts";

export const memberSelect = `id, fold_id, connection, source, control_plane, stream, key, occurred_at, subject_key,
  draft, attribution, edition_keys, edition_ids`;

/** A fold, or what one tenant sees of it, by its two keys. */
interface Seen {
  readonly tenant_key: string;
  readonly event_id: string;
}

/**
 * Adds members to their folds and makes the folds that are not there yet; each fold that has grown is shown to followers
 * once. Only under the connection's lock, without which two pages could both read the same count.
 */
export async function writeStormMembers(
  client: pg.ClientBase,
  members: readonly StormMember[],
): Promise<void> {
  if (members.length === 0) return;
  const newSubjects = await countNewSubjects(client, members);
  const newShown = await countNewShown(client, members);
  await insertMembers(client, members);
  await growFolds(client, members, newSubjects);
  await growEditions(client, members, newShown);
}

/**
 * By columns and with the drafts as text: a storm is what this has to be cheap for, and to take each draft apart would
 * cost more than all the rest of a row.
 */
export async function insertMembers(client: pg.ClientBase, members: readonly StormMember[]): Promise<void> {
  const rows = members.map(({ row }) => row);
  await client.query(
    `INSERT INTO isochron.storm_member (${memberSelect})
     SELECT id, fold_id, connection, source, control_plane, stream, key, at::timestamptz, subject_key, draft::json,
            attribution::json, keys::text[], ids::text[]
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                   $9::text[], $10::text[], $11::text[], $12::text[], $13::text[])
         AS given (id, fold_id, connection, source, control_plane, stream, key, at, subject_key, draft, attribution,
                   keys, ids)`,
    [
      rows.map(({ id }) => id),
      rows.map((row) => row.fold_id),
      rows.map(({ connection }) => connection),
      rows.map(({ source }) => source),
      rows.map((row) => row.control_plane),
      rows.map(({ stream }) => stream),
      rows.map(({ key }) => key),
      rows.map((row) => iso(row.occurred_at)),
      rows.map((row) => row.subject_key),
      rows.map(({ draft }) => JSON.stringify(draft)),
      rows.map(({ attribution }) => JSON.stringify(attribution)),
      rows.map((row) => spellArray(row.edition_keys)),
      rows.map((row) => spellArray(row.edition_ids)),
    ],
  );
  await insertMemberEditions(client, members);
}

/** As PostgreSQL reads an array from text. */
function spellArray(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, "\\$&")}"`).join(",")}}`;
}

export async function insertMemberEditions(
  client: pg.ClientBase,
  members: readonly StormMember[],
): Promise<void> {
  const editions = members.flatMap((member) => member.editions);
  if (editions.length === 0) return;
  await client.query(
    `INSERT INTO isochron.storm_member_edition
       (tenant_key, domain_key, id, event_id, occurred_at, visibility, subject_key, edition)
     SELECT tenant_key, domain_key, id, event_id, at::timestamptz, visibility, subject_key, edition::json
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
         AS given (tenant_key, domain_key, id, event_id, at, visibility, subject_key, edition)`,
    [
      editions.map((edition) => edition.tenant_key),
      editions.map((edition) => edition.domain_key),
      editions.map(({ id }) => id),
      editions.map((edition) => edition.event_id),
      editions.map((edition) => iso(edition.occurred_at)),
      editions.map(({ visibility }) => visibility),
      editions.map((edition) => edition.subject_key),
      editions.map(({ edition }) => JSON.stringify(edition)),
    ],
  );
}

/**
 * By fold: how many of these members' subjects it does not know yet. With LIMIT each is looked up by the index; an
 * anti-join would read the whole table once it has grown.
 */
async function countNewSubjects(
  client: pg.ClientBase,
  members: readonly StormMember[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await client.query<{ fold_id: string; count: number }>(
    `SELECT fold_id, count(*) AS count
       FROM (SELECT DISTINCT fold_id, subject_key FROM unnest($1::text[], $2::text[]) AS g (fold_id, subject_key)) AS given
      WHERE (SELECT true FROM isochron.storm_member m
              WHERE m.subject_key = given.subject_key AND m.fold_id = given.fold_id LIMIT 1) IS NULL
      GROUP BY fold_id`,
    [members.map(({ row }) => row.fold_id), members.map(({ row }) => row.subject_key)],
  );
  return new Map(rows.map((row) => [row.fold_id, row.count]));
}

/** The same by tenant and fold, of the subjects that the tenants are shown. */
async function countNewShown(
  client: pg.ClientBase,
  members: readonly StormMember[],
): Promise<ReadonlyMap<string, number>> {
  const editions = members.flatMap((member) => member.editions);
  if (editions.length === 0) return new Map();
  const { rows } = await client.query<Seen & { count: number }>(
    `SELECT tenant_key, event_id, count(*) AS count
       FROM (SELECT DISTINCT tenant_key, event_id, subject_key
               FROM unnest($1::text[], $2::text[], $3::text[]) AS g (tenant_key, event_id, subject_key)) AS given
      WHERE (SELECT true FROM isochron.storm_member_edition e
              WHERE e.tenant_key = given.tenant_key AND e.subject_key = given.subject_key
                AND e.event_id = given.event_id LIMIT 1) IS NULL
      GROUP BY tenant_key, event_id`,
    [
      editions.map((edition) => edition.tenant_key),
      editions.map((edition) => edition.event_id),
      editions.map((edition) => edition.subject_key),
    ],
  );
  return new Map(rows.map((row) => [spell(row), row.count]));
}

async function growFolds(
  client: pg.ClientBase,
  members: readonly StormMember[],
  newSubjects: ReadonlyMap<string, number>,
): Promise<void> {
  const groups = Map.groupBy(members, ({ row }) => row.fold_id);
  const places = [...groups.values()].map(([member]) => ({
    id: member!.row.fold_id,
    occurredAt: stormMinute(member!.row.occurred_at),
  }));
  const standing = new Map((await loadEvents(client, places)).map((row) => [row.id, row]));
  const fresh: EventRow[] = [];
  const grown: EventRow[] = [];
  for (const [id, group] of groups) {
    const before = standing.get(id);
    const row = growFold(group, before, newSubjects.get(id) ?? 0);
    (before === undefined ? fresh : grown).push(row);
  }
  await insertEvents(client, fresh.sort(byId));
  await showFolds(client, grown.sort(byId));
}

function growFold(
  members: readonly StormMember[],
  before: EventRow | undefined,
  newSubjects: number,
): EventRow {
  const state = addMembers(
    before === undefined ? undefined : readStormDetails(before.details),
    members.map(({ row }) => sampleOf(row)),
    newSubjects,
  );
  const first = members.find(({ row }) => row.id === state.samples[0]?.id);
  const earliest = first?.row.attribution ?? before!.attribution;
  const affected = [...members.map(({ row }) => row.attribution), ...(before ? [before.attribution] : [])];
  const editions = new Map(before?.edition_keys.map((key, index) => [key, before.edition_ids[index] ?? ""]));
  for (const edition of members.flatMap((member) => member.editions)) {
    editions.set(edition.tenant_key, edition.event_id);
  }
  return toFoldRow(
    members[0]!.row,
    foldAttribution(earliest, affected.map(affectedOf)),
    state,
    [...editions].map(([key, id]) => ({ key, id })),
  );
}

function affectedOf(attribution: Attribution): readonly AffectedTenant[] {
  return attribution.status === "shared" ? attribution.affected : [];
}

/** Writes what changes of a fold while it grows or shrinks, and shows it to followers again. */
export async function showFolds(client: pg.ClientBase, rows: readonly EventRow[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query(
    `UPDATE isochron.event AS stored
        SET subject_kind = given.subject_kind, subject_id = given.subject_id, subject_name = given.subject_name,
            related = given.related, mentions = given.mentions, summary = given.summary, details = given.details,
            attribution = given.attribution, edition_keys = given.edition_keys, edition_ids = given.edition_ids,
            unproven = given.unproven, search = given.search, feed_xid = pg_current_xact_id()
       FROM jsonb_to_recordset($1::jsonb)
         AS given (id text, occurred_at timestamptz, subject_kind text, subject_id text, subject_name text, related jsonb,
                   mentions text[], summary text, details jsonb, attribution jsonb, edition_keys text[],
                   edition_ids text[], unproven text, search text)
      WHERE stored.id = given.id AND stored.occurred_at = given.occurred_at`,
    [JSON.stringify(rows.map((row) => ({ ...row, occurred_at: iso(row.occurred_at) })))],
  );
}

async function growEditions(
  client: pg.ClientBase,
  members: readonly StormMember[],
  newShown: ReadonlyMap<string, number>,
): Promise<void> {
  const groups = Map.groupBy(
    members.flatMap((member) => member.editions),
    spell,
  );
  if (groups.size === 0) return;
  const standing = await loadFoldEditions(
    client,
    [...groups.values()].map(([edition]) => edition!),
  );
  const rows = [...groups].map(([seen, editions]) => {
    const before = standing.get(seen);
    const state = addMembers(
      before === undefined ? undefined : readStormDetails(before.details),
      editions.map(sampleOfEdition),
      newShown.get(seen) ?? 0,
    );
    const first = editions.find(({ id }) => id === state.samples[0]?.id);
    return toFoldEdition(first ?? editions[0]!, state);
  });
  await writeEditions(client, rows);
}

async function loadFoldEditions(
  client: pg.ClientBase,
  editions: readonly StormEditionRow[],
): Promise<ReadonlyMap<string, EditionRow>> {
  const rows = await loadEditions(
    client,
    editions.map(({ tenant_key, event_id, occurred_at }) => ({
      tenant_key,
      id: event_id,
      occurred_at: stormMinute(occurred_at),
    })),
  );
  return new Map(rows.map((row) => [spell({ tenant_key: row.tenant_key, event_id: row.id }), row]));
}

export function spell({ tenant_key, event_id }: Seen): string {
  return `${tenant_key}\n${event_id}`;
}

export function byId(a: { readonly id: string }, b: { readonly id: string }): number {
  return compareText(a.id, b.id);
}

/** The members with these ids. */
export async function loadMembers(
  client: pg.ClientBase,
  ids: readonly string[],
): Promise<readonly (StormMemberRow & { recorded_at: number })[]> {
  if (ids.length === 0) return [];
  const { rows } = await client.query<StormMemberRow & { recorded_at: number }>(
    `SELECT ${memberSelect}, recorded_at FROM isochron.storm_member WHERE id = ANY($1::text[]) ORDER BY occurred_at, id`,
    [ids],
  );
  return rows;
}
