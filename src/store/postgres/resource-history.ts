import type pg from "pg";
import type { EntityRef } from "../../model/entity.ts";
import { instant, type Instant } from "../../model/instant.ts";
import type { KnownFact, Relation } from "../../model/topology.ts";
import { iso } from "./event-writes.ts";
import { pluralRelations } from "./topology-kinds.ts";

/** A host of a large cloud has some thousands of servers over the years; what is beyond is cut. */
const pointingMax = 2_000;

interface RunRow {
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
  readonly recorded_at: number;
}

const columns =
  "from_kind, from_id, relation, to_kind, to_id, at, last_at, holds, connection, source_id, recorded_at";

/** Who ever used a thing may be everybody, and was not asked as of a time. */
const ofEntity = "control_plane = $1 AND from_kind = $2 AND from_id = $3 AND relation <> 'used_by'";

const runsSql = `SELECT ${columns} FROM isochron.topology_run WHERE ${ofEntity}`;

/**
 * What had been recorded by a moment comes first, and only then is it put into runs: a run that began with what was
 * learnt later began later for whoever did not know it yet.
 */
const earlierRunsSql = `
  WITH known AS (
    SELECT *, CASE WHEN relation = ANY($4::text[]) THEN to_kind || ':' || to_id END AS target
      FROM isochron.topology_fact WHERE ${ofEntity} AND recorded_at <= $5::timestamptz
  ), compared AS (
    SELECT *, (lag(to_kind) OVER run, lag(to_id) OVER run, lag(holds) OVER run)
              IS DISTINCT FROM (to_kind, to_id, holds) AS changed
      FROM known WINDOW run AS (PARTITION BY relation, target ORDER BY at, to_kind, to_id, holds)
  ), numbered AS (
    SELECT *, count(*) FILTER (WHERE changed)
                OVER (PARTITION BY relation, target ORDER BY at, to_kind, to_id, holds) AS number
      FROM compared
  ), spanned AS (
    SELECT *, max(at) OVER (PARTITION BY relation, target, number) AS last_at FROM numbered
  )
  SELECT ${columns} FROM spanned WHERE changed`;

/** Those that ever pointed at the entity and, along single relations, where they point else; by runs, which are few. */
const pointingSql = `
  SELECT r.${columns.replaceAll(", ", ", r.")}
    FROM (SELECT DISTINCT from_kind, from_id, relation FROM isochron.topology_run
           WHERE control_plane = $1 AND to_kind = $2 AND to_id = $3 AND (from_kind, from_id) <> ($2, $3)
             AND relation <> 'used_by' AND recorded_at <= $5::timestamptz
           ORDER BY from_kind, from_id, relation LIMIT $6) AS pointing
    JOIN isochron.topology_run r
      ON r.control_plane = $1 AND r.from_kind = pointing.from_kind AND r.from_id = pointing.from_id
     AND r.relation = pointing.relation AND r.recorded_at <= $5::timestamptz
   WHERE r.relation <> ALL($4::text[]) OR (r.to_kind = $2 AND r.to_id = $3)`;

/**
 * All change points of the entity, of what points at it and, along single relations, of where that points else; by what
 * had been recorded up to `knownAt`: exactly for the entity's own, and for what points at it as far as each run's
 * beginning was known by then.
 */
export async function readHistoryOf(
  client: pg.ClientBase,
  controlPlane: string,
  entity: EntityRef,
  knownAt: Instant | undefined,
): Promise<readonly KnownFact[]> {
  const place = [controlPlane, entity.kind, entity.id];
  const until = knownAt === undefined ? "infinity" : iso(knownAt);
  const own =
    knownAt === undefined
      ? await client.query<RunRow>(runsSql, place)
      : await client.query<RunRow>(earlierRunsSql, [...place, pluralRelations, until]);
  const pointing = await client.query<RunRow>(pointingSql, [...place, pluralRelations, until, pointingMax]);
  return [...own.rows, ...pointing.rows].map((row) => ({
    controlPlane,
    from: { kind: row.from_kind, id: row.from_id },
    relation: row.relation,
    to: { kind: row.to_kind, id: row.to_id },
    at: instant(row.at),
    lastAt: instant(row.last_at),
    holds: row.holds,
    connection: row.connection,
    sourceId: row.source_id,
    recordedAt: instant(row.recorded_at),
  }));
}
