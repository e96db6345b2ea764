import type pg from "pg";
import { iso } from "./event-writes.ts";
import type { TombstoneReason, Tombstones } from "./retention-tombstones.ts";

/** An event to be taken away, with where its editions are. */
export interface RemovableEvent {
  readonly id: string;
  readonly occurred_at: number;
  readonly edition_keys: readonly string[];
  readonly edition_ids: readonly string[];
}

/** How much went with the events. */
export interface Removed {
  readonly members: number;
  readonly editions: number;
}

/** Deletes events with all that is known of them, and leaves a tombstone for each of them and of its deliveries. */
export async function removeEvents(
  client: pg.ClientBase,
  tombstones: Tombstones,
  events: readonly RemovableEvent[],
  reason: TombstoneReason,
): Promise<Removed> {
  if (events.length === 0) return { members: 0, editions: 0 };
  await hearOnly(client, reason);
  const folds = events.map(({ id }) => id);
  const members = await client.query<{ id: string; edition_keys: string[]; edition_ids: string[] }>(
    "SELECT id, edition_keys, edition_ids FROM isochron.storm_member WHERE fold_id = ANY($1::text[])",
    [folds],
  );
  const ids = [...folds, ...members.rows.map(({ id }) => id)];
  await bury(client, tombstones, ids, reason);
  await client.query(
    "DELETE FROM isochron.storm_member_edition WHERE (tenant_key, id) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
    [members.rows.flatMap((row) => row.edition_keys), members.rows.flatMap((row) => row.edition_ids)],
  );
  await client.query("DELETE FROM isochron.storm_member WHERE fold_id = ANY($1::text[])", [folds]);
  for (const table of ["event_revision", "attribution_revision", "delivery", "pending_attribution"])
    await client.query(`DELETE FROM isochron.${table} WHERE event_id = ANY($1::text[])`, [ids]);
  const editions = await deleteEditions(
    client,
    events.flatMap((event) => event.edition_keys.map((key, at) => placeOf(event, key, at))),
  );
  await client.query(
    "DELETE FROM isochron.event WHERE id = ANY($1::text[]) AND occurred_at = ANY($2::timestamptz[])",
    [folds, timesOf(events)],
  );
  await forgetRetractions(client, events, reason);
  return { members: members.rows.length, editions };
}

/** Takes some tenants' parts of events away, with their parts of a storm's members; the events stay. */
export async function removeParts(
  client: pg.ClientBase,
  tombstones: Tombstones,
  parts: readonly { readonly event: RemovableEvent; readonly editions: readonly number[] }[],
  reason: TombstoneReason,
): Promise<number> {
  if (parts.length === 0) return 0;
  await hearOnly(client, reason);
  const gone = parts.flatMap(({ event, editions }) =>
    editions.map((at) => ({ event: event.id, ...placeOf(event, event.edition_keys[at] ?? "", at) })),
  );
  await tombstones.write(
    client,
    gone.map(({ event, tenant_key }) => ["edition", tenant_key, event]),
    reason,
  );
  const removed = await deleteEditions(client, gone);
  const kept = parts.map(({ event, editions }) => ({
    id: event.id,
    occurred_at: iso(event.occurred_at),
    edition_keys: event.edition_keys.filter((_, at) => !editions.includes(at)),
    edition_ids: event.edition_ids.filter((_, at) => !editions.includes(at)),
  }));
  await client.query(
    `UPDATE isochron.event AS stored SET edition_keys = given.edition_keys, edition_ids = given.edition_ids
       FROM jsonb_to_recordset($1::jsonb) AS given (id text, occurred_at timestamptz, edition_keys text[], edition_ids text[])
      WHERE stored.id = given.id AND stored.occurred_at = given.occurred_at`,
    [JSON.stringify(kept)],
  );
  await removeMemberParts(client, tombstones, gone, reason);
  if (reason === "expired") await forgetEditionRetractions(client, gone);
  return removed;
}

interface EditionPlace {
  readonly tenant_key: string;
  readonly id: string;
  readonly occurred_at: string;
}

function placeOf(event: RemovableEvent, key: string, at: number): EditionPlace {
  return { tenant_key: key, id: event.edition_ids[at] ?? "", occurred_at: iso(event.occurred_at) };
}

