import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import { harmAlong, type Harm } from "./blast-harm.ts";
import type { Edge } from "./topology-paths.ts";

/** A relation as of the moment asked for, with when it was last seen to hold. */
export interface SeenEdge extends Edge {
  /** Milliseconds since 1970; absent where that is not known. */
  readonly lastSeenAt?: number | undefined;
}

/** One step of the harm's way: what failed, what it harms, and why. */
export interface HarmHop {
  readonly failed: EntityRef;
  readonly harmed: EntityRef;
  readonly edge: SeenEdge;
  readonly harm: Harm;
}

/** Something that the failure can reach. */
export interface Reached {
  readonly ref: EntityRef;
  /** Above 0 and below 1. */
  readonly probability: number;
  /** Hops of the likeliest way, from what failed to it. */
  readonly way: readonly HarmHop[];
  /** The longest ago that a relation of that way was last seen; absent where none says. */
  readonly lastSeenAt?: number;
}

/** What is less likely than this is noise, and walking on from it would visit the whole cloud. */
export const probabilityMin = 0.02;

interface Best {
  readonly strength: number;
  readonly way: readonly HarmHop[];
}

/**
 * Walks forward from what failed, at most `hopsMax` hops: P(v) = 1 − ∏(1 − P(u)·w(u,v)) over those u whose likeliest way
 * is likelier than v's own. So the strongest way decides who is before whom; harm never comes back to where it came
 * from, cycles end, and neither the order of the edges nor one edge told twice changes anything. What failed is not in it.
 * The likeliest first. Pure.
 */
export function spreadHarm(
  failed: readonly EntityRef[],
  edges: readonly SeenEdge[],
  hopsMax: number,
): readonly Reached[] {
  const hops = [...harmsOf(edges).values()];
  const best = findLikeliest(
    failed,
    Map.groupBy(hops, (hop) => entityKey(hop.failed)),
    hopsMax,
  );
  const starts = new Set(failed.map(entityKey));
  const incoming = Map.groupBy(hops, (hop) => entityKey(hop.harmed));
  const probability = new Map<string, number>([...starts].map((key) => [key, 1]));
  const ordered = [...best].toSorted(([a, x], [b, y]) => y.strength - x.strength || compare(a, b));
  for (const [key, { strength }] of ordered) {
    if (starts.has(key)) continue;
    const escapes = (incoming.get(key) ?? [])
      .toSorted((a, b) => compare(spell(a), spell(b)))
      .filter((hop) => (best.get(entityKey(hop.failed))?.strength ?? 0) > strength)
      .map((hop) => 1 - probability.get(entityKey(hop.failed))! * hop.harm.weight);
    probability.set(key, 1 - escapes.reduce((product, one) => product * one, 1));
  }
  return ordered
    .filter(([key]) => !starts.has(key))
    .map(([key, { way }]) => toReached(way, probability.get(key)!))
    .toSorted((a, b) => b.probability - a.probability || compare(entityKey(a.ref), entityKey(b.ref)));
}

/** Each harm once, in the direction in which it goes. */
function harmsOf(edges: readonly SeenEdge[]): ReadonlyMap<string, HarmHop> {
  const hops = new Map<string, HarmHop>();
  for (const edge of edges) {
    for (const failing of ["from", "to"] as const) {
      const harm = harmAlong(edge, failing);
      if (harm === undefined || entityKey(edge.from) === entityKey(edge.to)) continue;
      const [failed, harmed] = failing === "from" ? [edge.from, edge.to] : [edge.to, edge.from];
      const hop = { failed, harmed, edge, harm };
      const known = hops.get(spell(hop));
      if (known === undefined || (edge.lastSeenAt ?? 0) > (known.edge.lastSeenAt ?? 0))
        hops.set(spell(hop), hop);
    }
  }
  return hops;
}

function findLikeliest(
  failed: readonly EntityRef[],
  onward: ReadonlyMap<string, readonly HarmHop[]>,
  hopsMax: number,
): ReadonlyMap<string, Best> {
  const best = new Map<string, Best>(failed.map((ref) => [entityKey(ref), { strength: 1, way: [] }]));
  let frontier = new Map(best);
  for (let hop = 0; hop < hopsMax && frontier.size > 0; hop += 1) {
    const next = new Map<string, Best>();
    for (const [key, { strength, way }] of frontier) {
      for (const step of onward.get(key) ?? []) {
        const harmed = entityKey(step.harmed);
        const found: Best = { strength: strength * step.harm.weight, way: [...way, step] };
        if (found.strength < probabilityMin) continue;
        if (isBetter(found, best.get(harmed)) && isBetter(found, next.get(harmed))) next.set(harmed, found);
      }
    }
    for (const [key, found] of next) best.set(key, found);
    frontier = next;
  }
  return best;
}

/** Of two equally likely ways the shorter, and of two as short the first by name, whatever order they came in. */
function isBetter(found: Best, known: Best | undefined): boolean {
  if (known === undefined || found.strength > known.strength) return true;
  if (found.strength < known.strength || found.way.length > known.way.length) return false;
  if (found.way.length < known.way.length) return true;
  return compare(found.way.map(spell).join(" "), known.way.map(spell).join(" ")) < 0;
}

function toReached(way: readonly HarmHop[], probability: number): Reached {
  const seen = way.flatMap(({ edge }) => edge.lastSeenAt ?? []);
  return {
    ref: way.at(-1)!.harmed,
    probability,
    way,
    ...(seen.length === 0 ? {} : { lastSeenAt: Math.min(...seen) }),
  };
}

function spell({ failed, edge, harmed }: HarmHop): string {
  return `${entityKey(failed)} ${edge.relation} ${entityKey(harmed)}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
