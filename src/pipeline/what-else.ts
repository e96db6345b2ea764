import { rankWhatElse } from "../correlate/what-else.ts";
import type { Candidate } from "../correlate/what-else.ts";
import type { Edge } from "../correlate/topology-paths.ts";
import type { UsualRate } from "../correlate/what-else-input.ts";
import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Duration, Instant } from "../model/instant.ts";
import { instant } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";
import type { KnownFact, Relation } from "../model/topology.ts";
import type { TopologyView } from "../resolve/resolver.ts";
import type { EventFilter, EventReader, VisibleEvent } from "../store/event-reader.ts";
import type { TopologyReader } from "../store/topology-reader.ts";

/** Looked at per class of event, newest first; beyond it the answer says that it was truncated. */
const changesMax = 1000;
const symptomsMax = 400;
const startsMax = 400;

/** The longest stretch that usual rates are taken from. */
const baselineMs = 30 * 24 * 3_600_000;

/** What can be asked from: an event, a resource at a moment, or a moment alone. */
export interface WhatElseQuestion {
  readonly event?: string;
  readonly resource?: EntityRef;
  readonly at?: Instant;
  readonly windowMs: Duration;
  readonly limit: number;
}

export interface WhatElseAnswer {
  readonly target: { readonly event?: VisibleEvent; readonly resource?: EntityRef; readonly at: Instant };
  readonly window: { readonly from: Instant; readonly to: Instant };
  readonly candidates: readonly (Omit<Candidate<unknown>, "event"> & { readonly event: VisibleEvent })[];
  readonly checked: {
    readonly events: number;
    readonly nothingOn: readonly EntityRef[];
    readonly truncated: boolean;
  };
}

export interface WhatElseParts {
  readonly reader: EventReader;
  readonly topology: TopologyReader;
  readonly buildView: (controlPlane: string, facts: readonly KnownFact[]) => TopologyView;
}

/** Answers "what else changed before this?" within a scope; undefined when the event is not in it. */
export async function findWhatElse(
  parts: WhatElseParts,
  scope: Scope,
  question: WhatElseQuestion,
): Promise<WhatElseAnswer | undefined> {
  const target = question.event === undefined ? undefined : await parts.reader.event(scope, question.event);
  if (question.event !== undefined && target === undefined) return undefined;
  const at = target?.event.occurredAt ?? question.at;
  if (at === undefined) return undefined;
  const window = {
    from: instant(at - question.windowMs),
    to: instant(at + (target?.event.precision ?? 0) + 1),
  };
  const { events, truncated } = await loadEarlier(parts.reader, scope, window);
  const resource = question.resource === undefined ? {} : { resource: question.resource };
  const ranked = rankWhatElse({
    target: { ...(target === undefined ? {} : { event: target.event }), ...resource, at },
    earlier: events.map((visible) => visible.event),
    edges: await loadEdges(
      parts,
      scope,
      [...events, ...(target === undefined ? [] : [target])],
      question.resource,
      at,
    ),
    rates: await loadRates(parts.reader, scope, events, window.from, at),
    limit: question.limit,
  });
  const visible = new Map(events.map((event) => [event.event.id, event]));
  return {
    target: { ...(target === undefined ? {} : { event: target }), ...resource, at },
    window,
    candidates: ranked.candidates.map((candidate) => ({
      ...candidate,
      event: visible.get(candidate.event.id)!,
    })),
    checked: { events: events.length, nothingOn: ranked.nothingOn, truncated },
  };
}

/** Changes before everything else: they must not be crowded out by the noise of the incident itself. */
async function loadEarlier(reader: EventReader, scope: Scope, window: { from: Instant; to: Instant }) {
  const classes: readonly (readonly [EventFilter, number])[] = [
    [{ ...window, kinds: ["change", "recovery", "human"] }, changesMax],
    [{ ...window, kinds: ["symptom"] }, symptomsMax],
    [{ ...window, kinds: ["activity"], phases: ["start"] }, startsMax],
  ];
  const pages = await Promise.all(
    classes.map(([filter, limit]) => reader.timeline(scope, filter, { limit, order: "newest" })),
  );
  return { events: pages.flatMap((page) => page.events), truncated: pages.some((page) => page.more) };
}

/** The topology is the provider's knowledge: a tenant's question is ranked by what its own editions name. */
async function loadEdges(
  parts: WhatElseParts,
  scope: Scope,
  events: readonly VisibleEvent[],
  resource: EntityRef | undefined,
  at: Instant,
): Promise<readonly Edge[]> {
  if (scope.kind === "tenant") return [];
  const keysByPlane = new Map<string, Set<string>>();
  for (const visible of events) {
    if (visible.audience !== "provider") continue;
    const keys = keysByPlane.get(visible.event.controlPlane) ?? new Set();
    keysByPlane.set(visible.event.controlPlane, keys);
    keys.add(entityKey(visible.event.subject));
    for (const item of visible.event.related) keys.add(entityKey(item.ref));
    if (resource !== undefined) keys.add(entityKey(resource));
  }
  const edges: Edge[] = [];
  for (const [controlPlane, keys] of keysByPlane) {
    const facts = await parts.topology.neighbourhood(controlPlane, [...keys], 2);
    edges.push(...edgesAt(parts.buildView(controlPlane, facts), facts, at));
  }
  return edges;
}

/** The relations among `facts` that held at `at`. */
export function edgesAt(view: TopologyView, facts: readonly KnownFact[], at: Instant): readonly Edge[] {
  const origins = new Map<string, { readonly from: EntityRef; readonly relation: Relation }>();
  for (const fact of facts) {
    if (fact.relation === "named" || fact.relation === "concerns") continue;
    origins.set(`${entityKey(fact.from)}|${fact.relation}`, { from: fact.from, relation: fact.relation });
  }
  return [...origins.values()].flatMap(({ from, relation }) =>
    view.targets(from, relation, at).map((held) => ({ from, relation, to: held.fact.to })),
  );
}

/** How often each type usually occurs: over what is stored before the window, else over all before the moment. */
async function loadRates(
  reader: EventReader,
  scope: Scope,
  events: readonly VisibleEvent[],
  windowFrom: Instant,
  at: Instant,
): Promise<ReadonlyMap<string, UsualRate>> {
  const types = [...new Set(events.map((visible) => visible.event.type))];
  if (types.length === 0) return new Map();
  // What was not harvested yet was unknown, not quiet: usual time begins with the first event of the stretch.
  const stretch = { from: instant(at - baselineMs), to: at };
  const [first] = (await reader.timeline(scope, stretch, { limit: 1, order: "oldest" })).events;
  const historyFrom = first?.event.occurredAt ?? windowFrom;
  // With less history than a window, the window itself is the only usual time there is.
  const historyTo = windowFrom - historyFrom > at - windowFrom ? windowFrom : at;
  const spanMs = Math.max(60_000, historyTo - historyFrom);
  const rates = await reader.typeRates(scope, types, historyFrom, historyTo);
  return new Map(rates.map((rate) => [rate.type, { perMs: rate.count / spanMs }]));
}
