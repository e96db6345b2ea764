import type pg from "pg";
import type { EntityRef } from "../../model/entity.ts";
import { entityKey, parseEntityKey } from "../../model/entity.ts";
import type { KnownFact, Relation } from "../../model/topology.ts";
import type { Start, Surroundings } from "../topology-reader.ts";
import { changePoints } from "./change-points.ts";
import { compositions, findParts, findResidents, residence, type Taken } from "./topology-residents.ts";
import { aliasKinds, bearing, hubKinds, lastUnasked, mayAskWhoUsed } from "./topology-kinds.ts";

/** The only ways on from what everything points at; every other kind is followed along all its facts. */
const waysOutOfHubs: Readonly<Record<string, readonly Relation[]>> = {
  project: ["part_of", "named"],
  user: ["owned_by", "works_in", "member_of"],
  group: ["owned_by", "works_in"],
  image: ["owned_by"],
  network: ["owned_by"],
};

/** What is told of what stands on a place: whose it is, whether it is still there, and what it is called. */
const residentRelations: readonly Relation[] = [
  "runs_on",
  "stored_on",
  "serves",
  "owned_by",
  "removed_from",
  "named",
];

/**
 * A name or address that more things bore than this, at any time, proves nothing any more: its bearers could be
 * told apart only by loading them all.
 */
export const bearersMax = 200;

/** Kinds from which nothing leads on, unless they are what was asked for. */
const leaves = new Set([...aliasKinds, "component", "region", "flavor", "request", "domain"]);

/**
 * The only relations that lead from a thing to whose it is. Where a thing runs, what it is attached to or made from is
 * told of it, but nobody who asks for its owner goes there.
 */
const waysToOwners: ReadonlySet<Relation> = new Set<Relation>([
  "owned_by",
  "part_of",
  "routed_by",
  "works_in",
  "member_of",
  "used_by",
  "concerns",
  "serves",
]);

/** What one walk has come upon. */
interface Walk {
  readonly client: pg.ClientBase;
  readonly controlPlane: string;
  readonly visited: Set<string>;
  readonly facts: KnownFact[];
  readonly crowded: Set<string>;
  readonly cut: Map<string, ReadonlySet<string>>;
  /** Keys of places whose residents are asked for; undefined for all. */
  readonly places: Set<string> | undefined;
}

/** Goes out from the keys round by round; what it comes upon is followed on, unless everything meets there. */
export async function walk(
  client: pg.ClientBase,
  controlPlane: string,
  start: Start | Pick<Start, "keys">,
  hops: number,
): Promise<Surroundings> {
  const places = "places" in start ? new Set(start.places) : undefined;
  const state: Walk = {
    client,
    controlPlane,
    visited: new Set(),
    facts: [],
    crowded: new Set(),
    cut: new Map(),
    places,
  };
  const given = visit(state, start.keys.map(parseEntityKey));
  const met = await meet(state, given);
  const borne = visit(state, met.borne);
  let frontier = [...given, ...borne];
  const asked = new Set(frontier.map(entityKey));
  // Those who point here count as one step with where else they point, or nobody could tell if they still do.
  const others = await meet(state, borne.filter(isPointedAt));
  const bearers = visit(state, [...met.pointing, ...others.pointing]);
  const borneBy = new Set(bearers.map(entityKey));
  for (let hop = 0; hop <= hops && frontier.length > 0; hop += 1) {
    const around = hop === 0 ? [...frontier, ...bearers] : frontier;
    const parts = hop === 0 ? await partsOf(state, around) : [];
    const residents = visit(state, await residentsOf(state, [...around, ...parts]));
    const loaded = hop === 0 ? await loadFirst(state, frontier, bearers) : await load(state, around, {});
    const theirs = await load(state, residents, { only: residentRelations });
    const ways = loaded.filter(({ from, relation }) => asked.has(entityKey(from)) || leadsOn(from, relation));
    // Of a bearer all is told, also that it bears the name, wherever it leads.
    const told = hop === 0 ? loaded.filter(({ from }) => borneBy.has(entityKey(from))) : [];
    state.facts.push(...new Set([...ways, ...told]), ...theirs);
    for (const { from, relation, to } of ways) {
      if (relation === "serves" && places?.has(entityKey(from)) === true) places.add(entityKey(to));
    }
    const owners = theirs.filter(({ relation }) => relation === "owned_by");
    const onward = places === undefined ? ways : ways.filter(({ relation }) => waysToOwners.has(relation));
    frontier = visit(
      state,
      [...onward, ...owners].map(({ to }) => to).filter(({ kind }) => !leaves.has(kind)),
    );
  }
  // An owner is an answer with its domain only, however far away it was found.
  const projects = places === undefined ? [] : frontier.filter(({ kind }) => kind === "project");
  state.facts.push(...(await load(state, projects, { only: ["part_of"] })));
  return { facts: distinct(state.facts), crowded: state.crowded, cut: state.cut };
}

