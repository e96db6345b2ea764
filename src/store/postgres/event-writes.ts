import type pg from "pg";
import { toEditionRows, type EditionRow, type EventRow } from "./event-row.ts";
import type { DeliveryRow, PlannedEvent, RevisionRow } from "./append-plan.ts";
import { compareText } from "./canonical.ts";

/** The columns of `event` as jsonb_to_recordset takes them; times travel as RFC 3339. */
const eventColumns = `id text, connection text, source text, control_plane text, stream text, key text,
  source_ids text[], occurred_at timestamptz, precision_ms bigint, type text, kind text, category text,
  phase text, severity smallint, visibility text, subject_kind text, subject_id text, subject_name text,
  related jsonb, mentions text[], actor jsonb, operation jsonb, summary text, details jsonb, changes jsonb,
  platform boolean, stated jsonb, attribution_status text, owner_domain_id text, owner_project_id text,
  attribution jsonb, edition_keys text[], edition_ids text[], unproven text, search text`;
const eventNames = namesOf(eventColumns);

const editionColumns = `tenant_key text, id text, occurred_at timestamptz, precision_ms bigint, type text,
  kind text, category text, phase text, severity smallint, visibility text, subject_kind text,
  subject_id text, subject_name text, related jsonb, mentions text[], operation jsonb, domain_id text,
  project_id text, domain_key text, notice boolean, because text, summary text, details jsonb, search text`;
const editionNames = namesOf(editionColumns);

export const eventSelect = eventNames;
export const editionSelect = editionNames;

function namesOf(columns: string): string {
  return columns
    .split(",")
    .map((column) => column.trim().split(" ")[0])
    .join(", ");
}

/** RFC 3339; throws RangeError for what is no time, which counts as the record's fault. */
export function iso(ms: number): string {
  return new Date(ms).toISOString();
}

export async function loadEvents(
  client: pg.ClientBase,
  places: readonly { id: string; occurredAt: number }[],
): Promise<(EventRow & { recorded_at: number })[]> {
  const { rows } = await client.query<EventRow & { recorded_at: number }>(
    `SELECT ${eventNames}, recorded_at FROM isochron.event
      WHERE id = ANY($1::text[]) AND occurred_at = ANY($2::timestamptz[])
      ORDER BY occurred_at, id`,
    [places.map(({ id }) => id), [...new Set(places.map(({ occurredAt }) => iso(occurredAt)))]],
  );
  return rows;
}

/** Writes the planned events and their editions, sorted, so that concurrent pages never wait in a circle. */
export async function writeEvents(
  client: pg.ClientBase,
  secret: Uint8Array,
  events: Iterable<PlannedEvent>,
): Promise<void> {
  const sorted = [...events].sort((a, b) => compareText(a.row.id, b.row.id));
  const changed = sorted.filter(({ fresh }) => !fresh);
  const replaced = changed.filter(({ reattributed }) => reattributed).map(({ row }) => ({ ...row }));
  if (replaced.length > 0) await keepAttributions(client, replaced);
  const editions: EditionRow[] = [];
  for (const planned of sorted) {
    if (!planned.fresh && !planned.reattributed) continue;
    editions.push(...setEditions(secret, planned.row, planned.editions));
  }
  await insertEvents(
    client,
    sorted.filter(({ fresh }) => fresh).map(({ row }) => row),
  );
  await updateEvents(
    client,
    changed.filter(({ reattributed }) => !reattributed).map(({ row }) => row),
    false,
  );
  await updateEvents(
    client,
    changed.filter(({ reattributed }) => reattributed).map(({ row }) => row),
    true,
  );
  await removeEditions(client, replaced, editions);
  await writeEditions(client, editions);
}

