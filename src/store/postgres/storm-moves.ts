import type pg from "pg";
import type { AffectedTenant } from "../../model/event.ts";
import type { Reattribution } from "../event-store.ts";
import { canonical, compareText } from "./canonical.ts";
import type { EventRow } from "./event-row.ts";
import { insertEvents, iso, loadEvents, textNames, writeEditions } from "./event-writes.ts";
import {
  foldAttribution,
  sampleOf,
  sampleOfEdition,
  stormMinute,
  toFoldEdition,
  toFoldRow,
  toStormMember,
  type StormEditionRow,
  type StormMember,
  type StormMemberRow,
} from "./storm-fold.ts";
import { kindsMax, samplesMax, type StormSample, type StormState } from "./storm-state.ts";
import { byId, insertMemberEditions, memberSelect, showFolds, spell } from "./storm-writes.ts";

/**
 * Locks the connections whose folds these answers can change, as a page does before anything else: counts then change
 * one after the other.
 */
export async function holdStorms(client: pg.ClientBase, answers: readonly Reattribution[]): Promise<void> {
  if (answers.length === 0) return;
  await client.query(
    `SELECT FROM isochron.connection
      WHERE name IN (SELECT connection FROM isochron.storm_member WHERE id = ANY($1::text[])) ORDER BY name FOR UPDATE`,
    [answers.map(({ eventId }) => eventId)],
  );
}

/** Moves members whose owner is another now to that owner's fold, and counts both folds again. Gives how many moved or changed. */
export async function moveMembers(
  client: pg.ClientBase,
  secret: Uint8Array,
  members: readonly StormMemberRow[],
  answers: ReadonlyMap<string, Reattribution>,
): Promise<number> {
  const names = new Map<string, string>();
  const answered = members.flatMap((row) => {
    const answer = answers.get(row.id);
    if (answer === undefined) return [];
    const place = { ...row, controlPlane: row.control_plane };
    return [{ before: row, after: toStormMember(secret, place, { ...answer, draft: row.draft }, names) }];
  });
  const moves = answered.filter(
    ({ before, after }) => canonical(before.attribution) !== canonical(after.row.attribution),
  );
  const moved = new Set(moves);
  const renewed = await renewMemberEditions(
    client,
    answered.filter((one) => !moved.has(one)).map(({ after }) => after),
  );
  if (moves.length === 0) return renewed;
  await keepMemberAttributions(
    client,
    moves.map(({ before }) => before),
  );
  await removeMemberEditions(
    client,
    moves.map(({ before }) => before),
  );
  await updateMembers(
    client,
    moves.map(({ after }) => after),
  );
  await insertMemberEditions(
    client,
    moves.map(({ after }) => after),
  );
  const touched = new Map(
    moves.flatMap(({ before, after }) =>
      [before.fold_id, after.row.fold_id].map((id) => [id, stormMinute(before.occurred_at)] as const),
    ),
  );
  await recountFolds(
    client,
    touched,
    moves.map(({ after }) => after),
  );
  return moves.length + renewed;
}

/**
 * Writes members' editions anew that show something else though the answer is the same, and gives how many. A fold shows
 * what its first members call their subjects, so it is made again; of what stands beside a subject it tells nothing.
 */
async function renewMemberEditions(client: pg.ClientBase, members: readonly StormMember[]): Promise<number> {
  const editions = members.flatMap((member) => member.editions);
  if (editions.length === 0) return 0;
  const { rows } = await client.query<{ tenant_key: string; id: string; notice: boolean }>(
    `UPDATE isochron.storm_member_edition AS stored SET edition = given.edition::json
       FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[]) AS given (tenant_key, id, edition, notice)
      WHERE stored.tenant_key = given.tenant_key AND stored.id = given.id
        AND stored.edition::jsonb - CASE WHEN notice THEN $5::text[] ELSE '{}' END
         <> given.edition::jsonb - CASE WHEN notice THEN $5::text[] ELSE '{}' END
     RETURNING stored.tenant_key, stored.id, notice`,
    [
      editions.map((row) => row.tenant_key),
      editions.map(({ id }) => id),
      editions.map(({ edition }) => JSON.stringify(edition)),
      editions.map(({ edition }) => edition.notice),
      textNames,
    ],
  );
  const named = new Set(
    rows.filter(({ notice }) => notice).map(({ tenant_key, id }) => `${tenant_key}\n${id}`),
  );
  const touched = new Map(
    members
      .filter((member) => member.editions.some((row) => named.has(`${row.tenant_key}\n${row.id}`)))
      .map(({ row }) => [row.fold_id, stormMinute(row.occurred_at)]),
  );
  const standing = await loadEvents(
    client,
    [...touched].map(([id, occurredAt]) => ({ id, occurredAt })),
  );
  await recountEditions(client, touched, standing, []);
  return rows.length;
}

