import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Addend } from "./addend.ts";
import { linkByWords, readAccount } from "./account-words.ts";
import type { CandidateGroup } from "./candidate-group.ts";
import { byTime, groupCandidates, operationKey } from "./candidate-group.ts";
import type { CauseCover } from "./cause-cover.ts";
import { coverSymptoms } from "./cause-cover.ts";
import type { Correlatable } from "./correlatable.ts";
import { directionOf, orderErrorMs } from "./direction.ts";
import type { Direction } from "./direction.ts";
import type { Explainer } from "./explainer.ts";
import { createExplainer } from "./explainer.ts";
import { describeGap } from "./gap-words.ts";
import { createReachReader } from "./impact.ts";
import type { Lens } from "./lens.ts";
import { focusLenses } from "./lens.ts";
import { findNothingOn } from "./nothing-on.ts";
import { weigh } from "./score.ts";
import { isNotice, thingsOf } from "./shared-thing.ts";
import type { Edge, TopologyPath } from "./topology-paths.ts";
import { buildGraph } from "./topology-paths.ts";
import type { Verdict, WhatElseInput } from "./what-else-input.ts";

export interface Candidate<E> {
  readonly event: E;
  /** To the symptom that it was weighed against; slightly negative inside the clocks' error. */
  readonly beforeMs: number;
  /** The sum of its addends. */
  readonly score: number;
  readonly direction: Exclude<Direction, "after">;
  readonly path: readonly Edge[];
  readonly addends: readonly Addend[];
  readonly reason: string;
  /** How many further events of the same operation this one stands for. */
  readonly also: number;
  /** Ids of the symptoms asked about, or told beside, that it explains. */
  readonly explains: readonly string[];
  readonly verdict?: Verdict;
}

/** What began after the symptom: perhaps a consequence, never a cause. */
export interface Follower<E> {
  readonly event: E;
  readonly afterMs: number;
  readonly path: readonly Edge[];
}

export interface WhatElse<E> {
  readonly candidates: readonly Candidate<E>[];
  /** The nearest to the target first, then the earliest; at most as many as candidates. */
  readonly followed: readonly Follower<E>[];
  /** Few causes that explain the symptoms asked about and told beside, and what none of them explains; by event id. */
  readonly cover: CauseCover;
  /** What the target stands on and where nothing at all happened. */
  readonly nothingOn: readonly EntityRef[];
}

/** What a candidate merely mentions relates it a little less than what it is about. */
const mentionedShare = 0.8;

/**
 * Ranks what changed before the target, each with the addends of its score in words. Pure: the same input in any order
 * gives the same list. It says "changed before", never "caused by".
 */
export function rankWhatElse<E extends Correlatable>(input: WhatElseInput<E>): WhatElse<E> {
  const graph = buildGraph(input.edges);
  const reachOf = createReachReader(graph);
  const pool = [...new Map([...input.earlier, ...(input.later ?? [])].map((one) => [one.id, one])).values()];
  const lenses = focusLenses(input, pool, graph, reachOf);
  const asked = new Set([input.target.event, ...(input.target.selection ?? [])].map((one) => one?.id));
  const others = pool.filter((one) => !asked.has(one.id)).toSorted(byTime);
  const isAfter = (one: E) => lenses.every((lens) => directionTo(lens, one, true, input) === "after");
  const after = others.filter(isAfter);
  const groups = groupCandidates(others.filter((one) => !isAfter(one)));
  const explainer = createExplainer(input, pool, graph, reachOf);
  const ends = new Set(after.filter(endsOperation).map(operationKey));
  const actsOn = countActorThings(pool);
  const ranked = groups
    .map((group) => weighGroup(group, { input, lenses, explainer, actsOn, runs: ends.has(group.key) }))
    .filter((candidate) => candidate !== undefined)
    .toSorted(byScore);
  const candidates = ranked.slice(0, input.limit);
  const known = new Set(groups.map(({ key }) => key));
  return {
    candidates,
    followed: findFollowers(
      after.filter((one) => !known.has(operationKey(one))),
      lenses,
      input.limit,
    ),
    cover: coverSymptoms(
      explainer.symptoms,
      candidates.map(({ event, score, explains }) => ({ id: event.id, score, explains: new Set(explains) })),
    ),
    nothingOn: findNothingOn(
      pool.filter((one) => !after.includes(one)),
      lenses,
    ),
  };
}

function byScore<E extends Correlatable>(a: Candidate<E>, b: Candidate<E>): number {
  return b.score - a.score || a.beforeMs - b.beforeMs || (a.event.id < b.event.id ? -1 : 1);
}

function endsOperation({ phase, operation }: Correlatable): boolean {
  return operation?.requestId !== undefined && (phase === "end" || phase === "error");
}

function directionTo<E extends Correlatable>(
  { event, at }: Lens<E>,
  candidate: E,
  ended: boolean,
  { clockErrors }: WhatElseInput<E>,
): Direction {
  return directionOf(at - candidate.occurredAt, orderErrorMs(candidate, event, clockErrors), ended);
}

