import type pg from "pg";
import type { EntityRef } from "../../model/entity.ts";
import { instant, type Instant } from "../../model/instant.ts";
import type { KnownFact, Relation } from "../../model/topology.ts";
import { iso } from "./event-writes.ts";
import { pluralRelations } from "./topology-kinds.ts";

/** A host of a large cloud has some thousands of servers over the years; what is beyond is cut. */
const pointingMax = 2_000;

interface FactRow {
  readonly from_kind: string;
  readonly from_id: string;
  readonly relation: Relation;
  readonly to_kind: string;
  readonly to_id: string;
  readonly at: number;
  readonly last_at: number;
  readonly holds: boolean;
  readonly connection: string;
  readonly source_id: string;
  readonly known_at: number;
}

/**
 * What had been recorded by a moment comes first, and only then is it put into runs: a run that began with what was
 * learnt later began later for whoever did not know it yet.
 */
const historySql = `
  WITH known AS (
    SELECT f.*, CASE WHEN f.relation = ANY($4::text[]) THEN f.to_kind || ':' || f.to_id END AS target
      FROM isochron.topology_fact f
     WHERE f.control_plane = $1 AND f.from_kind = $2 AND f.from_id = $3 AND f.recorded_at <= $5::timestamptz
    UNION ALL
    SELECT f.*, CASE WHEN f.relation = ANY($4::text[]) THEN f.to_kind || ':' || f.to_id END
      FROM (SELECT DISTINCT from_kind, from_id, relation FROM isochron.topology_fact
             WHERE control_plane = $1 AND to_kind = $2 AND to_id = $3 AND recorded_at <= $5::timestamptz
               AND (from_kind, from_id) <> ($2, $3)
             ORDER BY from_kind, from_id, relation LIMIT $6) AS pointing
      JOIN isochron.topology_fact f
        ON f.control_plane = $1 AND f.from_kind = pointing.from_kind AND f.from_id = pointing.from_id
       AND f.relation = pointing.relation AND f.recorded_at <= $5::timestamptz
     WHERE f.relation <> ALL($4::text[]) OR (f.to_kind = $2 AND f.to_id = $3)
  ), compared AS (
    SELECT *, (lag(to_kind) OVER run, lag(to_id) OVER run, lag(holds) OVER run)
              IS DISTINCT FROM (to_kind, to_id, holds) AS changed
      FROM known
    WINDOW run AS (PARTITION BY from_kind, from_id, relation, target ORDER BY at, to_kind, to_id, holds)
  ), numbered AS (
    SELECT *, count(*) FILTER (WHERE changed)
                OVER (PARTITION BY from_kind, from_id, relation, target ORDER BY at, to_kind, to_id, holds) AS number
      FROM compared
  ), spanned AS (
    SELECT *, max(at) OVER run AS last_at, min(recorded_at) OVER run AS known_at
      FROM numbered WINDOW run AS (PARTITION BY from_kind, from_id, relation, target, number)
  )
  SELECT from_kind, from_id, relation, to_kind, to_id, at, last_at, holds, connection, source_id, known_at
    FROM spanned WHERE changed
   ORDER BY from_kind, from_id, relation, at, to_kind, to_id, holds`;

/**
 * All change points of the entity, of what points at it and, along single relations, of where that points else; by what
 * had been recorded up to `knownAt`. `recordedAt` is when any observation of the run was first recorded.
 */
export async function readHistoryOf(
  client: pg.ClientBase,
  controlPlane: string,
  entity: EntityRef,
  knownAt: Instant | undefined,
): Promise<readonly KnownFact[]> {
  const { rows } = await client.query<FactRow>(historySql, [
    controlPlane,
    entity.kind,
    entity.id,
    pluralRelations,
    knownAt === undefined ? "infinity" : iso(knownAt),
    pointingMax,
  ]);
  return rows.map((row) => ({
    controlPlane,
    from: { kind: row.from_kind, id: row.from_id },
    relation: row.relation,
    to: { kind: row.to_kind, id: row.to_id },
    at: instant(row.at),
    lastAt: instant(row.last_at),
    holds: row.holds,
    connection: row.connection,
    sourceId: row.source_id,
    recordedAt: instant(row.known_at),
  }));
}
