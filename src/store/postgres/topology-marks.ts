import type pg from "pg";
import type { PlannedEvent } from "./append-plan.ts";
import { iso } from "./event-writes.ts";
import { bearing, hubKinds, notExtended, pluralRelations, timeless } from "./topology-kinds.ts";
import { factColumns, type FactRow } from "./topology-writes.ts";

/** An event and an entity that its answer depends on. */
export interface PendingRow {
  readonly entity_key: string;
  /** RFC 3339. */
  readonly occurred_at: string;
  readonly event_id: string;
}

/** Notes what each event's answer depends on. */
export async function writePending(
  client: pg.ClientBase,
  controlPlane: string,
  events: Iterable<{
    readonly row: Pick<PlannedEvent["row"], "id" | "occurred_at">;
    readonly dependsOn: PlannedEvent["dependsOn"];
  }>,
): Promise<readonly PendingRow[]> {
  const rows = [...events].flatMap(({ row, dependsOn }) =>
    [...dependsOn].map((key) => ({ entity_key: key, occurred_at: iso(row.occurred_at), event_id: row.id })),
  );
  if (rows.length === 0) return rows;
  await client.query(
    `INSERT INTO isochron.pending_attribution (control_plane, entity_key, occurred_at, event_id)
     SELECT $1, entity_key, at::timestamptz, event_id
       FROM unnest($2::text[], $3::text[], $4::text[]) AS given (entity_key, at, event_id)
      ORDER BY entity_key COLLATE "C", at::timestamptz, event_id COLLATE "C"
     ON CONFLICT DO NOTHING`,
    [
      controlPlane,
      rows.map((row) => row.entity_key),
      rows.map((row) => row.occurred_at),
      rows.map((row) => row.event_id),
    ],
  );
  return rows;
}

/**
 * Lets one transaction at a time, until it has committed, tell what its news make due and what news its own events have
 * missed. Of two that overlap the second then sees all of the first, whichever it is: what waits for an entity is found
 * by the news, or the news by what waits. Taken after everything else that a page locks.
 */
export async function holdNews(client: pg.ClientBase): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtext('isochron topology news'))");
}

/** The keys under which something may wait for a fact, as rows of `marked`; $6 to $8 are hubs, relations and kinds. */
const keysOf = (fact: string): string => `
       SELECT from_kind || ':' || from_id AS entity_key, since FROM ${fact}
       UNION ALL
       SELECT 'resource:' || from_id, since FROM ${fact} WHERE from_kind <> 'resource'
       UNION ALL
       SELECT to_kind || ':' || to_id, since FROM ${fact}
        WHERE NOT to_kind = ANY($2::text[]) OR relation = ANY($3::text[])
       UNION ALL
       SELECT 'resource:' || to_id, since FROM ${fact} WHERE NOT to_kind = ANY($2::text[])
       UNION ALL
       -- What was told of an id without its kind counts for whatever bears it.
       SELECT p.entity_key, since FROM ${fact} JOIN isochron.pending_attribution p
           ON p.control_plane = $1 AND isochron.id_of_key(p.entity_key) = from_id
        WHERE from_kind = 'resource'`;

const upsertDue = `
     ON CONFLICT (control_plane, entity_key) DO UPDATE
       SET since = least(due.since, excluded.since),
           after_id = CASE WHEN excluded.since <= due.since THEN '' ELSE due.after_id END,
           marked_xid = excluded.marked_xid`;

/**
 * From when on each new observation can change answers: from the observation before it (what lay between
 * the two is known better now), from the start of that one's run where it said something else, or from ever
 * where there was none before. An observation amid equal ones changes nothing. Only what is waited for is marked.
 */
