import type { TypePair } from "./what-else-input.ts";

/** As much of an event as mining looks at: never whose it is. */
export interface Sighting {
  readonly type: string;
  /** Milliseconds. */
  readonly at: number;
  /** Whether it may be an effect. */
  readonly symptom: boolean;
  /** The things that it is about, within their control planes: equal keys hang together. */
  readonly things: readonly string[];
}

export interface MinedPair extends TypePair {
  readonly cause: string;
  readonly effect: string;
}

/** A type is taken to lead to another where it comes so shortly before. */
export const pairWindowMs = 15 * 60_000;

/** Seen together less often than this, a pair is an anecdote. */
const togetherMin = 5;

/** The share of false discoveries among what is kept, by Benjamini and Hochberg (1995). */
const falseShare = 0.01;

const pairsMax = 5_000;
const sightingsOfThingMax = 2_000;

interface Tally {
  before: number;
  after: number;
  expected: number;
}

/**
 * Which types come before which symptoms on the same things more often than chance has it. Chance is that both come to
 * each thing as often as they do, at times that have nothing to do with one another; its tail is Poisson's. What is so
 * often that it crowds a thing is looked at in its first sightings. Pure: any order of sightings gives the same.
 */
export function minePairs(sightings: readonly Sighting[], spanMs: number): readonly MinedPair[] {
  const tallies = new Map<string, Tally>();
  for (const own of byThing(sightings).values()) {
    const ordered = own
      .toSorted((a, b) => a.at - b.at || (a.type < b.type ? -1 : 1))
      .slice(0, sightingsOfThingMax);
    if (ordered.some(({ symptom }) => symptom)) tally(ordered, spanMs, tallies);
  }
  const tested = [...tallies]
    .map(([key, { before, after, expected }]) => toPair(key, before, after, expected))
    .toSorted((a, b) => a.pValue - b.pValue || (a.cause + a.effect < b.cause + b.effect ? -1 : 1));
  const kept = tested.findLastIndex(
    ({ pValue }, index) => pValue <= (falseShare * (index + 1)) / tested.length,
  );
  return tested
    .slice(0, kept + 1)
    .filter(({ together, lift }) => together >= togetherMin && lift > 1)
    .slice(0, pairsMax);
}

function byThing(sightings: readonly Sighting[]): ReadonlyMap<string, readonly Sighting[]> {
  const things = new Map<string, Sighting[]>();
  for (const sighting of sightings) {
    for (const thing of new Set(sighting.things)) {
      const own = things.get(thing);
      if (own === undefined) things.set(thing, [sighting]);
      else own.push(sighting);
    }
  }
  return things;
}

/** Counts, for each symptom of a thing, each type once that came in the window before it, and once after it. */
function tally(ordered: readonly Sighting[], spanMs: number, tallies: Map<string, Tally>): void {
  const counts = new Map<string, number>();
  for (const { type } of ordered) counts.set(type, (counts.get(type) ?? 0) + 1);
  const effects = new Map<string, number>();
  for (const [index, { type, at, symptom }] of ordered.entries()) {
    if (!symptom) continue;
    effects.set(type, (effects.get(type) ?? 0) + 1);
    for (const cause of typesNear(ordered, index, at - pairWindowMs, -1)) of(tallies, cause, type).before++;
    for (const cause of typesNear(ordered, index, at + pairWindowMs, 1)) of(tallies, cause, type).after++;
  }
  for (const [effect, effectCount] of effects) {
    for (const [cause, causeCount] of counts) {
      if (cause === effect) continue;
      // The chance that at least one of so many falls into the window before a symptom.
      const share = 1 - Math.exp((-causeCount * pairWindowMs) / Math.max(spanMs, pairWindowMs));
      of(tallies, cause, effect).expected += effectCount * share;
    }
  }
}

function typesNear(
  ordered: readonly Sighting[],
  index: number,
  edge: number,
  step: 1 | -1,
): ReadonlySet<string> {
  const found = new Set<string>();
  const own = ordered[index]!;
  for (let at = index + step; at >= 0 && at < ordered.length; at += step) {
    const other = ordered[at]!;
    if (step < 0 ? other.at < edge : other.at > edge) break;
    // What is told of the same instant is neither before nor after.
    if (other.at !== own.at && other.type !== own.type) found.add(other.type);
  }
  return found;
}

function of(tallies: Map<string, Tally>, cause: string, effect: string): Tally {
  const key = `${cause}>${effect}`;
  const known = tallies.get(key);
  if (known !== undefined) return known;
  const fresh = { before: 0, after: 0, expected: 0 };
  tallies.set(key, fresh);
  return fresh;
}

function toPair(key: string, before: number, after: number, expected: number): MinedPair {
  const [cause = "", effect = ""] = key.split(">");
  return {
    cause,
    effect,
    together: before,
    lift: before / Math.max(expected, 1e-9),
    direction: before + after === 0 ? 0 : (before - after) / (before + after),
    pValue: chanceOfAsMany(before, expected),
  };
}

/** P[Poisson(expected) ≥ count]. */
function chanceOfAsMany(count: number, expected: number): number {
  if (count === 0) return 1;
  if (expected <= 0) return 0;
  // Below what is expected the tail is the greater part, and its smallness is not asked for.
  if (count <= expected) return 1;
  let logTerm = -expected + count * Math.log(expected);
  for (let factor = 2; factor <= count; factor++) logTerm -= Math.log(factor);
  let term = Math.exp(logTerm);
  let sum = 0;
  for (let next = count + 1; term > sum * 1e-12 && next < count + 10_000; next++) {
    sum += term;
    term *= expected / next;
  }
  return Math.min(1, sum);
}