async function removeMemberParts(
  client: pg.ClientBase,
  tombstones: Tombstones,
  gone: readonly { readonly event: string; readonly tenant_key: string; readonly id: string }[],
  reason: TombstoneReason,
): Promise<void> {
  const { rows } = await client.query<{ id: string; fold_id: string; keys: string[]; ids: string[] }>(
    `SELECT id, fold_id, edition_keys AS keys, edition_ids AS ids FROM isochron.storm_member
      WHERE fold_id = ANY($1::text[]) AND edition_keys && $2::text[]`,
    [gone.map(({ event }) => event), gone.map((one) => one.tenant_key)],
  );
  if (rows.length === 0) return;
  const lost = new Set(gone.map(({ event, tenant_key }) => `${event}\n${tenant_key}`));
  const isLost = (fold: string, key: string): boolean => lost.has(`${fold}\n${key}`);
  await tombstones.write(
    client,
    rows.flatMap((row) =>
      row.keys.filter((key) => isLost(row.fold_id, key)).map((key) => ["edition", key, row.id] as const),
    ),
    reason,
  );
  await client.query(
    "DELETE FROM isochron.storm_member_edition WHERE (tenant_key, event_id) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
    [gone.map((one) => one.tenant_key), gone.map(({ id }) => id)],
  );
  const kept = rows.map((row) => {
    const stays = row.keys.map((key) => !isLost(row.fold_id, key));
    return {
      id: row.id,
      keys: row.keys.filter((_, at) => stays[at]),
      ids: row.ids.filter((_, at) => stays[at]),
    };
  });
  await client.query(
    `UPDATE isochron.storm_member AS stored SET edition_keys = given.keys, edition_ids = given.ids
       FROM jsonb_to_recordset($1::jsonb) AS given (id text, keys text[], ids text[]) WHERE stored.id = given.id`,
    [JSON.stringify(kept)],
  );
}

/** A tombstone for each event and each of its deliveries. */
export async function bury(
  client: pg.ClientBase,
  tombstones: Tombstones,
  ids: readonly string[],
  reason: TombstoneReason,
): Promise<void> {
  const { rows } = await client.query<{ connection: string; source_id: string; key: string }>(
    "SELECT connection, source_id, key FROM isochron.delivery WHERE event_id = ANY($1::text[])",
    [ids],
  );
  await tombstones.write(
    client,
    [
      ...ids.map((id) => ["event", id] as const),
      ...rows.map((row) => ["delivery", row.connection, row.source_id, row.key] as const),
    ],
    reason,
  );
}

async function deleteEditions(client: pg.ClientBase, places: readonly EditionPlace[]): Promise<number> {
  if (places.length === 0) return 0;
  const { rowCount } = await client.query(
    `DELETE FROM isochron.tenant_event AS stored
      USING jsonb_to_recordset($1::jsonb) AS given (tenant_key text, id text, occurred_at timestamptz)
      WHERE stored.tenant_key = given.tenant_key AND stored.id = given.id AND stored.occurred_at = given.occurred_at`,
    [JSON.stringify(places)],
  );
  return rowCount ?? 0;
}

/** What has grown old is no news for open streams, and must leave no trace in them either. */
async function hearOnly(client: pg.ClientBase, reason: TombstoneReason): Promise<void> {
  await client.query("SELECT set_config('isochron.expiring', $1, true)", [reason === "expired" ? "on" : ""]);
}

async function forgetRetractions(
  client: pg.ClientBase,
  events: readonly RemovableEvent[],
  reason: TombstoneReason,
): Promise<void> {
  if (reason !== "expired") return;
  await client.query(
    "DELETE FROM isochron.retraction WHERE occurred_at = ANY($1::timestamptz[]) AND id = ANY($2::text[])",
    [timesOf(events), events.flatMap(({ id, edition_ids }) => [id, ...edition_ids])],
  );
}

async function forgetEditionRetractions(client: pg.ClientBase, gone: readonly EditionPlace[]): Promise<void> {
  await client.query(
    "DELETE FROM isochron.retraction WHERE occurred_at = ANY($1::timestamptz[]) AND id = ANY($2::text[]) AND tenant_key = ANY($3::text[])",
    [gone.map((one) => one.occurred_at), gone.map(({ id }) => id), gone.map((one) => one.tenant_key)],
  );
}

function timesOf(events: readonly RemovableEvent[]): readonly string[] {
  return [...new Set(events.map((event) => iso(event.occurred_at)))];
}