function visit({ visited }: Walk, entities: readonly EntityRef[]): EntityRef[] {
  const fresh: EntityRef[] = [];
  for (const entity of entities) {
    const key = entityKey(entity);
    if (visited.has(key)) continue;
    visited.add(key);
    fresh.push(entity);
  }
  return fresh;
}

/** What is told of an id without its kind comes with each thing that bears the id. */
function distinct(facts: readonly KnownFact[]): readonly KnownFact[] {
  const seen = new Set<string>();
  return facts.filter(({ from, relation, to, at, holds }) => {
    if (from.kind !== "resource") return true;
    const key = JSON.stringify([from.id, relation, entityKey(to), at, holds]);
    return !seen.has(key) && seen.add(key).size > 0;
  });
}

function leadsOn(from: EntityRef, relation: Relation): boolean {
  const ways = waysOutOfHubs[from.kind];
  return ways === undefined ? !hubKinds.includes(from.kind) : ways.includes(relation);
}

async function load(
  { client, controlPlane, crowded, places }: Walk,
  entities: readonly EntityRef[],
  what: { readonly only?: readonly Relation[]; readonly used?: readonly EntityRef[] },
): Promise<readonly KnownFact[]> {
  const after = places === undefined ? "" : lastUnasked;
  return changePoints(client, controlPlane, entities, { crowded, used: [], after, ...what });
}

/** What is told of that which was asked for; who used a thing is asked by those who know no owner of it. */
async function loadFirst(
  state: Walk,
  asked: readonly EntityRef[],
  bearers: readonly EntityRef[],
): Promise<readonly KnownFact[]> {
  const all = [...asked, ...bearers];
  if (state.places === undefined) return load(state, all, { used: all });
  const aliases = asked.filter(({ kind }) => aliasKinds.includes(kind));
  const loaded = await load(state, all, { used: aliases });
  const used = mayAskWhoUsed(asked, loaded);
  return used.length === 0 ? loaded : [...loaded, ...(await load(state, [], { used }))];
}

/** What is asked for together with those who point at it: what bears a name or address, what a request was about. */
function isPointedAt({ kind }: EntityRef): boolean {
  return kind === "request" || aliasKinds.includes(kind);
}

/** Given are $2 ids without kinds, $3 and $4 aliases, $5 requests; $6 are the relations by which an alias is borne. */
const meetSql = `
  SELECT 'resource:' || given.id, 'borne', found.from_kind, found.from_id
    FROM unnest($2::text[]) AS given (id) CROSS JOIN LATERAL (
      SELECT DISTINCT from_kind, from_id FROM isochron.topology_run
       WHERE control_plane = $1 AND from_id = given.id OFFSET 0) AS found
  UNION ALL
  -- In the order of the index, so that of a name that everybody uses no more is read than is counted.
  SELECT given.kind || ':' || given.id, 'bearer', bearer.from_kind, bearer.from_id
    FROM unnest($3::text[], $4::text[]) AS given (kind, id) CROSS JOIN unnest($6::text[]) AS way (relation)
   CROSS JOIN LATERAL (
      SELECT DISTINCT from_kind, from_id FROM isochron.topology_run
       WHERE control_plane = $1 AND to_kind = given.kind AND to_id = given.id AND relation = way.relation
       LIMIT ${bearersMax + 1}) AS bearer
  UNION ALL
  SELECT 'request:' || given.id, 'asker', found.from_kind, found.from_id
    FROM unnest($5::text[]) AS given (id) CROSS JOIN LATERAL (
      SELECT DISTINCT from_kind, from_id FROM isochron.topology_run
       WHERE control_plane = $1 AND to_kind = 'request' AND to_id = given.id OFFSET 0) AS found`;

type MetRow = [met: string, how: "borne" | "bearer" | "asker", fromKind: string, fromId: string];

