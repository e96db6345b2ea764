import type pg from "pg";
import { entityKey, type EntityRef } from "../../model/entity.ts";
import type { Instant } from "../../model/instant.ts";
import type { Relation } from "../../model/topology.ts";
import type { Adjoining, Way } from "../topology-reader.ts";
import { changePoints } from "./change-points.ts";
import { iso } from "./event-writes.ts";
import { notExtended } from "./topology-kinds.ts";

/** So many runs are looked through of what ever pointed at one thing: what an index gives in some milliseconds. */
const runsMax = 20_000;

/** $3 is the moment, $4 the relations of which a first observation says nothing of earlier, $5 how many of each are given. */
const pointingSql = `
  SELECT way.key, way.relation, found.from_kind, found.from_id
    FROM jsonb_to_recordset($2::jsonb) AS way (key text, kind text, id text, relation text, origin text)
   CROSS JOIN LATERAL (
    SELECT from_kind, from_id, max(at) AS came FROM (
      SELECT from_kind, from_id, at FROM isochron.topology_run
       WHERE control_plane = $1 AND to_kind = way.kind AND to_id = way.id AND relation = way.relation
         AND (way.origin IS NULL OR from_kind = way.origin)
         AND (at <= $3::timestamptz OR way.relation <> ALL($4::text[]))
       ORDER BY from_kind, from_id LIMIT ${runsMax}) AS seen
     GROUP BY from_kind, from_id
     ORDER BY came DESC, from_kind, from_id LIMIT $5 + 1) AS found
   ORDER BY way.key, way.relation, came DESC, from_kind, from_id`;

interface PointingRow {
  readonly key: string;
  readonly relation: Relation;
  readonly from_kind: string;
  readonly from_id: string;
}

/** The change points along the ways; of what points at one thing, at most `eachMax` that came last before the moment. */
export async function readAdjoining(
  client: pg.ClientBase,
  controlPlane: string,
  ways: readonly Way[],
  at: Instant,
  eachMax: number,
): Promise<Adjoining> {
  const inward = ways.filter(({ side }) => side === "to");
  const outward = ways.filter(({ side }) => side === "from");
  const pointing = await readPointing(client, controlPlane, inward, at, eachMax);
  // Where those that point at a thing point else tells that they have moved away. One statement for both sides: what one
  // of them asked for is told of the other too, each line of sights whole.
  const origins = [...pointing.found.map(({ origin }) => origin), ...outward.map(({ entity }) => entity)];
  const only = [...new Set([...pointing.found, ...outward].map(({ relation }) => relation))];
  const facts = await changePoints(client, controlPlane, distinct(origins), { only });
  return { facts, cut: pointing.cut };
}

interface Found {
  readonly relation: Relation;
  readonly origin: EntityRef;
}

async function readPointing(
  client: pg.ClientBase,
  controlPlane: string,
  ways: readonly Way[],
  at: Instant,
  eachMax: number,
): Promise<{ readonly found: readonly Found[]; readonly cut: ReadonlySet<string> }> {
  if (ways.length === 0) return { found: [], cut: new Set() };
  const asked = ways.map(({ entity, relation, otherKind }) => {
    return { key: entityKey(entity), kind: entity.kind, id: entity.id, relation, origin: otherKind ?? null };
  });
  const { rows } = await client.query<PointingRow>(pointingSql, [
    controlPlane,
    JSON.stringify(asked),
    iso(at),
    notExtended,
    eachMax,
  ]);
  const found: Found[] = [];
  const cut = new Set<string>();
  for (const [place, pointing] of Map.groupBy(rows, ({ key, relation }) => `${key}|${relation}`)) {
    if (pointing.length > eachMax) cut.add(place);
    for (const { relation, from_kind, from_id } of pointing.slice(0, eachMax))
      found.push({ relation, origin: { kind: from_kind, id: from_id } });
  }
  return { found, cut };
}

function distinct(refs: readonly EntityRef[]): readonly EntityRef[] {
  return [...new Map(refs.map((ref) => [entityKey(ref), ref])).values()];
}
