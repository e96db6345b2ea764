import type pg from "pg";
import type { PlannedEvent } from "./append-plan.ts";
import { concerned } from "./event-row.ts";
import { iso } from "./event-writes.ts";
import { bearing, hubKinds } from "./topology-kinds.ts";
import type { PlacedFact } from "./topology-runs.ts";
import { factColumns } from "./topology-writes.ts";

/** What an answer depends on, and when its event was. */
export interface WaitingRow {
  readonly entity_key: string;
  /** RFC 3339. */
  readonly occurred_at: string;
}

/** Notes what each event's answer depends on. */
export async function writePending(
  client: pg.ClientBase,
  controlPlane: string,
  events: Iterable<{
    readonly row: Pick<PlannedEvent["row"], "id" | "occurred_at">;
    readonly dependsOn: PlannedEvent["dependsOn"];
  }>,
): Promise<readonly WaitingRow[]> {
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

/** The projects that the answers name, each with its earliest event: the project may just have been moved. */
export function tenantsWaiting(
  events: Iterable<{ readonly row: Pick<PlannedEvent["row"], "occurred_at" | "attribution"> }>,
): readonly WaitingRow[] {
  const earliest = new Map<string, number>();
  for (const { row } of events) {
    for (const key of concerned(row.attribution)) {
      if (key.startsWith("tenant/project:"))
        earliest.set(key, Math.min(row.occurred_at, earliest.get(key) ?? Infinity));
    }
  }
  return [...earliest].map(([key, at]) => ({ entity_key: key, occurred_at: iso(at) }));
}

/**
 * Lets one transaction at a time, until it has committed, tell what its news make due and what news its own events have
 * missed. Of two that overlap the second then sees all of the first, whichever it is: what waits for an entity is found
 * by the news, or the news by what waits. Taken after everything else that a page locks.
 */
export async function holdNews(client: pg.ClientBase): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtext('isochron topology news'))");
}

/** The keys under which something may wait for a fact; $2 are kinds of hubs, $3 relations by which an alias is borne. */
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
        WHERE from_kind = 'resource'
       UNION ALL
       -- Nobody waits for where a project is once that is known: it is moved so rarely that its events are looked for then.
       SELECT 'tenant/project:' || from_id, since FROM ${fact} AS moved
        WHERE relation = 'part_of' AND from_kind = 'project' AND EXISTS (
          SELECT FROM isochron.topology_run r
           WHERE r.control_plane = $1 AND r.from_kind = 'project' AND r.from_id = moved.from_id AND r.relation = 'part_of'
             AND (r.to_kind, r.to_id, r.holds) <> (moved.to_kind, moved.to_id, moved.holds))`;

const upsertDue = `
     ON CONFLICT (control_plane, entity_key) DO UPDATE
       SET since = least(due.since, excluded.since),
           after_id = CASE WHEN excluded.since <= due.since THEN '' ELSE due.after_id END,
           marked_xid = excluded.marked_xid`;

/** Makes due what waits for the facts, from the moment on from which each can change answers. Only what waits is marked. */
export async function markDue(
  client: pg.ClientBase,
  controlPlane: string,
  placed: readonly PlacedFact[],
): Promise<void> {
  if (placed.length === 0) return;
  await client.query(
    `WITH fact AS (
       SELECT * FROM jsonb_to_recordset($4::jsonb) AS given (${factColumns}, since timestamptz)
     ), marked AS (${keysOf("fact")}
     )
     INSERT INTO isochron.reattribution_due AS due (control_plane, entity_key, since)
     SELECT $1, entity_key, min(since) FROM marked
      WHERE entity_key LIKE 'tenant/%'
         OR EXISTS (SELECT FROM isochron.pending_attribution p
                     WHERE p.control_plane = $1 AND p.entity_key = marked.entity_key AND p.occurred_at >= marked.since)
      GROUP BY entity_key ORDER BY entity_key COLLATE "C"${upsertDue}`,
    [controlPlane, hubKinds, bearing, JSON.stringify(placed)],
  );
}

/** Makes due at once what facts concern that the answers' view cannot have seen. */
export async function markMissed(
  client: pg.ClientBase,
  controlPlane: string,
  rows: readonly WaitingRow[],
  topologyMark: string,
): Promise<void> {
  await client.query(
    `WITH news AS MATERIALIZED (
       SELECT *, NULL::timestamptz AS since FROM isochron.topology_run
        WHERE control_plane = $1 AND changed_xid >= pg_snapshot_xmin($5::pg_snapshot)
          AND changed_xid <> pg_current_xact_id()
          AND NOT pg_visible_in_snapshot(changed_xid, $5::pg_snapshot)
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
