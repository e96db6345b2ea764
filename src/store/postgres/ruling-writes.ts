import type pg from "pg";
import { IsochronError } from "../../errors.ts";
import type { RulingChange } from "../ruling-store.ts";
import { rulingKey, unaskedKey } from "./ruling-keys.ts";
import { iso } from "./event-writes.ts";

/**
 * Adds a version of a ruling, and has its events looked for. Waits until no page is half-way in, and lets none begin:
 * what was stored before is found by the search, and what is stored from here on is asked about again.
 * Throws `ruling-changed` where another decision came first.
 */
export async function writeRuling(
  client: pg.ClientBase,
  { version: ruling, setVersion }: RulingChange,
): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtext('isochron topology'))");
  const { rows } = await client.query<{ set_version: number; last: number }>(
    `SELECT version AS set_version, (SELECT coalesce(max(version), 0) FROM isochron.ruling WHERE id = $1) AS last
       FROM isochron.ruling_set`,
    [ruling.id],
  );
  const { set_version: stands = 0, last = 0 } = rows[0] ?? {};
  if (last !== ruling.version - 1)
    throw rulingChanged(`Ruling ${ruling.id} stands at version ${last} by now.`);
  if (setVersion !== undefined && setVersion !== stands) {
    throw rulingChanged("Another ruling was decided since the dry run.");
  }
  await client.query(
    `INSERT INTO isochron.ruling (id, version, match, answer, decided_by, why, decided_at, withdrawn)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      ruling.id,
      ruling.version,
      JSON.stringify(ruling.match),
      JSON.stringify(ruling.answer),
      ruling.by,
      ruling.why,
      iso(ruling.decidedAt),
      ruling.withdrawn,
    ],
  );
  await client.query("UPDATE isochron.ruling_set SET version = version + 1");
  await client.query("DELETE FROM isochron.ruling_search WHERE id = $1", [ruling.id]);
  if (!ruling.withdrawn) {
    await client.query("INSERT INTO isochron.ruling_search (id, match) VALUES ($1, $2)", [
      ruling.id,
      JSON.stringify(ruling.match),
    ]);
  }
  await markRuling(client, ruling.id);
}

/** Everything that rests on the ruling is due to be asked about again, on every control plane. */
export async function markRuling(client: pg.ClientBase, id: string): Promise<void> {
  await client.query(
    `INSERT INTO isochron.reattribution_due AS due (control_plane, entity_key, since)
     SELECT DISTINCT control_plane, $1, '-infinity'::timestamptz FROM isochron.connection ORDER BY control_plane
     ON CONFLICT (control_plane, entity_key) DO UPDATE
       SET since = excluded.since, after_id = '', marked_xid = excluded.marked_xid`,
    [rulingKey(id)],
  );
}

function rulingChanged(problem: string): IsochronError {
  return new IsochronError(
    "ruling-changed",
    problem,
    "Look at it again (a dry run tells what it would do now), then decide again.",
  );
}

/** An event that was just answered. */
export interface AnsweredRow {
  readonly id: string;
  readonly occurred_at: number;
  readonly control_plane: string;
  /** True where it has to be asked about again in any case. */
  readonly unasked?: boolean;
}

/**
 * Has events asked about again whose answers were found under another set of rulings than the one that stands, and (with
 * `fresh`) those that a ruling names by an id that nobody could know before. Only under the lock that rulings wait for.
 */
export async function markUnruled(
  client: pg.ClientBase,
  rows: readonly AnsweredRow[],
  rulingsVersion: number | undefined,
  fresh: boolean,
): Promise<void> {
  if (rulingsVersion === undefined || rows.length === 0) return;
  const { rows: stands } = await client.query<{ version: number; named: string[] }>(
    `SELECT version, ARRAY(SELECT match ->> 'eventId' FROM isochron.ruling
                            WHERE match ? 'eventId' AND match ->> 'eventId' = ANY($1::text[])) AS named
       FROM isochron.ruling_set`,
    [fresh ? rows.map(({ id }) => id) : []],
  );
  const { version = 0, named = [] } = stands[0] ?? {};
  const known = new Set(named);
  const missed = rows.filter(
    ({ id, unasked }) => version !== rulingsVersion || known.has(id) || unasked === true,
  );
  if (missed.length === 0) return;
  await client.query(
    `WITH missed AS MATERIALIZED (
       SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::text[]) AS given (control_plane, occurred_at, id)
     ), pending AS (
       INSERT INTO isochron.pending_attribution (control_plane, entity_key, occurred_at, event_id)
       SELECT control_plane, $4::text, occurred_at, id FROM missed ORDER BY control_plane COLLATE "C", occurred_at, id COLLATE "C"
       ON CONFLICT DO NOTHING
     )
     INSERT INTO isochron.reattribution_due AS due (control_plane, entity_key, since)
     SELECT control_plane, $4::text, min(occurred_at) FROM missed GROUP BY control_plane ORDER BY control_plane COLLATE "C"
     ON CONFLICT (control_plane, entity_key) DO UPDATE
       SET since = least(due.since, excluded.since),
           after_id = CASE WHEN excluded.since <= due.since THEN '' ELSE due.after_id END,
           marked_xid = excluded.marked_xid`,
    [
      missed.map((row) => row.control_plane),
      missed.map((row) => iso(row.occurred_at)),
      missed.map(({ id }) => id),
      unaskedKey,
    ],
  );
}
