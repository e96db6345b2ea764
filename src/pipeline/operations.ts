import { parseOperationKey, type OperationKeyParts } from "../correlate/operation-id.ts";
import type { LengthHistory } from "../correlate/operation-length.ts";
import { phaselessTypes } from "../correlate/operation-mark.ts";
import type { Operation, OperationState } from "../correlate/operation-shape.ts";
import { rebuildOperations, withParts } from "../correlate/operation.ts";
import { entityKey, type EntityRef } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import { instant } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";
import type { Coverage, EventFilter, EventReader, Keyset, VisibleEvent } from "../store/event-reader.ts";
import type { OperationStore } from "../store/operation-store.ts";

export interface OperationTools {
  readonly reader: Pick<EventReader, "timeline" | "coverage">;
  readonly operations: Pick<OperationStore, "lengths">;
  readonly now: () => Instant;
}

export interface OperationQuery {
  readonly from: Instant;
  /** Not part of it. */
  readonly to: Instant;
  /** Narrows the events that operations are made of: a tenant, a resource, a connection. */
  readonly events?: Pick<EventFilter, "domainId" | "projectId" | "customer" | "resource" | "connections">;
  readonly states?: readonly OperationState[];
  readonly templates?: readonly string[];
  readonly stuck?: boolean;
}

export interface FoundOperations {
  /** The latest first. */
  readonly operations: readonly Operation[];
  /** True where there were more events than are read for one answer: then some operations are missing or in pieces. */
  readonly truncated: boolean;
}

const phases = ["start", "progress", "end", "error"] as const;
const pageEvents = 1_000;
const eventsMax = 20_000;
/** What belongs to an operation that reaches into the window is looked for this far around it. */
const aroundMs = 30 * 60_000;
/** So many operations that have no end in what was read are looked for beyond it. */
const closedMax = 200;
const closingEventsMax = 500;

/** The operations that reach into the window, in scope: a tenant's are made of its own editions and of nothing else. */
export async function findOperations(
  tools: OperationTools,
  scope: Scope,
  query: OperationQuery,
): Promise<FoundOperations> {
  const { from, to, events: narrow = {} } = query;
  const window = { from: instant(Math.max(0, from - aroundMs)), to: instant(to + aroundMs) };
  const [read, lengths, coverage] = await Promise.all([
    readEvents(tools.reader, scope, { ...narrow, ...window }, eventsMax),
    readLengths(tools.operations),
    tools.reader.coverage(scope),
  ]);
  const rebuild = (events: ReadonlyMap<string, VisibleEvent>): readonly Operation[] =>
    rebuildOperations(
      [...events.values()].map(({ event }) => event),
      { now: tools.now(), lengths, isBlind: blindness(coverage) },
    );
  const events = read.events;
  const isHere = (operation: Operation): boolean =>
    operation.firstSeenAt < to && (operation.endedAt ?? tools.now()) >= from;
  const open = rebuild(events)
    .flatMap(withParts)
    .filter((one) => isHere(one) && lacksEnd(one) && one.steps.length > 0);
  for (const operation of open.slice(0, closedMax))
    for (const [id, event] of await readAround(tools.reader, scope, operation, narrow)) events.set(id, event);
  const operations = rebuild(events)
    .filter((operation) => isHere(operation) && matches(operation, query))
    .toReversed();
  return { operations, truncated: read.truncated || open.length > closedMax };
}

function lacksEnd({ state, startedAt }: Operation): boolean {
  return (state !== "ok" && state !== "failed") || startedAt === undefined;
}

function matches(operation: Operation, { states, templates, stuck, events }: OperationQuery): boolean {
  if (states !== undefined && !states.includes(operation.state)) return false;
  const names = withParts(operation).map(({ template }) => template);
  if (templates !== undefined && !templates.some((name) => names.includes(name))) return false;
  if (stuck !== undefined && operation.stuck !== stuck) return false;
  return events?.resource === undefined || mentions(operation, events.resource);
}

function mentions(operation: Operation, resource: EntityRef): boolean {
  const key = entityKey(resource);
  const own = (steps: Operation["steps"]): boolean =>
    steps.some((step) => entityKey(step.subject) === key || own(step.steps));
  return withParts(operation).some((part) => entityKey(part.subject) === key || own(part.steps));
}

