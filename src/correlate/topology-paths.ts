import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Relation } from "../model/topology.ts";

/** One relation that held at the moment looked at. */
export interface Edge {
  readonly from: EntityRef;
  readonly relation: Relation;
  readonly to: EntityRef;
}

/** The strongest way from the symptom to an entity: strength in (0, 1], and its hops in walking order. */
export interface TopologyPath {
  readonly strength: number;
  readonly hops: readonly Edge[];
}

/**
 * How readily harm comes along a relation: `along` where the symptom's side depends on the other (a server
 * on its host), `against` where the other side depends on it (the host's other servers).
 */
const flow: Readonly<Record<Relation, { readonly along: number; readonly against: number }>> = {
  runs_on: { along: 0.9, against: 0.3 },
  serves: { along: 0.9, against: 0.95 },
  stored_on: { along: 0.7, against: 0.2 },
  attached_to: { along: 0.6, against: 0.6 },
  routed_by: { along: 0.5, against: 0.3 },
  bound_to: { along: 0.5, against: 0.4 },
  member_of: { along: 0.6, against: 0.3 },
  guards: { along: 0.5, against: 0.5 },
  on_network: { along: 0.4, against: 0.15 },
  made_from: { along: 0.3, against: 0.1 },
  copy_of: { along: 0.3, against: 0.3 },
  sized_by: { along: 0.2, against: 0.05 },
  has_address: { along: 0.5, against: 0.5 },
  owned_by: { along: 0.2, against: 0.2 },
  part_of: { along: 0.15, against: 0.1 },
  concerns: { along: 0.2, against: 0.2 },
  named: { along: 0, against: 0 },
  known_as: { along: 0, against: 0 },
  works_in: { along: 0, against: 0 },
  used_by: { along: 0, against: 0 },
  removed_from: { along: 0, against: 0 },
};

/** Longer ways explain nothing to anybody. */
const hopsMax = 4;

/** Weaker ways are as good as none, and walking them would visit the whole cloud. */
const strengthMin = 0.02;

/** A thing with more dependents than this relates nothing to anything: a zone, an external network. */
const dependentsMax = 500;

export interface Step {
  readonly edge: Edge;
  readonly next: EntityRef;
  readonly weight: number;
}

/** Edges made ready for walking from several symptoms; built once by {@link buildGraph}. */
export type Graph = ReadonlyMap<string, readonly Step[]>;

/** The strongest path from any of `starts` to each entity that can be reached. Pure. */
export function findPaths(
  starts: readonly EntityRef[],
  edges: readonly Edge[],
): ReadonlyMap<string, TopologyPath> {
  return walkGraph(starts, buildGraph(edges));
}

/** {@link findPaths} over a graph that is there already. */
export function walkGraph(starts: readonly EntityRef[], steps: Graph): ReadonlyMap<string, TopologyPath> {
  const best = new Map<string, TopologyPath>(
    starts.map((start) => [entityKey(start), { strength: 1, hops: [] }]),
  );
  let frontier = [...best.keys()];
  for (let hop = 0; hop < hopsMax; hop++) {
    const reached = new Set<string>();
    for (const key of frontier) {
      const path = best.get(key)!;
      for (const step of steps.get(key) ?? []) {
        const nextKey = entityKey(step.next);
        const strength = path.strength * step.weight;
        if (strength < strengthMin || strength <= (best.get(nextKey)?.strength ?? 0)) continue;
        best.set(nextKey, { strength, hops: [...path.hops, step.edge] });
        reached.add(nextKey);
      }
    }
    frontier = [...reached].toSorted();
  }
  return best;
}

/** Weighs every edge in both directions; the same whatever order the edges come in. */
export function buildGraph(edges: readonly Edge[]): Graph {
  const dependents = new Map<string, number>();
  for (const edge of edges) count(dependents, `${entityKey(edge.to)}|${edge.relation}`);
  const steps = new Map<string, Step[]>();
  for (const edge of edges) {
    const { along, against } = flow[edge.relation];
    const siblings = dependents.get(`${entityKey(edge.to)}|${edge.relation}`) ?? 1;
    // A hub relates everything to everything: each of many dependents counts for less.
    const damping = edge.relation === "serves" ? 1 : 1 / Math.log2(1 + siblings);
    push(steps, entityKey(edge.from), { edge, next: edge.to, weight: along });
    if (siblings > dependentsMax) continue;
    push(steps, entityKey(edge.to), { edge, next: edge.from, weight: against * Math.min(1, damping) });
  }
  return steps;
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function push(steps: Map<string, Step[]>, key: string, step: Step): void {
  const list = steps.get(key);
  if (list === undefined) steps.set(key, [step]);
  else list.push(step);
}
