import type pg from "pg";
import type { EntityRef } from "../../model/entity.ts";
import { entityKey } from "../../model/entity.ts";
import { instant } from "../../model/instant.ts";
import type { KnownFact, Relation } from "../../model/topology.ts";
import { aliasKinds } from "./topology-kinds.ts";

/** A run as an array, which is made faster than an object of columns. */
type RunRow = [
  fromKind: string,
  fromId: string,
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
const columns = `from_kind, from_id, relation, to_kind, to_id, holds, connection, source_id,
  date_part('epoch', at) * 1000, date_part('epoch', last_at) * 1000, date_part('epoch', recorded_at) * 1000`;

/**
 * The runs of those that are given: $2 their kinds, each once, $3 and $4 which of the ids $5 are of that kind. The index
 * is gone through once for each kind; looking up one thing after another takes nearly twice as long. With OFFSET it is the
 * index in a small store too, of which a planner that may choose reads the whole table for a page.
 */
const runsOf = (further: string): string => `
  SELECT ${columns} FROM unnest($2::text[], $3::integer[], $4::integer[]) AS given (kind, first, last)
   CROSS JOIN LATERAL (
    SELECT * FROM isochron.topology_run
     WHERE control_plane = $1 AND from_kind = given.kind AND from_id = ANY (($5::text[])[given.first:given.last])
       AND ${further} OFFSET 0) AS run`;

const runsSql = `${runsOf("($6::text[] IS NULL OR relation = ANY($6::text[]))")}
   ORDER BY from_kind, from_id, relation, run.at, to_kind, to_id, holds`;

/** $6: the relations that come after this one by name. */
const boundedRunsSql = `${runsOf(`relation > $6 AND relation < '${crowdable[0]}'`)}
  UNION ALL
  SELECT ${columns} FROM unnest($7::text[], $8::text[], $9::text[]) AS asked (kind, id, what)
   CROSS JOIN LATERAL (
    SELECT * FROM isochron.topology_run
     WHERE control_plane = $1 AND from_kind = asked.kind AND from_id = asked.id AND relation = asked.what
     LIMIT ${crowdMax + 1}) AS run`;

/** The parameters from $2 to $5 of {@link runsOf}. */
function byKind(origins: readonly EntityRef[]): readonly [string[], number[], number[], string[]] {
  const kinds: string[] = [];
  const firsts: number[] = [];
  const lasts: number[] = [];
  const ids: string[] = [];
  for (const [kind, things] of Map.groupBy(origins, (origin) => origin.kind)) {
    kinds.push(kind);
    firsts.push(ids.length + 1);
    for (const { id } of things) ids.push(id);
    lasts.push(ids.length);
  }
  return [kinds, firsts, lasts, ids];
}

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
 * what too many stand in is left out and written down there, also under the id without its kind; then only relations are
 * loaded that come `after` one by name.
 */
export async function changePoints(
  client: pg.ClientBase,
  controlPlane: string,
  origins: readonly EntityRef[],
  {
    only,
    crowded,
    used = origins,
    after = "",
  }: {
    readonly only?: readonly Relation[];
    readonly crowded?: Set<string>;
    readonly used?: readonly EntityRef[];
    readonly after?: Relation | "";
  } = {},
): Promise<readonly KnownFact[]> {
  if (origins.length === 0 && used.length === 0) return [];
  const read = async (text: string, ...further: readonly unknown[]): Promise<readonly KnownFact[]> => {
    const values = [controlPlane, ...byKind(origins), ...further];
    const { rows } = await client.query<RunRow>({ text, values, rowMode: "array" });
    return rows.map((row) => toKnownFact(controlPlane, row));
  };
  if (crowded === undefined || only !== undefined) return read(runsSql, only ?? null);
  const crowds = crowdsOf(origins, used);
  const facts = await read(
    boundedRunsSql,
    after,
    crowds.map(({ kind }) => kind),
    crowds.map(({ id }) => id),
    crowds.map(({ relation }) => relation),
  );
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

function toKnownFact(controlPlane: string, row: RunRow): KnownFact {
  const [fromKind, fromId, relation, toKind, toId, holds, connection, sourceId, at, lastAt, recordedAt] = row;
  return {
    controlPlane,
    from: { kind: fromKind, id: fromId },
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
