import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import type { AccountWords } from "./account-words.ts";
import { readAccount } from "./account-words.ts";
import { byTime } from "./candidate-group.ts";
import type { Correlatable } from "./correlatable.ts";
import type { EvidenceContext } from "./evidence.ts";
import { gatherEvidence } from "./evidence.ts";
import type { ReachReader } from "./impact.ts";
import type { ImpactSight } from "./impact-sight.ts";
import { seeImpacts } from "./impact-sight.ts";
import { traceImpacts } from "./impact-trace.ts";
import { thingsOf } from "./shared-thing.ts";
import type { Graph, TopologyPath } from "./topology-paths.ts";
import { walkGraph } from "./topology-paths.ts";
import type { WhatElseInput } from "./what-else-input.ts";

/** One moment from which everything before is weighed: a symptom's, a resource's, or a moment alone. */
export interface Lens<E extends Correlatable> {
  readonly event: E | undefined;
  readonly at: Instant;
  /** Whether there is a thing that ways could lead to. */
  readonly asked: boolean;
  readonly starts: readonly EntityRef[];
  readonly paths: ReadonlyMap<string, TopologyPath>;
  readonly words: AccountWords | undefined;
  readonly sight: ImpactSight;
  readonly evidence: EvidenceContext;
}

/** Of a selection so many symptoms are each weighed against everything; the others are still covered. */
const lensesMax = 8;

/** The lenses of a question, the earliest first; of a large selection the first symptom of each of its subjects goes first. */
export function focusLenses<E extends Correlatable>(
  input: WhatElseInput<E>,
  pool: readonly E[],
  graph: Graph,
  reachOf: ReachReader,
): readonly Lens<E>[] {
  const { event, selection = [], resource, at } = input.target;
  const symptoms = new Map(
    [...(event === undefined ? [] : [event]), ...selection].map((one) => [one.id, one]),
  );
  if (symptoms.size === 0) {
    return [focus(undefined, resource === undefined ? [] : [resource], at, pool, graph, reachOf)];
  }
  return pickLenses([...symptoms.values()].toSorted(byTime)).map((one) =>
    focus(one, thingsOf(one), one.id === event?.id ? at : one.occurredAt, pool, graph, reachOf),
  );
}

function pickLenses<E extends Correlatable>(ordered: readonly E[]): readonly E[] {
  const subjects = new Set<string>();
  const firsts = ordered.filter(({ subject }) => {
    const key = entityKey(subject);
    return !subjects.has(key) && subjects.add(key);
  });
  const chosen = new Set([...firsts, ...ordered].slice(0, Math.max(lensesMax, 1)));
  return ordered.filter((one) => chosen.has(one)).slice(0, lensesMax);
}

function focus<E extends Correlatable>(
  event: E | undefined,
  starts: readonly EntityRef[],
  at: Instant,
  pool: readonly E[],
  graph: Graph,
  reachOf: ReachReader,
): Lens<E> {
  const paths = walkGraph(starts, graph);
  const words = event === undefined ? undefined : readAccount(event);
  const asked = starts.length > 0;
  // What the symptom's own minute holds besides may be as much its consequence as part of its past.
  const past = pool.filter((one) => one.occurredAt <= at && one.id !== event?.id);
  const near = new Map([...paths].map(([key, path]) => [key, path.strength]));
  return {
    event,
    at,
    asked,
    starts,
    paths,
    words,
    sight: seeImpacts(traceImpacts(past, reachOf), { event, reach: { near, words }, at, asked }),
    evidence: gatherEvidence(event, past),
  };
}
