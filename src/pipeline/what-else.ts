import type { Edge } from "../correlate/topology-paths.ts";
import type { CauseCover } from "../correlate/cause-cover.ts";
import { rankWhatElse, type Candidate, type Follower, type WhatElse } from "../correlate/what-else.ts";
import type { WhatElseInput } from "../correlate/what-else-input.ts";
import { entityKey, type EntityRef } from "../model/entity.ts";
import { instant, type Duration, type Instant } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";
import type { KnownFact } from "../model/topology.ts";
import type { CorrelationReader, Cut, NearEvent, NearEvents } from "../store/correlation-reader.ts";
import type { EventReader, VisibleEvent } from "../store/event-reader.ts";
import { clockErrorsOf, loadContext, type ContextParts } from "./what-else-context.ts";
import { edgesAt, joinThings, walkAround, type Around, type WalkParts } from "./what-else-topology.ts";

export { edgesAt } from "./what-else-topology.ts";

const dayMs = 86_400_000;

/** Usual rates are of so many days before the window. */
const baselineMs = 29 * dayMs;

/** What was done to the things themselves is looked for so far back: causes have a long tail. */
const longMs = 7 * dayMs;

/** What followed is looked for as far on as the window reaches back, and no further than this. */
const followedMsMax = 2 * 3_600_000;

/** Other symptoms within so long of the target are of the same stretch. */
const stretchMs = 15 * 60_000;

const startsMax = 200;
const followedMax = 20;

/** What can be asked from: events, a resource at a moment, or a moment alone. */
export interface WhatElseQuestion {
  /** Several are asked about together; the earliest stands for the moment. None where a resource or a moment is asked from. */
  readonly events?: readonly string[];
  /** The same as one of `events`. */
  readonly event?: string;
  readonly resource?: EntityRef;
  readonly at?: Instant;
  readonly windowMs: Duration;
  readonly limit: number;
}

export interface WhatElseAnswer {
  readonly target: {
    readonly event?: VisibleEvent;
    /** All events asked about, earliest first, where there are several. */
    readonly selection?: readonly VisibleEvent[];
    readonly resource?: EntityRef;
    readonly at: Instant;
  };
  readonly window: { readonly from: Instant; readonly to: Instant };
  readonly candidates: readonly Shown<Candidate<NearEvent>>[];
  /** What began after the moment: perhaps a consequence, never a cause. */
  readonly followed: readonly Shown<Follower<NearEvent>>[];
  /** Few candidates that explain many symptoms, by event id. */
  readonly cover: CauseCover;
  readonly checked: {
    readonly events: number;
    readonly nothingOn: readonly EntityRef[];
    readonly truncated: boolean;
    /** How far back the things themselves were looked at. */
    readonly since: Instant;
    readonly cut: readonly Cut[];
  };
}

type Shown<T> = Omit<T, "event"> & { readonly event: VisibleEvent };

export interface WhatElseParts extends WalkParts, ContextParts {
  readonly reader: Pick<EventReader, "coverage">;
  readonly correlation: CorrelationReader;
}

/** Answers "what else changed before this?" within a scope; undefined where an event asked about is not in it. */
export async function findWhatElse(
  parts: WhatElseParts,
  scope: Scope,
  question: WhatElseQuestion,
): Promise<WhatElseAnswer | undefined> {
  const [targets, clocks] = await Promise.all([
    loadTargets(parts, scope, question),
    clockErrorsOf(parts, scope),
  ]);
  const at = targets?.[0]?.event.occurredAt ?? question.at;
  if (targets === undefined || at === undefined) return undefined;
  const precision = targets.reduce((most, { event }) => Math.max(most, event.precision), 0);
  const window = {
    from: instant(at - question.windowMs),
    to: instant(at + precision + clocks.longestMs + 1),
  };
  const asked: Asked = { scope, question, targets, at, window, starts: startsOf(targets, question.resource) };
  const { near, edges } = await lookAround(parts, asked, clocks.planes);
  const [first] = targets;
  const input: WhatElseInput<NearEvent> = {
    target: {
      ...(first === undefined ? {} : { event: first.event }),
      ...(targets.length > 1 ? { selection: targets.map(({ event }) => event) } : {}),
      ...(question.resource === undefined ? {} : { resource: question.resource }),
      at,
    },
    earlier: near.earlier,
    later: near.later,
    edges,
    rates: new Map(near.usual.map(({ type, ...rate }) => [type, rate])),
    clockErrors: clocks.errors,
    symptoms: symptomsOf(targets, [...near.earlier, ...near.later], at),
    ...(await loadContext(parts, { scope, targets, events: near.earlier, edges })),
    limit: question.limit,
  };
  return assemble(parts, asked, { ranked: rankWhatElse(input), near });
}