function countActorThings(events: readonly Correlatable[]): ReadonlyMap<string, number> {
  const things = new Map<string, Set<string>>();
  for (const { actor, subject } of events) {
    if (actor?.userId === undefined) continue;
    const own = things.get(actor.userId) ?? new Set();
    things.set(actor.userId, own.add(entityKey(subject)));
  }
  return new Map([...things].map(([user, own]) => [user, own.size]));
}

interface Scales<E extends Correlatable> {
  readonly input: WhatElseInput<E>;
  readonly lenses: readonly Lens<E>[];
  readonly explainer: Explainer;
  /** On how many things each user was seen to act. */
  readonly actsOn: ReadonlyMap<string, number>;
  /** Whether an end was seen after the target: it ran then, for certain. */
  readonly runs: boolean;
}

/** Weighed against each symptom asked about; the one that it fits best decides. */
function weighGroup<E extends Correlatable>(
  group: CandidateGroup<E>,
  scales: Scales<E>,
): Candidate<E> | undefined {
  let best: Candidate<E> | undefined;
  for (const lens of scales.lenses) {
    const candidate = weighAgainst(lens, group, scales);
    if (candidate !== undefined && candidate.score > (best?.score ?? -Infinity)) best = candidate;
  }
  return best;
}

function weighAgainst<E extends Correlatable>(
  lens: Lens<E>,
  group: CandidateGroup<E>,
  { input, explainer, runs, actsOn }: Scales<E>,
): Candidate<E> | undefined {
  const { event } = group;
  const direction = directionTo(lens, event, group.ended, input);
  if (direction === "after") return undefined;
  const beforeMs = lens.at - event.occurredAt;
  const path = strongestPath(event, lens.paths);
  const account = lens.words === undefined ? undefined : readAccount(event);
  const verdict = input.verdicts?.get(event.id);
  const explains = explainer.explainedBy(event);
  const addends = [
    ...weigh({
      target: lens.event,
      candidate: event,
      asked: lens.asked,
      gapMs: runs && direction === "in-progress" ? 0 : beforeMs,
      direction,
      path,
      words: account === undefined || lens.words === undefined ? undefined : linkByWords(account, lens.words),
      rate: input.rates.get(event.type),
      pair: input.pairs?.get(`${event.type}>${lens.event?.type}`),
      root: lens.sight.rootOf(event),
      reaction: lens.sight.reactionOf(event),
      planned: input.expected?.get(event.id),
      verdict,
      actorThings: actsOn.get(lens.event?.actor?.userId ?? "") ?? 1,
      evidence: lens.evidence,
    }),
    ...coverAddend(explains.length, explainer.symptoms.length),
  ];
  return {
    event,
    beforeMs,
    score: addends.reduce((sum, addend) => sum + addend.value, 0),
    direction,
    path: path?.hops ?? [],
    addends,
    reason: reasonOf(addends, beforeMs),
    also: group.also,
    explains,
    ...(verdict === undefined ? {} : { verdict }),
  };
}

/** A cause of many symptoms is likelier the cause of each; by their number alone, so that a stranger's symptom changes nothing. */
function coverAddend(explained: number, symptoms: number): readonly Addend[] {
  if (explained < 2) return [];
  const value = Math.min(1.5, 0.4 * Math.log(explained));
  return [{ name: "cover", value, says: `explains ${explained} of ${symptoms} symptoms` }];
}

/** The best way to anything that the candidate is about, or that a notice says it affects. */
function strongestPath(
  event: Correlatable,
  paths: ReadonlyMap<string, TopologyPath>,
): TopologyPath | undefined {
  const share = isNotice(event) ? 1 : mentionedShare;
  let best: TopologyPath | undefined;
  for (const [index, ref] of thingsOf(event).entries()) {
    const path = paths.get(entityKey(ref));
    if (path === undefined) continue;
    const strength = path.strength * (index === 0 && entityKey(ref) === entityKey(event.subject) ? 1 : share);
    if (strength > (best?.strength ?? 0)) best = { strength, hops: path.hops };
  }
  return best;
}

function reasonOf(addends: readonly Addend[], beforeMs: number): string {
  const sign = beforeMs < 0 ? "+" : "−";
  const gap = Math.abs(beforeMs) < 500 ? "the same moment" : `${sign}${describeGap(beforeMs)}`;
  const rest = addends.filter((addend) => addend.name !== "time" && addend.says !== "");
  return [gap, ...rest.map((addend) => addend.says)].join(" · ");
}

function findFollowers<E extends Correlatable>(
  after: readonly E[],
  lenses: readonly Lens<E>[],
  limit: number,
): readonly Follower<E>[] {
  const lastAt = Math.max(...lenses.map((lens) => lens.at));
  return after
    .map((event) => {
      const path = lenses
        .map((lens) => strongestPath(event, lens.paths))
        .filter((one) => one !== undefined)
        .toSorted((a, b) => b.strength - a.strength)[0];
      return {
        event,
        afterMs: event.occurredAt - lastAt,
        path: path?.hops ?? [],
        strength: path?.strength ?? 0,
      };
    })
    .toSorted((a, b) => b.strength - a.strength || byTime(a.event, b.event))
    .slice(0, limit)
    .map(({ event, afterMs, path }) => ({ event, afterMs, path }));
}
