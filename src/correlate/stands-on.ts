import { entityKey, type EntityRef } from "../model/entity.ts";
import type { Relation } from "../model/topology.ts";
import type { Edge } from "./topology-paths.ts";

/** One thing that another stands on, and the way there. */
export interface Footing {
  readonly thing: EntityRef;
  /** From the thing that stands, in walking order; empty for that thing itself. */
  readonly hops: readonly Edge[];
}

/** What goes when its target goes. */
const along = new Set<Relation>([
  "runs_on",
  "serves",
  "stored_on",
  "on_network",
  "routed_by",
  "bound_to",
  "member_of",
  "part_of",
  "owned_by",
]);

/** Aggregates hold hosts; a server's group or a user's group carries nobody. */
const carriedByMembership = new Set(["host"]);

const hopsMax = 5;

/** The relations by kind, looked up by both ends once for many walks. */
export interface StandingIndex {
  readonly up: ReadonlyMap<string, readonly Edge[]>;
  readonly known: ReadonlyMap<string, readonly EntityRef[]>;
  /** By whom a port or a network device is held, for what is named by an address. */
  readonly holders: ReadonlyMap<string, readonly EntityRef[]>;
}

/** Kinds that are names of things and not things: what bears one is told by the topology alone. */
const nameKinds = new Set(["hostname", "libvirt_domain", "path", "ip", "mac", "name"]);
const bearing = new Set<Relation>(["known_as", "has_address"]);

export function isName({ kind }: EntityRef): boolean {
  return nameKinds.has(kind);
}

/** Prepares edges of one control plane and moment for {@link footingsOf} and {@link bearerOf}. */
export function indexStanding(edges: readonly Edge[]): StandingIndex {
  const up = new Map<string, Edge[]>();
  const known = new Map<string, EntityRef[]>();
  const holders = new Map<string, EntityRef[]>();
  for (const edge of edges) {
    const { from, relation, to } = edge;
    if (bearing.has(relation)) push(known, entityKey(to), from);
    else if (relation === "attached_to") {
      // A port goes with its server; a server goes with its volume.
      if (from.kind === "volume") push(up, entityKey(to), { from: to, relation, to: from });
      else push(up, entityKey(from), edge);
      if (from.kind === "port") push(holders, entityKey(from), to);
    } else if (relation === "member_of") {
      if (carriedByMembership.has(from.kind)) push(up, entityKey(from), edge);
    } else if (along.has(relation)) push(up, entityKey(from), edge);
  }
  return { up, known, holders };
}

function push<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

/**
 * The one thing that a name, an address or a path stood for, by what the topology knew; undefined where nothing or more
 * than one thing bore it. Names that are only for people to read (`named`) never tell.
 */
export function bearerOf(ref: EntityRef, index: StandingIndex): EntityRef | undefined {
  if (!isName(ref)) return ref;
  if (ref.kind === "name") return undefined;
  const bearers = distinct(index.known.get(entityKey(ref)) ?? []);
  const [bearer, ...others] = distinct(bearers.flatMap((one) => holdersOf(one, index)));
  return others.length === 0 ? bearer : undefined;
}

/** A port's address is its server's. */
function holdersOf(ref: EntityRef, { holders }: StandingIndex): readonly EntityRef[] {
  if (ref.kind !== "port") return [ref];
  return holders.get(entityKey(ref)) ?? [ref];
}

function distinct(refs: readonly EntityRef[]): readonly EntityRef[] {
  return [...new Map(refs.map((ref) => [entityKey(ref), ref])).values()];
}

/** Everything that the things stand on, themselves first, by the shortest way; `passes` leaves relations out. */
export function footingsOf(
  starts: readonly EntityRef[],
  index: StandingIndex,
  passes: (relation: Relation) => boolean = () => true,
): ReadonlyMap<string, Footing> {
  const found = new Map<string, Footing>(
    starts.map((thing) => [entityKey(thing), { thing, hops: [] as readonly Edge[] }]),
  );
  let frontier = [...found.values()];
  for (let hop = 0; hop < hopsMax && frontier.length > 0; hop++) {
    const next: Footing[] = [];
    for (const footing of frontier) {
      const edges = index.up.get(entityKey(footing.thing)) ?? [];
      for (const edge of edges.toSorted(byTarget)) {
        const key = entityKey(edge.to);
        if (found.has(key) || !passes(edge.relation)) continue;
        const reached = { thing: edge.to, hops: [...footing.hops, edge] };
        found.set(key, reached);
        next.push(reached);
      }
    }
    frontier = next;
  }
  return found;
}

function byTarget(one: Edge, other: Edge): number {
  const [a, b] = [entityKey(one.to), entityKey(other.to)];
  return a < b ? -1 : a > b ? 1 : 0;
}
