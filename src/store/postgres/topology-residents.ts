import type pg from "pg";
import { entityKey, type EntityRef } from "../../model/entity.ts";
import type { Relation } from "../../model/topology.ts";
import { compareText } from "./canonical.ts";

/** What stands on a place, by the kind of the place. */
export const residence: Readonly<Record<string, Relation>> = { host: "runs_on", backend: "stored_on" };

/** How the parts of a place point at it: a host at its aggregate, a pool at its backend. */
const composition: Readonly<Record<string, Relation>> = { aggregate: "member_of", backend: "part_of" };
export const compositions: readonly Relation[] = Object.values(composition);

/**
 * So many that ever stood on a place are loaded, the latest to come first; of the parts of one, as many as together bore
 * so many. Beyond it the answer says that it tells of at least these.
 */
export const residentsMax = 20_000;

/** What was found to point at some entities, and of which of them that is not all: `KEY|relation`, with what was taken. */
export interface Taken {
  readonly refs: readonly EntityRef[];
  readonly cut: ReadonlyMap<string, ReadonlySet<string>>;
}

interface OriginRow {
  readonly key: string;
  readonly relation: Relation;
  readonly from_kind: string;
  readonly from_id: string;
}

interface Target {
  readonly key: string;
  readonly kind: string;
  readonly id: string;
  readonly relation: Relation;
}

function targetsIn(places: readonly EntityRef[], ways: Readonly<Record<string, Relation>>): Target[] {
  return places.flatMap(({ kind, id }) => {
    const relation = ways[kind];
    return relation === undefined ? [] : [{ key: entityKey({ kind, id }), kind, id, relation }];
  });
}

/** What ever stood on the places. */
export async function findResidents(
  client: pg.ClientBase,
  controlPlane: string,
  places: readonly EntityRef[],
): Promise<Taken> {
  const targets = targetsIn(places, residence);
  if (targets.length === 0) return { refs: [], cut: new Map() };
  // Who came last is most likely still there.
  const { rows } = await client.query<OriginRow>(
    `SELECT target.key, target.relation, resident.from_kind, resident.from_id
       FROM jsonb_to_recordset($2::jsonb) AS target (key text, kind text, id text, relation text)
      CROSS JOIN LATERAL (
        SELECT f.from_kind, f.from_id, max(f.at) AS came FROM isochron.topology_run f
         WHERE f.control_plane = $1 AND f.to_kind = target.kind AND f.to_id = target.id AND f.relation = target.relation
         GROUP BY f.from_kind, f.from_id
         ORDER BY came DESC, f.from_kind COLLATE "C", f.from_id COLLATE "C" LIMIT ${residentsMax + 1}) AS resident
      ORDER BY target.key, came DESC, resident.from_kind COLLATE "C", resident.from_id COLLATE "C"`,
    [controlPlane, JSON.stringify(targets)],
  );
  return takeEach(rows, (found) => found.slice(0, residentsMax));
}

/** What the places ever consisted of. */
export async function findParts(
  client: pg.ClientBase,
  controlPlane: string,
  places: readonly EntityRef[],
): Promise<Taken> {
  const targets = targetsIn(places, composition);
  if (targets.length === 0) return { refs: [], cut: new Map() };
  const { rows } = await client.query<OriginRow & { residents: number }>(
    `SELECT part.*, (
        SELECT count(*) FROM (SELECT DISTINCT f.from_kind, f.from_id FROM isochron.topology_run f
          WHERE f.control_plane = $1 AND f.to_kind = part.from_kind AND f.to_id = part.from_id
            AND f.relation = ($3::jsonb ->> part.from_kind) LIMIT ${residentsMax}) AS resident)::int AS residents
       FROM (SELECT DISTINCT target.key, target.relation, f.from_kind, f.from_id
               FROM jsonb_to_recordset($2::jsonb) AS target (key text, kind text, id text, relation text)
               JOIN isochron.topology_run f ON f.control_plane = $1 AND f.to_kind = target.kind
                AND f.to_id = target.id AND f.relation = target.relation
              WHERE $3::jsonb ? f.from_kind) AS part`,
    [controlPlane, JSON.stringify(targets), JSON.stringify(residence)],
  );
  const ordered = rows.toSorted((a, b) => compareText(spell(a), spell(b)));
  return takeEach(ordered, (found) => {
    let together = 0;
    return found.filter(({ residents }) => (together += residents) <= residentsMax);
  });
}

function takeEach<T extends OriginRow>(
  rows: readonly T[],
  take: (found: readonly T[]) => readonly T[],
): Taken {
  const refs: EntityRef[] = [];
  const cut = new Map<string, ReadonlySet<string>>();
  for (const [place, found] of Map.groupBy(rows, ({ key, relation }) => `${key}|${relation}`)) {
    const taken = take(found);
    refs.push(...taken.map((row) => ({ kind: row.from_kind, id: row.from_id })));
    if (taken.length < found.length) cut.set(place, new Set(taken.map(spell)));
  }
  return { refs, cut };
}

function spell({ from_kind, from_id }: OriginRow): string {
  return entityKey({ kind: from_kind, id: from_id });
}
