import type pg from "pg";
import type { EntityRef } from "../../model/entity.ts";
import { instant } from "../../model/instant.ts";
import type { KnownFact, Relation } from "../../model/topology.ts";
import { pluralRelations } from "./topology-kinds.ts";

interface FactRow {
  readonly control_plane: string;
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

/**
 * The change points of the topology observed for `origins` (`from` is among them, where `ways` allows the
 * relation). Equal observations that follow one another are one run: its first, and when it was last seen.
 */
const changePointSql = `
  WITH origin AS (
    SELECT * FROM unnest($2::text[], $3::text[]) AS given (from_kind, from_id)
  ), observed AS (
    SELECT f.*, CASE WHEN f.relation = ANY($4::text[]) THEN f.to_kind || ':' || f.to_id END AS target
      FROM origin JOIN isochron.topology_fact f
        ON f.control_plane = $1 AND f.from_kind = origin.from_kind AND f.from_id = origin.from_id
     WHERE $5::text[] IS NULL OR f.relation = ANY($5::text[])
  ), compared AS (
    SELECT *, (lag(to_kind) OVER run, lag(to_id) OVER run, lag(holds) OVER run)
              IS DISTINCT FROM (to_kind, to_id, holds) AS changed
      FROM observed
    WINDOW run AS (PARTITION BY from_kind, from_id, relation, target ORDER BY at, to_kind, to_id, holds)
  ), numbered AS (
    SELECT *, count(*) FILTER (WHERE changed) OVER run AS number
      FROM compared
    WINDOW run AS (PARTITION BY from_kind, from_id, relation, target ORDER BY at, to_kind, to_id, holds)
  ), spanned AS (
    SELECT *, max(at) OVER (PARTITION BY from_kind, from_id, relation, target, number) AS last_at
      FROM numbered
  )
  SELECT control_plane, from_kind, from_id, relation, to_kind, to_id, at, last_at, holds, connection,
         source_id, recorded_at
    FROM spanned WHERE changed
   ORDER BY from_kind, from_id, relation, at, to_kind, to_id, holds`;

export async function changePoints(
  client: pg.ClientBase,
  controlPlane: string,
  origins: readonly EntityRef[],
  { only }: { readonly only?: readonly Relation[]; readonly crowded?: Set<string> } = {},
): Promise<readonly KnownFact[]> {
  if (origins.length === 0) return [];
  const { rows } = await client.query<FactRow>(changePointSql, [
    controlPlane,
    origins.map(({ kind }) => kind),
    origins.map(({ id }) => id),
    pluralRelations,
    only ?? null,
  ]);
  return rows.map(toKnownFact);
}

function toKnownFact(row: FactRow): KnownFact {
  return {
    controlPlane: row.control_plane,
    from: { kind: row.from_kind, id: row.from_id },
    relation: row.relation,
    to: { kind: row.to_kind, id: row.to_id },
    at: instant(row.at),
    lastAt: instant(row.last_at),
    holds: row.holds,
    connection: row.connection,
    sourceId: row.source_id,
    recordedAt: instant(row.recorded_at),
  };
}