/** Of some entities, what they are met as or through: in one statement, because each costs a round trip. */
interface Met {
  /** What bears the ids whose kind was not told, whatever it is. */
  readonly borne: readonly EntityRef[];
  /**
   * What ever bore the names and addresses, none of those that more things bore than can be told apart; and what points
   * at the requests.
   */
  readonly pointing: readonly EntityRef[];
}

async function meet(state: Walk, entities: readonly EntityRef[]): Promise<Met> {
  const idsOf = (kind: string): string[] =>
    entities.filter((entity) => entity.kind === kind).map(({ id }) => id);
  const [unkinded, requests] = [idsOf("resource"), idsOf("request")];
  const aliases = entities.filter(({ kind }) => aliasKinds.includes(kind));
  if (unkinded.length + requests.length + aliases.length === 0) return { borne: [], pointing: [] };
  const aliasIds = aliases.map(({ id }) => id);
  const aliasesKinds = aliases.map(({ kind }) => kind);
  const { rows } = await state.client.query<MetRow>({
    text: meetSql,
    values: [state.controlPlane, unkinded, aliasesKinds, aliasIds, requests, bearing],
    rowMode: "array",
  });
  const take = (how: MetRow[1]): readonly EntityRef[] =>
    [
      ...Map.groupBy(
        rows.filter((row) => row[1] === how),
        ([met]) => met,
      ),
    ].flatMap(([met, found]) => {
      const refs = new Map(found.map(([, , kind, id]) => [`${kind}:${id}`, { kind, id }]));
      if (how === "bearer" && refs.size > bearersMax) {
        for (const relation of bearing) state.crowded.add(`${met}|${relation}`);
        return [];
      }
      if (how !== "asker" && state.places?.has(met) === true)
        for (const key of refs.keys()) state.places.add(key);
      return [...refs.values()];
    });
  // What is borne comes first, because it may itself be a name that something bears.
  const borne = take("borne");
  return { borne, pointing: [...take("bearer"), ...take("asker")] };
}

/** The parts of the places that are asked for, which are then asked for themselves; what makes them parts is told. */
async function partsOf(state: Walk, entities: readonly EntityRef[]): Promise<readonly EntityRef[]> {
  const { client, controlPlane, places } = state;
  if (places === undefined) return [];
  const asked = entities.filter((entity) => places.has(entityKey(entity)));
  const found = noteCut(state, await findParts(client, controlPlane, asked));
  for (const part of found) places.add(entityKey(part));
  const parts = visit(state, found);
  state.facts.push(...(await load(state, parts, { only: compositions })));
  return parts;
}

function noteCut(state: Walk, { refs, cut }: Taken): readonly EntityRef[] {
  for (const [place, taken] of cut) state.cut.set(place, taken);
  return refs;
}

async function residentsOf(state: Walk, entities: readonly EntityRef[]): Promise<readonly EntityRef[]> {
  const { client, controlPlane, places } = state;
  if (places !== undefined) {
    const asked = entities.filter((entity) => places.has(entityKey(entity)));
    return noteCut(state, await findResidents(client, controlPlane, asked));
  }
  return originsOf(
    state,
    entities.flatMap(({ kind, id }) => {
      const relation = residence[kind];
      if (relation === undefined) return [];
      // What serves a host is told to those only who look around, not to those who ask whose something is.
      const relations = kind === "host" ? [relation, "serves"] : [relation];
      return [{ kind, id, relations }];
    }),
  );
}

/** Everything that points at one of `targets`, along its relations, or all where none are named. */
async function originsOf(
  { client, controlPlane }: Walk,
  targets: readonly { readonly kind: string; readonly id: string; readonly relations?: readonly string[] }[],
): Promise<readonly EntityRef[]> {
  if (targets.length === 0) return [];
  const { rows } = await client.query<{ from_kind: string; from_id: string }>(
    `SELECT DISTINCT f.from_kind, f.from_id
       FROM jsonb_to_recordset($2::jsonb) AS target (kind text, id text, relations jsonb)
       JOIN isochron.topology_run f
         ON f.control_plane = $1 AND f.to_kind = target.kind AND f.to_id = target.id
      WHERE target.relations IS NULL OR target.relations ? f.relation
      ORDER BY f.from_kind, f.from_id`,
    [controlPlane, JSON.stringify(targets)],
  );
  return rows.map((row) => ({ kind: row.from_kind, id: row.from_id }));
}