interface Asked {
  readonly scope: Scope;
  readonly question: WhatElseQuestion;
  /** Earliest first. */
  readonly targets: readonly VisibleEvent[];
  readonly at: Instant;
  readonly window: { readonly from: Instant; readonly to: Instant };
  readonly starts: readonly EntityRef[];
}

async function loadTargets(
  { correlation }: WhatElseParts,
  scope: Scope,
  { event, events = event === undefined ? [] : [event] }: WhatElseQuestion,
): Promise<readonly VisibleEvent[] | undefined> {
  const ids = new Set(events);
  if (ids.size === 0) return [];
  const found = await correlation.events(scope, [...ids]);
  if (found.length < ids.size) return undefined;
  return found.toSorted(
    (a, b) => a.event.occurredAt - b.event.occurredAt || (a.event.id < b.event.id ? -1 : 1),
  );
}

/** Whose it is does not make a cause: everything of a project would be one. */
const notStarts = new Set(["project", "domain", "flavor", "user", "region"]);

function startsOf(targets: readonly VisibleEvent[], resource: EntityRef | undefined): readonly EntityRef[] {
  const mentioned = targets.flatMap(({ event }) => [event.subject, ...event.related.map(({ ref }) => ref)]);
  const refs = [...(resource === undefined ? [] : [resource]), ...mentioned];
  const subjects = new Set(targets.map(({ event }) => entityKey(event.subject)));
  const distinct = new Map(refs.map((ref) => [entityKey(ref), ref]));
  return [...distinct]
    .filter(([key, { kind }]) => subjects.has(key) || !notStarts.has(kind))
    .map(([, ref]) => ref)
    .slice(0, startsMax);
}

/** All that lies near, with the topology that joins it; a tenant's own editions without any. */
async function lookAround(
  parts: WhatElseParts,
  asked: Asked,
  planes: readonly string[],
): Promise<{ readonly near: NearEvents; readonly edges: readonly Edge[] }> {
  const { scope, targets, starts, at } = asked;
  // From a moment alone nothing leads anywhere, so all control planes are looked through at once.
  if (scope.kind === "tenant" || starts.length === 0) {
    return { near: await parts.correlation.near(scope, nearOf(asked, undefined, undefined)), edges: [] };
  }
  const own = targets.flatMap(({ audience, event }) => (audience === "provider" ? [event.controlPlane] : []));
  const chosen = [...new Set(own.length > 0 ? own : planes)];
  const walks = await Promise.all(
    chosen.map(async (plane) => ({ plane, around: await walkAround(parts, plane, starts, at) })),
  );
  // Where one control plane knows the things, the others have nothing to do with them.
  const known = walks.filter(({ around }) => around.facts.length > 0);
  const answers = await Promise.all(
    (known.length > 0 ? known : walks).map(async ({ plane, around }) => {
      const near = await parts.correlation.near(scope, nearOf(asked, plane, around));
      const facts = [...around.facts, ...(await joinFound(parts, plane, around, near))];
      const cut = around.cut.length === 0 ? [] : [{ of: "things around it", most: around.near.length }];
      return {
        near: { ...near, cut: [...near.cut, ...cut] },
        edges: withToldHosts(edgesAt(parts.buildView(plane, facts), facts, at), starts, near.earlier),
      };
    }),
  );
  return {
    near: {
      earlier: answers.flatMap(({ near }) => near.earlier),
      later: answers.flatMap(({ near }) => near.later),
      cut: answers.flatMap(({ near }) => near.cut),
      usual: answers.flatMap(({ near }) => near.usual),
    },
    edges: answers.flatMap(({ edges }) => edges),
  };
}