export async function markDue(
  client: pg.ClientBase,
  controlPlane: string,
  news: readonly FactRow[],
): Promise<void> {
  await client.query(
    `WITH fact AS (
       SELECT given.*, relation = ANY($5::text[]) AS plural
         FROM jsonb_to_recordset($4::jsonb) AS given (${factColumns})
     ), placed AS (
       SELECT fact.*, before.at AS before_at,
              before.at IS NOT NULL AND (before.to_kind, before.to_id, before.holds) = (fact.to_kind, fact.to_id, fact.holds) AS before_same,
              run.at AS run_at,
              after.at IS NULL OR (after.to_kind, after.to_id, after.holds) = (fact.to_kind, fact.to_id, fact.holds) AS after_same
         FROM fact
         LEFT JOIN LATERAL (
           SELECT f.at, f.to_kind, f.to_id, f.holds FROM isochron.topology_fact f
            WHERE f.control_plane = $1 AND f.from_kind = fact.from_kind AND f.from_id = fact.from_id
              AND f.relation = fact.relation AND f.at < fact.at
              AND (NOT fact.plural OR (f.to_kind, f.to_id) = (fact.to_kind, fact.to_id))
            ORDER BY f.at DESC, f.to_kind DESC, f.to_id DESC, f.holds DESC LIMIT 1) AS before ON true
         LEFT JOIN LATERAL (
           SELECT f.at, f.to_kind, f.to_id, f.holds FROM isochron.topology_fact f
            WHERE f.control_plane = $1 AND f.from_kind = fact.from_kind AND f.from_id = fact.from_id
              AND f.relation = fact.relation AND f.at >= fact.at
              AND (NOT fact.plural OR (f.to_kind, f.to_id) = (fact.to_kind, fact.to_id))
              AND NOT ((f.at, f.to_kind, f.to_id, f.holds) = (fact.at, fact.to_kind, fact.to_id, fact.holds))
            ORDER BY f.at, f.to_kind, f.to_id, f.holds LIMIT 1) AS after ON true
         LEFT JOIN LATERAL (
           SELECT max(f.at) AS at FROM isochron.topology_fact f
            WHERE f.control_plane = $1 AND f.from_kind = fact.from_kind AND f.from_id = fact.from_id
              AND f.relation = fact.relation AND f.at < before.at
              AND (NOT fact.plural OR (f.to_kind, f.to_id) = (fact.to_kind, fact.to_id))
              AND NOT ((f.to_kind, f.to_id, f.holds) = (before.to_kind, before.to_id, before.holds))) AS run ON true
     ), dated AS (
       SELECT placed.*,
              CASE WHEN relation = ANY($6::text[]) THEN '-infinity'::timestamptz
                   WHEN before_at IS NULL THEN CASE WHEN relation = ANY($7::text[]) THEN at ELSE '-infinity' END
                   WHEN before_same THEN before_at
                   -- The run before it has ended, which is news for all of that run.
                   ELSE coalesce(run_at, '-infinity') END AS since
         FROM placed
        WHERE NOT (before_same AND after_same)
     ), marked AS (${keysOf("dated")}
     )
     INSERT INTO isochron.reattribution_due AS due (control_plane, entity_key, since)
     SELECT $1, entity_key, min(since) FROM marked
      WHERE EXISTS (SELECT FROM isochron.pending_attribution p
                     WHERE p.control_plane = $1 AND p.entity_key = marked.entity_key AND p.occurred_at >= marked.since)
      GROUP BY entity_key ORDER BY entity_key COLLATE "C"${upsertDue}`,
    [controlPlane, hubKinds, bearing, JSON.stringify(news), pluralRelations, timeless, notExtended],
  );
}

/** Makes due at once what facts concern that the answers' view cannot have seen. */
export async function markMissed(
  client: pg.ClientBase,
  controlPlane: string,
  rows: readonly Pick<PendingRow, "entity_key" | "occurred_at">[],
  topologyMark: string,
): Promise<void> {
  await client.query(
    `WITH news AS MATERIALIZED (
       SELECT *, NULL::timestamptz AS since FROM isochron.topology_fact
        WHERE control_plane = $1 AND recorded_xid >= pg_snapshot_xmin($5::pg_snapshot)
          AND recorded_xid <> pg_current_xact_id()
          AND NOT pg_visible_in_snapshot(recorded_xid, $5::pg_snapshot)
     ), touched AS (SELECT DISTINCT entity_key FROM (${keysOf("news")}
     ) AS keys)
     INSERT INTO isochron.reattribution_due AS due (control_plane, entity_key, since)
     SELECT $1, entity_key, min(occurred_at)
       FROM jsonb_to_recordset($4::jsonb) AS given (entity_key text, occurred_at timestamptz)
       JOIN touched USING (entity_key)
      GROUP BY entity_key ORDER BY entity_key COLLATE "C"${upsertDue}`,
    [controlPlane, hubKinds, bearing, JSON.stringify(rows), topologyMark],
  );
}