async function keepMemberAttributions(client: pg.ClientBase, rows: readonly StormMemberRow[]): Promise<void> {
  await client.query(
    `INSERT INTO isochron.attribution_revision (event_id, occurred_at, recorded_at, attribution)
     SELECT id, occurred_at, attributed_at, attribution::jsonb FROM isochron.storm_member WHERE id = ANY($1::text[])
      ORDER BY id
     ON CONFLICT DO NOTHING`,
    [rows.map(({ id }) => id)],
  );
}

async function removeMemberEditions(client: pg.ClientBase, rows: readonly StormMemberRow[]): Promise<void> {
  await client.query(
    `DELETE FROM isochron.storm_member_edition
      WHERE (tenant_key, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))`,
    [rows.flatMap((row) => row.edition_keys), rows.flatMap((row) => row.edition_ids)],
  );
}

async function updateMembers(client: pg.ClientBase, members: readonly StormMember[]): Promise<void> {
  await client.query(
    `UPDATE isochron.storm_member AS stored
        SET fold_id = given.fold_id, attribution = given.attribution, edition_keys = given.edition_keys,
            edition_ids = given.edition_ids, attributed_at = now()
       FROM jsonb_to_recordset($1::jsonb)
         AS given (id text, fold_id text, attribution json, edition_keys text[], edition_ids text[])
      WHERE stored.id = given.id`,
    [JSON.stringify(members.map(({ row }) => row))],
  );
}

/** Makes these folds anew from the members that they have now; one without any is no event any more. */
async function recountFolds(
  client: pg.ClientBase,
  touched: ReadonlyMap<string, number>,
  arrived: readonly StormMember[],
): Promise<void> {
  const ids = [...touched.keys()];
  const standing = await loadEvents(
    client,
    [...touched].map(([id, occurredAt]) => ({ id, occurredAt })),
  );
  const editions = await recountEditions(client, touched, standing, arrived);
  const states = await countMembers(client, ids);
  const samples = await sampleMembers(client, ids);
  const affected = await listAffected(client, ids);
  const stands = new Set(standing.map(({ id }) => id));
  const rows = ids.flatMap((id) => {
    const state = states.get(id);
    const sampled = samples.get(id) ?? [];
    const [earliest] = sampled;
    if (state === undefined || earliest === undefined) return [];
    const attribution = foldAttribution(earliest.attribution, [affected.get(id) ?? []]);
    const whole = { ...state, samples: sampled.map(sampleOf) };
    return [toFoldRow(earliest, attribution, whole, editions.get(id) ?? [])];
  });
  const kept = new Set(rows.map(({ id }) => id));
  await client.query(
    "DELETE FROM isochron.event WHERE id = ANY($1::text[]) AND occurred_at = ANY($2::timestamptz[])",
    [ids.filter((id) => !kept.has(id)), [...new Set(touched.values())].map(iso)],
  );
  await insertEvents(client, rows.filter(({ id }) => !stands.has(id)).sort(byId));
  await showFolds(client, rows.filter(({ id }) => stands.has(id)).sort(byId));
}

type Counted = Omit<StormState, "samples">;

interface CountRow {
  readonly count: number;
  readonly first_at: number;
  readonly last_at: number;
  readonly subjects: number;
  readonly kinds: readonly string[];
}

const counts = `count(*) AS count, min(m.occurred_at) AS first_at, max(m.occurred_at) AS last_at,
  count(DISTINCT m.subject_key) AS subjects, array_agg(DISTINCT split_part(m.subject_key, ':', 1)) AS kinds`;

function toCounted(row: CountRow): Counted {
  return {
    count: row.count,
    firstAt: row.first_at,
    lastAt: row.last_at,
    subjects: row.subjects,
    kinds: row.kinds.toSorted(compareText).slice(0, kindsMax),
  };
}

