import type pg from "pg";
import type { EntityRef } from "../../model/entity.ts";
import { entityKey } from "../../model/entity.ts";
import { instant } from "../../model/instant.ts";
import type { KnownFact, Relation } from "../../model/topology.ts";
import { aliasKinds } from "./topology-kinds.ts";

/** A run as an array, which is made faster than an object of columns: the number of what it was found for comes first. */
type RunRow = [
  n: number,
  relation: Relation,
  toKind: string,
  toId: string,
  holds: boolean,
  connection: string,
  sourceId: string,
  at: number,
  lastAt: number,
  recordedAt: number,
];

/**
 * Relations in which one thing may stand to very many: an image to all who ever used it, an operator's account to all
 * projects. They are the last of all relations by name, so that all others are one stretch of the index.
 */
export const crowdable: readonly Relation[] = ["used_by", "works_in"];

/** Of these more than so many tell nothing, since what is asked of them is whether there is only one. */
const crowdMax = 200;

/** What is never told of by an id without a kind. */
const withoutTwin = [...aliasKinds, "request", "resource"];

/** The times as numbers: most of what is loaded is read once, and dates in words are half of the reading. */
const columns = `relation, to_kind, to_id, holds, connection, source_id, date_part('epoch', at) * 1000,
  date_part('epoch', last_at) * 1000, date_part('epoch', recorded_at) * 1000`;

/**
 * The runs of one of those that are given: with OFFSET each is looked up by the index. A planner that may choose reads
 * the whole table for a page while it is small.
 */
const runsOf = (given: string, more: string): string => `
  SELECT ${given}.n, ${columns} FROM ${given} CROSS JOIN LATERAL (
    SELECT * FROM isochron.topology_run
     WHERE control_plane = $1 AND from_kind = ${given}.kind AND from_id = ${given}.id AND ${more} OFFSET 0) AS run`;

const given = `given AS (SELECT * FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS given (kind, id, n))`;

const runsSql = `
  WITH ${given} ${runsOf("given", "($4::text[] IS NULL OR relation = ANY($4::text[]))")}
   ORDER BY given.kind COLLATE "C", given.id COLLATE "C", relation, run.at, to_kind, to_id, holds`;

/** $7: how many were given, after which those are numbered of which crowds are asked. */
const boundedRunsSql = `
  WITH ${given}, asked AS (
    SELECT kind, id, relation AS what, n + $7::integer AS n
      FROM unnest($4::text[], $5::text[], $6::text[]) WITH ORDINALITY AS asked (kind, id, relation, n))
  ${runsOf("given", `relation < '${crowdable[0]}' AND relation <> ALL($8::text[])`)}
  UNION ALL
  SELECT asked.n, ${columns} FROM asked CROSS JOIN LATERAL (
    SELECT * FROM isochron.topology_run
     WHERE control_plane = $1 AND from_kind = asked.kind AND from_id = asked.id AND relation = asked.what
     LIMIT ${crowdMax + 1}) AS run`;

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
 * what too many stand in is left out and written down there, also under the id without its kind; then the
 * relations of `without` are left out as well.
 */
export async function changePoints(
  client: pg.ClientBase,
  controlPlane: string,
  origins: readonly EntityRef[],
  {
    only,
    crowded,
    used = origins,
    without = [],
  }: {
    readonly only?: readonly Relation[];
    readonly crowded?: Set<string>;
    readonly used?: readonly EntityRef[];
    readonly without?: readonly Relation[];
  } = {},
): Promise<readonly KnownFact[]> {
  if (origins.length === 0 && used.length === 0) return [];
  const read = async (text: string, froms: readonly EntityRef[], more: readonly unknown[]) => {
    const kinds = origins.map(({ kind }) => kind);
    const ids = origins.map(({ id }) => id);
    const values = [controlPlane, kinds, ids, ...more];
    const { rows } = await client.query<RunRow>({ text, values, rowMode: "array" });
    return rows.map((row) => toKnownFact(controlPlane, froms[row[0] - 1]!, row));
  };
  if (crowded === undefined || only !== undefined) return read(runsSql, origins, [only ?? null]);
  const crowds = crowdsOf(origins, used);
  const asked = [
    crowds.map(({ kind }) => kind),
    crowds.map(({ id }) => id),
    crowds.map(({ relation }) => relation),
  ];
  const facts = await read(boundedRunsSql, [...origins, ...crowds], [...asked, origins.length, without]);
  return withoutCrowds(facts, crowded);
}

function withoutCrowds(facts: readonly KnownFact[], crowded: Set<string>): readonly KnownFact[] {
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

function toKnownFact(controlPlane: string, { kind, id }: EntityRef, row: RunRow): KnownFact {
  const [, relation, toKind, toId, holds, connection, sourceId, at, lastAt, recordedAt] = row;
  return {
    controlPlane,
    from: { kind, id },
    relation,
    to: { kind: toKind, id: toId },
    at: instant(Math.round(at)),
    lastAt: instant(Math.round(lastAt)),
    holds,
    connection,
    sourceId,
    recordedAt: instant(Math.round(recordedAt)),
  };
}