/** What else is known of the thing and the request that an operation is about, whenever it was. */
async function readAround(
  reader: OperationTools["reader"],
  scope: Scope,
  { subject, requestId, firstSeenAt }: Pick<Operation, "subject" | "requestId" | "firstSeenAt">,
  narrow: OperationQuery["events"] = {},
): Promise<ReadonlyMap<string, VisibleEvent>> {
  const from = instant(Math.max(0, firstSeenAt - aroundMs));
  const refs = requestId === undefined ? [subject] : [subject, { kind: "request", id: requestId }];
  const reads = await Promise.all(
    refs.map((resource) =>
      readEvents(reader, scope, { ...narrow, resource, from }, closingEventsMax, "oldest"),
    ),
  );
  return new Map(reads.flatMap(({ events }) => [...events]));
}

/** Events that begin or end something, or are steps without saying so; the latest where there are too many. */
async function readEvents(
  reader: OperationTools["reader"],
  scope: Scope,
  filter: EventFilter,
  max: number,
  order: "newest" | "oldest" = "newest",
): Promise<{ readonly events: Map<string, VisibleEvent>; readonly truncated: boolean }> {
  const events = new Map<string, VisibleEvent>();
  let truncated = false;
  for (const part of [{ phases }, { types: phaselessTypes }]) {
    let after: Keyset | undefined;
    let count = 0;
    for (let more = true; more && count < max;) {
      const limit = Math.min(pageEvents, max - count);
      const page = await reader.timeline(
        scope,
        { ...filter, ...part },
        { limit, order, ...(after === undefined ? {} : { after }) },
      );
      for (const visible of page.events) events.set(visible.event.id, visible);
      const last = page.events.at(-1)?.event;
      count += page.events.length;
      more = page.more && last !== undefined;
      if (last !== undefined) after = { occurredAt: last.occurredAt, id: last.id };
      if (more && count >= max) truncated = true;
    }
  }
  return { events, truncated };
}

/** Finds the operation again that was once listed under the id; undefined where there is nothing of it in scope. */
export async function findOperation(
  tools: OperationTools,
  scope: Scope,
  id: string,
): Promise<Operation | undefined> {
  const key = parseOperationKey(id);
  if (key === undefined) return undefined;
  const found = await firstSign(tools, scope, key);
  if (found === undefined) return undefined;
  const { operations } = await findOperations(tools, scope, {
    from: found.from,
    to: instant(found.to + 1),
  });
  return operations.flatMap(withParts).find((operation) => operation.id === id);
}

/** What the API asks, over one store. */
export function openOperations(tools: OperationTools) {
  return {
    list: (scope: Scope, query: OperationQuery) => findOperations(tools, scope, query),
    find: (scope: Scope, id: string) => findOperation(tools, scope, id),
  };
}

/** When something was first and last heard of what the id names. */
async function firstSign(
  { reader }: OperationTools,
  scope: Scope,
  { subject, requestId, firstAt }: OperationKeyParts,
): Promise<{ readonly from: Instant; readonly to: Instant } | undefined> {
  const resource: EntityRef = requestId === undefined ? subject : { kind: "request", id: requestId };
  const from = firstAt === undefined ? {} : { from: instant(firstAt) };
  const { events } = await readEvents(reader, scope, { resource, ...from }, closingEventsMax, "oldest");
  const times = [...events.values()].map(({ event }) => event.occurredAt);
  if (times.length === 0) return undefined;
  return firstAt === undefined
    ? {
        from: instant(Math.min(...times)),
        to: instant(Math.min(Math.max(...times), Math.min(...times) + longMs)),
      }
    : { from: firstAt, to: firstAt };
}

const longMs = 24 * 3_600_000;

/**
 * Whether an end could have been missed: a hole lies in the span, or its source is not known to have told all of it. A
 * source that never says how far it is complete is believed to be heard as long as it was heard after the span.
 */
export function blindness({
  connections,
  completeTo,
  holes,
}: Coverage): (told: readonly string[], from: Instant, to: Instant) => boolean {
  const known = new Map(connections.map((connection) => [connection.connection, connection]));
  const overlaps = (hole: { readonly from: Instant; readonly to: Instant }, from: Instant, to: Instant) =>
    hole.from < to && hole.to > from;
  return (told, from, to) => {
    const own = told.flatMap((name) => known.get(name) ?? []);
    if (own.length === 0)
      return (completeTo !== undefined && completeTo < to) || holes.some((hole) => overlaps(hole, from, to));
    return own.some(
      (one) =>
        (one.completeTo ?? one.lastHeardAt ?? one.lastEventAt ?? instant(0)) < to ||
        one.holes.some((hole) => overlaps(hole, from, to)),
    );
  };
}

export async function readLengths(store: Pick<OperationStore, "lengths">): Promise<LengthHistory> {
  const counts = new Map<string, Map<number, number>>();
  for (const { key, bin, count } of await store.lengths()) {
    const bins = counts.get(key) ?? new Map<number, number>();
    counts.set(key, bins.set(bin, count));
  }
  return { counts };
}
