import { expectedBy } from "../correlate/expected.ts";
import { indexStanding } from "../correlate/stands-on.ts";
import type { Edge } from "../correlate/topology-paths.ts";
import type { TypePair, Verdict, WhatElseInput } from "../correlate/what-else-input.ts";
import { duration, type Duration, type Instant } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";
import type { NearEvent } from "../store/correlation-reader.ts";
import type { EventReader, VisibleEvent } from "../store/event-reader.ts";
import type { FeedbackStore } from "../store/feedback-store.ts";
import type { MaintenanceStore } from "../store/maintenance-store.ts";
import type { TypePairStore } from "../store/type-pair-store.ts";

/** What is known beside the events; each part is left out of the ranking where it is absent. */
export interface ContextParts {
  readonly reader: Pick<EventReader, "coverage">;
  /** How far the clock of a source of this name may be off; none where absent. */
  readonly clockErrorOf?: (source: string) => Duration;
  readonly maintenance?: Pick<MaintenanceStore, "covering">;
  readonly feedback?: Pick<FeedbackStore, "about">;
  readonly typePairs?: Pick<TypePairStore, "pairs">;
}

export interface Clocks {
  /** By connection. */
  readonly errors: ReadonlyMap<string, Duration>;
  readonly longestMs: number;
  /** The control planes that connections tell of. */
  readonly planes: readonly string[];
}

/** How far each connection's clock may be off. A tenant knows of no connections: its events' own precision has to do. */
export async function clockErrorsOf({ reader, clockErrorOf }: ContextParts, scope: Scope): Promise<Clocks> {
  if (scope.kind === "tenant") return { errors: new Map(), longestMs: 0, planes: [] };
  const { connections } = await reader.coverage(scope);
  const errors = new Map(
    connections.map(({ connection, source }) => [connection, clockErrorOf?.(source) ?? duration(0)]),
  );
  return {
    errors,
    longestMs: Math.max(0, ...errors.values()),
    planes: [...new Set(connections.map(({ controlPlane }) => controlPlane))],
  };
}

interface Questioned {
  readonly scope: Scope;
  readonly targets: readonly VisibleEvent[];
  readonly events: readonly NearEvent[];
  readonly edges: readonly Edge[];
}

/** Planned work, learnt pairs of types and what people said; the provider's knowledge, so none of it for a tenant. */
export async function loadContext(
  parts: ContextParts,
  asked: Questioned,
): Promise<Pick<WhatElseInput<NearEvent>, "expected" | "verdicts" | "pairs">> {
  if (asked.scope.kind === "tenant") return {};
  const [expected, verdicts, pairs] = await Promise.all([
    loadExpected(parts, asked),
    loadVerdicts(parts, asked),
    loadPairs(parts, asked),
  ]);
  return {
    ...(expected === undefined ? {} : { expected }),
    ...(verdicts === undefined ? {} : { verdicts }),
    ...(pairs === undefined ? {} : { pairs }),
  };
}

async function loadExpected(
  { maintenance }: ContextParts,
  { scope, events, edges }: Questioned,
): Promise<ReadonlyMap<string, string> | undefined> {
  const [first] = events;
  if (maintenance === undefined || first === undefined) return undefined;
  const times = events.map(({ occurredAt }) => occurredAt);
  const from = times.reduce((a, b) => (a < b ? a : b));
  const to = times.reduce((a, b) => (a > b ? a : b));
  const windows = await maintenance.covering(scope, from, (to + 1) as Instant);
  if (windows.length === 0) return undefined;
  const standing = indexStanding(edges);
  return new Map(
    events.flatMap((event) => {
      const expectation = expectedBy(windows, event, standing);
      return expectation === undefined ? [] : [[event.id, expectation.says] as const];
    }),
  );
}

async function loadVerdicts(
  { feedback }: ContextParts,
  { scope, targets }: Questioned,
): Promise<ReadonlyMap<string, Verdict> | undefined> {
  const [target] = targets;
  if (feedback === undefined || target === undefined) return undefined;
  const given = await feedback.about(scope, target.event.id);
  return new Map(
    given.flatMap(({ candidate, verdict }) => (verdict === null ? [] : [[candidate, verdict] as const])),
  );
}

async function loadPairs(
  { typePairs }: ContextParts,
  { targets, events }: Questioned,
): Promise<ReadonlyMap<string, TypePair> | undefined> {
  const effects = [...new Set(targets.map(({ event }) => event.type))];
  if (typePairs === undefined || effects.length === 0) return undefined;
  const causes = [...new Set(events.map(({ type }) => type))];
  const learnt = await typePairs.pairs(effects, causes);
  return new Map(learnt.map(({ cause, effect, ...pair }) => [`${cause}>${effect}`, pair]));
}