/** Where the topology knows no host of a thing yet, the last record before that named one tells: it was being put there. */
function withToldHosts(
  edges: readonly Edge[],
  starts: readonly EntityRef[],
  events: readonly NearEvent[],
): readonly Edge[] {
  const placed = new Set(
    edges.filter(({ relation }) => relation === "runs_on").map(({ from }) => entityKey(from)),
  );
  const told = starts.flatMap((start): readonly Edge[] => {
    const key = entityKey(start);
    if (start.kind !== "server" || placed.has(key)) return [];
    const hosts = events
      .filter(({ subject }) => entityKey(subject) === key)
      .flatMap(({ related }) => related.filter(({ role, ref }) => role === "host" && ref.kind === "host"));
    return hosts.slice(0, 1).map(({ ref }) => ({ from: start, relation: "runs_on", to: ref }));
  });
  return [...edges, ...told];
}

function nearOf(
  { question, window, at, starts, targets }: Asked,
  plane: string | undefined,
  around: Around | undefined,
) {
  const operations = targets.map(({ event }) => event.operation);
  const requests = operations.flatMap((operation) => [operation?.requestId, operation?.globalRequestId]);
  const actors = targets.map(({ audience, event }) =>
    audience === "provider" ? event.actor?.userId : undefined,
  );
  return {
    ...(plane === undefined ? {} : { controlPlane: plane }),
    window,
    longFrom: instant(Math.min(window.from, at - longMs)),
    until: instant(window.to + Math.min(question.windowMs, followedMsMax)),
    starts,
    near: around?.near ?? [],
    beside: around?.beside ?? [],
    requests: distinct(requests),
    actors: distinct(actors),
    usualFrom: instant(window.from - baselineMs),
    at,
  };
}

function distinct(values: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(values.filter((value) => value !== undefined))];
}

/** How what was found by its time is joined to what was found by its place. */
async function joinFound(
  parts: WhatElseParts,
  plane: string,
  around: Around,
  near: NearEvents,
): Promise<readonly KnownFact[]> {
  const known = new Set(around.facts.map(({ from }) => entityKey(from)));
  const subjects = new Map(near.earlier.map(({ subject }) => [entityKey(subject), subject]));
  const strangers = [...subjects].filter(([key, { kind }]) => !known.has(key) && !notStarts.has(kind));
  return joinThings(
    parts,
    plane,
    strangers.map(([, ref]) => ref),
  );
}

/** What one cause may cover: what was asked about, or else what broke around the same time. */
function symptomsOf(
  targets: readonly VisibleEvent[],
  events: readonly NearEvent[],
  at: Instant,
): readonly NearEvent[] {
  if (targets.length > 1) return targets.map(({ event }) => event);
  const own = new Set(targets.map(({ event }) => event.id));
  return events.filter(
    ({ id, kind, occurredAt }) =>
      kind === "symptom" && !own.has(id) && Math.abs(occurredAt - at) <= stretchMs,
  );
}

/** Loads whole what is shown, and nothing else. */
async function assemble(
  parts: WhatElseParts,
  { scope, question, targets, at, window }: Asked,
  { ranked, near }: { readonly ranked: WhatElse<NearEvent>; readonly near: NearEvents },
): Promise<WhatElseAnswer> {
  const followed = ranked.followed.slice(0, followedMax);
  const shown = await parts.correlation.eventsAt(
    scope,
    [...ranked.candidates, ...followed].map(({ event }) => event),
  );
  const visible = new Map(shown.map((one) => [one.event.id, one]));
  // Retention may have taken one away since it was ranked.
  const see = <T extends { readonly event: NearEvent }>({ event, ...rest }: T) => {
    const one = visible.get(event.id);
    return one === undefined ? [] : [{ ...rest, event: one }];
  };
  return {
    target: {
      ...(targets[0] === undefined ? {} : { event: targets[0] }),
      ...(targets.length > 1 ? { selection: targets } : {}),
      ...(question.resource === undefined ? {} : { resource: question.resource }),
      at,
    },
    window,
    candidates: ranked.candidates.flatMap(see),
    followed: followed.flatMap(see),
    cover: ranked.cover,
    checked: {
      events: near.earlier.length,
      nothingOn: ranked.nothingOn,
      truncated: near.cut.length > 0,
      since: instant(Math.min(window.from, at - longMs)),
      cut: [...new Map(near.cut.map((one) => [one.of, one])).values()],
    },
  };
}
