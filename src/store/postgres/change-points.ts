import type pg from "pg";
import type { EntityRef } from "../../model/entity.ts";
import { entityKey } from "../../model/entity.ts";
import { instant } from "../../model/instant.ts";
import type { KnownFact, Relation } from "../../model/topology.ts";
import { aliasKinds } from "./topology-kinds.ts";

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
 * Relations in which one thing may stand to very many: an image to all who ever used it, an operator's account to all
 * projects. They are the last of all relations by name, so that all others are one stretch of the index.
 */
export const crowdable: readonly Relation[] = ["used_by", "works_in"];

/** Of these more than so many tell nothing, since what is asked of them is whether there is only one. */
const crowdMax = 200;

/** What is never told of by an id without a kind. */
const withoutTwin = [...aliasKinds, "request", "resource"];

const columns = `r.control_plane, r.from_kind, r.from_id, r.relation, r.to_kind, r.to_id, r.at, r.last_at, r.holds,
  r.connection, r.source_id, r.recorded_at`;
const order = `ORDER BY from_kind, from_id, relation, at, to_kind, to_id, holds`;

const runsSql = `
  SELECT ${columns} FROM unnest($2::text[], $3::text[]) AS given (kind, id)
    JOIN isochron.topology_run r ON r.control_plane = $1 AND r.from_kind = given.kind AND r.from_id = given.id
   WHERE ($4::text[] IS NULL OR r.relation = ANY($4::text[])) ${order}`;

/** The times as numbers: most of what is loaded is read once, and dates in words are half of the reading. */
const boundedRunsSql = `
  WITH run AS (
    SELECT ${columns} FROM unnest($2::text[], $3::text[]) AS given (kind, id)
      JOIN isochron.topology_run r ON r.control_plane = $1 AND r.from_kind = given.kind AND r.from_id = given.id
       AND r.relation < '${crowdable[0]}'
    UNION ALL
    SELECT ${columns} FROM unnest($4::text[], $5::text[], $6::text[]) AS asked (kind, id, relation)
     CROSS JOIN LATERAL (
      SELECT * FROM isochron.topology_run f
       WHERE f.control_plane = $1 AND f.from_kind = asked.kind AND f.from_id = asked.id AND f.relation = asked.relation
       LIMIT ${crowdMax + 1}) AS r
  )
  SELECT control_plane, from_kind, from_id, relation, to_kind, to_id, holds, connection, source_id,
         date_part('epoch', at) * 1000 AS at, date_part('epoch', last_at) * 1000 AS last_at,
         date_part('epoch', recorded_at) * 1000 AS recorded_at
    FROM run`;

interface Crowd extends EntityRef {
  readonly relation: Relation;
}

/** Of accounts where they work; of things, where that is asked, who used them, also by their ids without their kinds. */
function crowdsOf(origins: readonly EntityRef[], used: readonly EntityRef[]): readonly Crowd[] {
  const isAccount = ({ kind }: EntityRef): boolean => kind === "user" || kind === "group";
  const crowds = origins.filter(isAccount).map(({ kind, id }): Crowd => ({ kind, id, relation: "works_in" }));
  const asked = new Map<string, Crowd>();
  for (const { kind, id } of used.filter((thing) => !isAccount(thing))) {
    for (const one of withoutTwin.includes(kind) ? [kind] : [kind, "resource"])
      asked.set(`${one}:${id}`, { kind: one, id, relation: "used_by" });
  }
  return [...crowds, ...asked.values()];
}

/**
 * The runs of what was observed for `origins`: of each its first observation, and when it was last seen. With `crowded`
 * what too many stand in is left out and written down there, also under the id without its kind.
 */
export async function changePoints(
  client: pg.ClientBase,
  controlPlane: string,
  origins: readonly EntityRef[],
  {
    only,
    crowded,
    used = origins,
  }: {
    readonly only?: readonly Relation[];
    readonly crowded?: Set<string>;
    readonly used?: readonly EntityRef[];
  } = {},
): Promise<readonly KnownFact[]> {
  if (origins.length === 0 && used.length === 0) return [];
  const kinds = origins.map(({ kind }) => kind);
  const ids = origins.map(({ id }) => id);
  if (crowded === undefined || only !== undefined) {
    return (await client.query<FactRow>(runsSql, [controlPlane, kinds, ids, only ?? null])).rows.map(
      toKnownFact,
    );
  }
  const crowds = crowdsOf(origins, used);
  const { rows } = await client.query<FactRow>(boundedRunsSql, [
    controlPlane,
    kinds,
    ids,
    crowds.map(({ kind }) => kind),
    crowds.map(({ id }) => id),
    crowds.map(({ relation }) => relation),
  ]);
  const facts = rows.map(toKnownFact);
  const counts = new Map<string, number>();
  for (const fact of facts) {
    if (crowdable.includes(fact.relation)) counts.set(placeOf(fact), (counts.get(placeOf(fact)) ?? 0) + 1);
  }
  const tooMany = new Set([...counts].filter(([, count]) => count > crowdMax).map(([place]) => place));
  if (tooMany.size === 0) return facts;
  return facts.filter((fact) => {
    if (!crowdable.includes(fact.relation) || !tooMany.has(placeOf(fact))) return true;
    crowded.add(placeOf(fact)).add(`resource:${fact.from.id}|${fact.relation}`);
    return false;
  });
}

function placeOf({ from, relation }: KnownFact): string {
  return `${entityKey(from)}|${relation}`;
}

function toKnownFact(row: FactRow): KnownFact {
  return {
    controlPlane: row.control_plane,
    from: { kind: row.from_kind, id: row.from_id },
    relation: row.relation,
    to: { kind: row.to_kind, id: row.to_id },
    at: instant(Math.round(row.at)),
    lastAt: instant(Math.round(row.last_at)),
    holds: row.holds,
    connection: row.connection,
    sourceId: row.source_id,
    recordedAt: instant(Math.round(row.recorded_at)),
  };
}