/** Notes on the event's row where its editions are, and gives their rows. */
export function setEditions(
  secret: Uint8Array,
  row: EventRow,
  editions: PlannedEvent["editions"],
): readonly EditionRow[] {
  const rows = toEditionRows(secret, row, editions);
  row.edition_keys = rows.map(({ tenant_key }) => tenant_key);
  row.edition_ids = rows.map(({ id }) => id);
  return rows;
}

export async function insertEvents(client: pg.ClientBase, rows: readonly EventRow[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query(
    `INSERT INTO isochron.event (${eventNames})
     SELECT ${eventNames} FROM jsonb_to_recordset($1::jsonb) AS given (${eventColumns})
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(rows.map(withIsoTime))],
  );
}

/** `reattributed` shows the event to followers again, its answer being new. */
export async function updateEvents(
  client: pg.ClientBase,
  rows: readonly EventRow[],
  reattributed: boolean,
): Promise<void> {
  if (rows.length === 0) return;
  const fixed = new Set(["id", "occurred_at"]);
  const set = eventNames
    .split(", ")
    .filter((name) => !fixed.has(name))
    .map((name) => `${name} = given.${name}`);
  if (reattributed) set.push("feed_xid = pg_current_xact_id()", "attributed_at = now()");
  await client.query(
    `UPDATE isochron.event AS stored SET ${set.join(", ")}
       FROM jsonb_to_recordset($1::jsonb) AS given (${eventColumns})
      WHERE stored.id = given.id AND stored.occurred_at = given.occurred_at`,
    [JSON.stringify(rows.map(withIsoTime))],
  );
}

/** Keeps what is stored as these events' attributions, before it is replaced. */
export async function keepAttributions(client: pg.ClientBase, rows: readonly EventRow[]): Promise<void> {
  await client.query(
    `INSERT INTO isochron.attribution_revision (event_id, occurred_at, recorded_at, attribution)
     SELECT e.id, e.occurred_at, e.attributed_at, e.attribution
       FROM isochron.event e
      WHERE e.id = ANY($1::text[]) AND e.occurred_at = ANY($2::timestamptz[])
      ORDER BY e.id
     ON CONFLICT DO NOTHING`,
    placesOf(rows),
  );
}

/** What the provider's texts make of a notice; a notice that is the same otherwise keeps the text that it was made with. */
export const textNames: readonly string[] = ["because", "summary", "search"];

/**
 * Writes editions over those that stand. Followers who read the feed see again what has changed, and only that: a
 * notice told anew because a neighbour was found would tell of the neighbour.
 */
export async function writeEditions(client: pg.ClientBase, rows: readonly EditionRow[]): Promise<void> {
  if (rows.length === 0) return;
  const fixed = new Set(["tenant_key", "id", "occurred_at"]);
  const free = editionNames.split(", ").filter((name) => !fixed.has(name));
  const set = free.map((name) => `${name} = excluded.${name}`);
  const differs = (names: readonly string[]): string =>
    `(${names.map((name) => `stored.${name}`).join(", ")}) IS DISTINCT FROM (${names.map((name) => `excluded.${name}`).join(", ")})`;
  await client.query(
    `INSERT INTO isochron.tenant_event AS stored (${editionNames})
     SELECT ${editionNames} FROM jsonb_to_recordset($1::jsonb) AS given (${editionColumns})
      ORDER BY tenant_key, id
     ON CONFLICT (tenant_key, id, occurred_at)
     DO UPDATE SET ${set.join(", ")}, feed_xid = excluded.feed_xid
      WHERE ${differs(free.filter((name) => !textNames.includes(name)))}
         OR (NOT stored.notice AND ${differs(textNames)})`,
    [JSON.stringify(rows.map(withIsoTime))],
  );
}

/** The editions that stand in the places of these. */
export async function loadEditions(
  client: pg.ClientBase,
  places: readonly Pick<EditionRow, "tenant_key" | "id" | "occurred_at">[],
): Promise<readonly EditionRow[]> {
  const { rows } = await client.query<EditionRow>(
    `SELECT ${editionSelect} FROM isochron.tenant_event
      WHERE (tenant_key, id, occurred_at) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[]))`,
    [
      places.map((place) => place.tenant_key),
      places.map(({ id }) => id),
      places.map((place) => iso(place.occurred_at)),
    ],
  );
  return rows;
}

/** Takes away the editions that stand for these events and are not in `kept`. */
export async function removeEditions(
  client: pg.ClientBase,
  standing: readonly EventRow[],
  kept: readonly EditionRow[],
): Promise<void> {
  const stay = new Set(kept.map(({ tenant_key, id }) => `${tenant_key}\n${id}`));
  const gone = standing.flatMap((row) =>
    row.edition_keys.flatMap((key, index) => {
      const id = row.edition_ids[index] ?? "";
      return stay.has(`${key}\n${id}`) ? [] : [{ tenant_key: key, id, occurred_at: iso(row.occurred_at) }];
    }),
  );
  if (gone.length === 0) return;
  await client.query(
    `DELETE FROM isochron.tenant_event AS stored
      USING jsonb_to_recordset($1::jsonb) AS given (tenant_key text, id text, occurred_at timestamptz)
      WHERE stored.tenant_key = given.tenant_key AND stored.id = given.id
        AND stored.occurred_at = given.occurred_at`,
    [JSON.stringify(gone)],
  );
}

export async function writeDeliveries(
  client: pg.ClientBase,
  connection: string,
  rows: readonly DeliveryRow[],
): Promise<void> {
  if (rows.length === 0) return;
  await client.query(
    `INSERT INTO isochron.delivery (connection, source_id, key, event_id, occurred_at, content_hash,
                                    twin_group, twin_side, twin_at)
     SELECT $1, source_id, key, event_id, at::timestamptz, decode(hash, 'hex'), twin_group, twin_side, twin_at::timestamptz
       FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
         AS given (source_id, key, event_id, at, hash, twin_group, twin_side, twin_at)
      ORDER BY source_id, key
     ON CONFLICT DO NOTHING`,
    [
      connection,
      rows.map((row) => row.source_id),
      rows.map(({ key }) => key),
      rows.map((row) => row.event_id),
      rows.map((row) => iso(row.occurred_at)),
      rows.map((row) => row.content_hash),
      rows.map((row) => row.twin_group),
      rows.map((row) => row.twin_side),
      rows.map((row) => (row.twin_at === null ? null : iso(row.twin_at))),
    ],
  );
}

/** Keeps what records say now that said something else before. Gives how many of them are news. */
export async function writeRevisions(
  client: pg.ClientBase,
  rows: readonly RevisionRow[],
): Promise<Set<string>> {
  if (rows.length === 0) return new Set();
  const distinct = new Map(rows.map((row) => [`${row.event_id}\n${row.content_hash}`, row]));
  const { rows: written } = await client.query<{ name: string }>(
    `INSERT INTO isochron.event_revision (event_id, content_hash, occurred_at, draft)
     SELECT event_id, decode(content_hash, 'hex'), occurred_at, draft
       FROM jsonb_to_recordset($1::jsonb)
         AS given (event_id text, content_hash text, occurred_at timestamptz, draft jsonb)
      ORDER BY event_id, content_hash
     ON CONFLICT DO NOTHING RETURNING event_id || E'\\n' || encode(content_hash, 'hex') AS name`,
    [JSON.stringify([...distinct.values()].map(withIsoTime))],
  );
  return new Set(written.map(({ name }) => name));
}

function withIsoTime<T extends { readonly occurred_at: number }>(
  row: T,
): Omit<T, "occurred_at"> & { occurred_at: string } {
  return { ...row, occurred_at: iso(row.occurred_at) };
}

function placesOf(rows: readonly EventRow[]): [string[], string[]] {
  return [rows.map(({ id }) => id), [...new Set(rows.map(({ occurred_at }) => iso(occurred_at)))]];
}