async function countMembers(
  client: pg.ClientBase,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Counted>> {
  const { rows } = await client.query<CountRow & { fold_id: string }>(
    `SELECT m.fold_id, ${counts} FROM isochron.storm_member m WHERE m.fold_id = ANY($1::text[]) GROUP BY m.fold_id`,
    [ids],
  );
  return new Map(rows.map((row) => [row.fold_id, toCounted(row)]));
}

async function sampleMembers(
  client: pg.ClientBase,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly StormMemberRow[]>> {
  const { rows } = await client.query<StormMemberRow>(
    `SELECT m.* FROM unnest($1::text[]) AS fold CROSS JOIN LATERAL (
       SELECT ${memberSelect} FROM isochron.storm_member WHERE fold_id = fold
        ORDER BY occurred_at, id LIMIT ${samplesMax}) AS m
      ORDER BY m.occurred_at, m.id`,
    [ids],
  );
  return Map.groupBy(rows, (row) => row.fold_id);
}

async function listAffected(
  client: pg.ClientBase,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly AffectedTenant[]>> {
  const { rows } = await client.query<{ fold_id: string; affected: AffectedTenant }>(
    `SELECT DISTINCT m.fold_id, affected
       FROM isochron.storm_member m, jsonb_array_elements(m.attribution::jsonb -> 'affected') AS affected
      WHERE m.fold_id = ANY($1::text[]) AND m.attribution ->> 'status' = 'shared'`,
    [ids],
  );
  const groups = Map.groupBy(rows, (row) => row.fold_id);
  return new Map([...groups].map(([id, group]) => [id, group.map((row) => row.affected)]));
}

/** Makes what each tenant sees of the folds anew, and gives by fold which of them there are. */
async function recountEditions(
  client: pg.ClientBase,
  touched: ReadonlyMap<string, number>,
  standing: readonly EventRow[],
  arrived: readonly StormMember[],
): Promise<ReadonlyMap<string, readonly { key: string; id: string }[]>> {
  const foldOf = new Map<string, { fold: string; key: string; id: string }>();
  const note = (fold: string, key: string, id: string): void =>
    void foldOf.set(spell({ tenant_key: key, event_id: id }), { fold, key, id });
  for (const row of standing)
    row.edition_keys.forEach((key, at) => note(row.id, key, row.edition_ids[at] ?? ""));
  for (const { row, editions } of arrived) {
    for (const edition of editions) note(row.fold_id, edition.tenant_key, edition.event_id);
  }
  if (foldOf.size === 0) return new Map();
  const seen = [...foldOf.values()];
  const pairs = [seen.map(({ key }) => key), seen.map(({ id }) => id)];
  const counted = await client.query<CountRow & { tenant_key: string; event_id: string }>(
    `SELECT tenant_key, event_id, ${counts}
       FROM unnest($1::text[], $2::text[]) AS given (tenant_key, event_id)
       JOIN isochron.storm_member_edition m USING (tenant_key, event_id) GROUP BY tenant_key, event_id`,
    pairs,
  );
  const samples = await sampleEditions(client, pairs);
  const kept = new Set(counted.rows.map(spell));
  const gone = seen.filter(({ key, id }) => !kept.has(spell({ tenant_key: key, event_id: id })));
  await removeFoldEditions(client, gone, [...new Set(touched.values())]);
  const rows = counted.rows.map((row) => {
    const sampled = samples.get(spell(row)) ?? [];
    const state: StormState = {
      ...toCounted(row),
      samples: sampled.map((edition): StormSample => sampleOfEdition(edition)),
    };
    return toFoldEdition(sampled[0]!, state);
  });
  await writeEditions(client, rows);
  return Map.groupBy(
    counted.rows.map((row) => foldOf.get(spell(row))!),
    ({ fold }) => fold,
  );
}

async function sampleEditions(
  client: pg.ClientBase,
  pairs: readonly (readonly string[])[],
): Promise<ReadonlyMap<string, readonly StormEditionRow[]>> {
  const { rows } = await client.query<StormEditionRow>(
    `SELECT m.* FROM unnest($1::text[], $2::text[]) AS given (tenant_key, event_id) CROSS JOIN LATERAL (
       SELECT e.tenant_key, e.domain_key, e.id, e.event_id, e.occurred_at, e.visibility, e.subject_key, e.edition
         FROM isochron.storm_member_edition e
        WHERE e.tenant_key = given.tenant_key AND e.event_id = given.event_id
        ORDER BY e.occurred_at, e.id LIMIT ${samplesMax}) AS m
      ORDER BY m.occurred_at, m.id`,
    [...pairs],
  );
  return Map.groupBy(rows, spell);
}

async function removeFoldEditions(
  client: pg.ClientBase,
  gone: readonly { readonly key: string; readonly id: string }[],
  minutes: readonly number[],
): Promise<void> {
  if (gone.length === 0) return;
  await client.query(
    `DELETE FROM isochron.tenant_event
      WHERE (tenant_key, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))
        AND occurred_at = ANY($3::timestamptz[])`,
    [gone.map(({ key }) => key), gone.map(({ id }) => id), minutes.map(iso)],
  );
}
