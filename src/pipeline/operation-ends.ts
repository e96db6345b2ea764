import { endlessBin, lengthBin, operationWaitMs } from "../correlate/operation-length.ts";
import type { Operation } from "../correlate/operation-shape.ts";
import { operationTemplates } from "../correlate/operation-template.ts";
import { lengthsOf, withParts } from "../correlate/operation.ts";
import { IsochronError } from "../errors.ts";
import type { Category, EventDraft } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import { duration, instant } from "../model/instant.ts";
import { ownConnection } from "../model/own-connection.ts";
import { mergeSpans } from "../model/source-health.ts";
import type { EventReader, Keyset } from "../store/event-reader.ts";
import type { OperationStore } from "../store/operation-store.ts";
import { withEditions } from "./editions.ts";
import type { Stages } from "./ingest.ts";
import { findOperation, findOperations, readLengths } from "./operations.ts";
import { openRulings } from "./rulings.ts";
import { machineScheduler, type Scheduler } from "./scheduler.ts";
import { loadSurroundings, viewOf } from "./surroundings.ts";

/** What tells of an end that did not come, and of one that came after all. */
export const endMissingType = "operation.end-missing";
export const endArrivedType = "operation.end-arrived";

export interface OperationEndTools {
  readonly stages: Stages;
  readonly reader: EventReader;
  readonly operations: OperationStore;
  /** Names this process among those that share the store. */
  readonly holder: string;
  readonly scheduler?: Scheduler;
  readonly onError?: (error: unknown) => void;
}

export interface OperationEndPass {
  readonly missing: number;
  readonly arrived: number;
}

const leaseMs = 120_000;
const passEveryMs = 60_000;
const lookMs = 15_000;
/** Looked through at every pass; what is older at a slice per pass. */
const recentMs = 2 * 3_600_000;
/** Long kinds are looked at when they become due, with room for passes that were late. */
const dueSpanMs = 10 * 60_000;
const sliceMs = 2 * 3_600_000;
/** How far back ends are still waited for. */
const oldestMs = 31 * 24 * 3_600_000;
/** An operation counts in the history so long after it began; one that still runs then is left out. */
const learnAfterMs = 6 * 3_600_000;
/** So many ends that were told missing are looked for again at each pass, the latest first. */
const waitedMax = 500;

const provider = { kind: "provider" } as const;

/** Where findings about one control plane are: beside the provider's own, and in no cloud's coverage. */
function connectionOf(controlPlane: string) {
  return { name: `${ownConnection.name}@${controlPlane}`, source: ownConnection.source, controlPlane };
}

/** One pass: tells of ends that are missing, of those that came after all, and learns how long things take. */
export async function watchOperationEnds(
  tools: OperationEndTools,
  restMs: number = 0,
  signal?: AbortSignal,
): Promise<OperationEndPass | undefined> {
  const { operations, stages } = tools;
  const taken = await operations.take(tools.holder, leaseMs, restMs);
  if (taken === undefined) return undefined;
  const { epoch } = taken;
  let passed = false;
  try {
    const now = stages.now();
    const recentFrom = instant(now - recentMs);
    const missing = new Map((await overdueBetween(tools, recentFrom, now)).map((one) => [one.id, one]));
    for (const { from, to } of await dueSpans(tools, now))
      for (const one of await overdueBetween(tools, from, to)) missing.set(one.id, one);
    const first = (await tools.reader.extent(provider))?.first ?? now;
    const oldest = instant(Math.max(first, now - oldestMs));
    const sweepFrom =
      taken.sweptTo === undefined || taken.sweptTo < oldest || taken.sweptTo >= recentFrom
        ? oldest
        : taken.sweptTo;
    const sweepTo = instant(Math.min(sweepFrom + sliceMs, recentFrom));
    for (const one of await overdueBetween(tools, sweepFrom, sweepTo)) missing.set(one.id, one);
    if (signal?.aborted === true) return { missing: 0, arrived: 0 };
    const told = await tellOf(tools, [...missing.values()].map(missingDraft));
    const arrived = await tellArrived(tools);
    const learnt = await learn(tools, taken.learntTo, now);
    await operations.advance(epoch, { sweptTo: sweepTo, ...learnt });
    passed = true;
    return { missing: told, arrived };
  } finally {
    await operations.release(epoch, passed);
  }
}

/** Passes for as long as the signal lets it; one that failed is tried again. */
export async function keepWatchingOperationEnds(
  tools: OperationEndTools,
  signal: AbortSignal,
): Promise<void> {
  const { scheduler = machineScheduler, onError } = tools;
  while (!signal.aborted) {
    try {
      await watchOperationEnds(tools, passEveryMs, signal);
    } catch (error) {
      const isOthers = error instanceof IsochronError && error.code === "fenced";
      if (!isOthers && !signal.aborted) onError?.(error);
    }
    await scheduler.wait(lookMs, signal);
  }
}

/** When what becomes due now began, for kinds that take longer than is looked through anyway. */
async function dueSpans(
  { operations }: OperationEndTools,
  now: Instant,
): Promise<readonly { readonly from: Instant; readonly to: Instant }[]> {
  const lengths = await readLengths(operations);
  const waits = operationTemplates
    .map((template) => operationWaitMs(lengths, template))
    .filter((ms) => ms > recentMs);
  const spans = waits.map((ms) => ({ from: instant(now - ms - dueSpanMs), to: instant(now - ms) }));
  return mergeSpans(spans);
}

function asked(tools: OperationEndTools) {
  return { reader: tools.reader, operations: tools.operations, now: tools.stages.now };
}

async function overdueBetween(
  tools: OperationEndTools,
  from: Instant,
  to: Instant,
): Promise<readonly Operation[]> {
  if (to <= from) return [];
  const { operations } = await findOperations(asked(tools), provider, { from, to });
  return operations.flatMap(withParts).filter((one) => one.stuck && one.steps.length > 0);
}

/** What began in the next hours that have not been counted yet; each operation is counted once. */
async function learn(
  tools: OperationEndTools,
  learntTo: Instant | undefined,
  now: Instant,
): Promise<Parameters<OperationStore["advance"]>[1]> {
  const from = learntTo ?? (await tools.reader.extent(provider))?.first;
  if (from === undefined) return { lengths: [] };
  const to = instant(Math.min(Math.max(from, now - oldestMs) + sliceMs, now - learnAfterMs));
  if (to <= from) return { lengths: [] };
  const { operations } = await findOperations(asked(tools), provider, {
    from: instant(Math.max(from, now - oldestMs)),
    to,
  });
  const begun = operations
    .flatMap(withParts)
    .filter(({ firstSeenAt }) => firstSeenAt >= from && firstSeenAt < to);
  const lengths = begun
    .flatMap(lengthsOf)
    .map(({ key, ms }) => ({ key, bin: ms === undefined ? endlessBin : lengthBin(ms), count: 1 }));
  return { learntTo: to, lengths };
}

/** Looks again for the ends that were told missing. */
async function tellArrived(tools: OperationEndTools): Promise<number> {
  const waited = await stillWaited(tools);
  const drafts: PlacedDraft[] = [];
  for (const id of waited.slice(0, waitedMax)) {
    const operation = await findOperation(asked(tools), provider, id);
    if (operation?.endedAt === undefined) continue;
    drafts.push(arrivedDraft(operation, operation.endedAt));
  }
  return tellOf(tools, drafts);
}

/** Operations of which an end was told missing and none was told to have come, the latest first. */
async function stillWaited({ reader, stages }: OperationEndTools): Promise<readonly string[]> {
  const waited = new Set<string>();
  const arrived = new Set<string>();
  let after: Keyset | undefined;
  for (let more = true; more;) {
    const page = await reader.timeline(
      provider,
      { types: [endMissingType, endArrivedType], from: instant(stages.now() - oldestMs) },
      { limit: waitedMax, order: "newest", ...(after === undefined ? {} : { after }) },
    );
    for (const { event } of page.events) {
      const id = event.details["operation"];
      if (typeof id === "string") (event.type === endMissingType ? waited : arrived).add(id);
      after = { occurredAt: event.occurredAt, id: event.id };
    }
    more = page.more && waited.size < waitedMax * 4;
  }
  return [...waited].filter((id) => !arrived.has(id));
}

interface PlacedDraft {
  readonly plane: string;
  readonly draft: EventDraft;
}

const categories: Readonly<Record<string, Category>> = {
  backup: "backup",
  restore: "restore",
  snapshot: "snapshot",
  evacuate: "migration",
  "live-migration": "migration",
  "cold-migration": "migration",
  "image-upload": "image",
  "server-image": "image",
};

function commonDraft(
  operation: Operation,
): Omit<EventDraft, "key" | "sourceIds" | "occurredAt" | "type" | "kind" | "severity" | "summary"> {
  const { id, template, title, subject, subjectName, requestId, startedAt, progress } = operation;
  return {
    precision: duration(0),
    category: categories[template] ?? (subject.kind === "volume" ? "storage" : "provisioning"),
    visibility: "operational",
    subject,
    ...(subjectName === undefined ? {} : { subjectName }),
    related: [],
    ...(requestId === undefined ? {} : { operation: { requestId } }),
    details: {
      operation: id,
      template,
      title,
      done: progress.done,
      total: progress.total,
      ...(startedAt === undefined ? {} : { started_at: new Date(startedAt).toISOString() }),
    },
  };
}

/** Dated by when it was waited for in vain: whoever looks again says the same. */
function missingDraft(operation: Operation): PlacedDraft {
  const { id, plane, title, subject, subjectName, overdueAt, lastSeenAt } = operation;
  const key = `${endMissingType}/${id}`;
  return {
    plane,
    draft: {
      ...commonDraft(operation),
      key,
      sourceIds: [key],
      occurredAt: overdueAt ?? lastSeenAt,
      type: endMissingType,
      kind: "symptom",
      severity: "warning",
      summary: `${title} of ${subject.kind} ${subjectName ?? subject.id}: no end was seen, for longer than its kind takes`,
    },
  };
}

function arrivedDraft(operation: Operation, endedAt: Instant): PlacedDraft {
  const { id, plane, title, subject, subjectName, state } = operation;
  const key = `${endArrivedType}/${id}`;
  return {
    plane,
    draft: {
      ...commonDraft(operation),
      key,
      sourceIds: [key],
      occurredAt: endedAt,
      type: endArrivedType,
      kind: "recovery",
      severity: "info",
      summary: `${title} of ${subject.kind} ${subjectName ?? subject.id}: the end that was missing has come, ${state}`,
    },
  };
}

/**
 * Stores findings as events of the planes that they are about, attributed by the resolver as any record about the same
 * thing: a tenant sees its own, and a later fact moves them. Gives how many are new.
 */
async function tellOf({ stages }: OperationEndTools, placed: readonly PlacedDraft[]): Promise<number> {
  let created = 0;
  for (const [plane, group] of Map.groupBy(placed, (one) => one.plane)) {
    const connection = connectionOf(plane);
    // Nothing more is ever expected of it, and nobody's coverage waits for it.
    await stages.store.connect({ ...connection, config: { finished: true } });
    await stages.refreshTexts?.();
    const topologyMark = await stages.topology.mark();
    const { events: drafts } = stages.clean(
      { events: group.map(({ draft }) => draft), facts: [] },
      stages.now(),
    );
    const ruled = await openRulings(stages.rulings, connection);
    const known = await loadSurroundings(stages.topology, plane, drafts, ruled.ownerKeys(drafts));
    const view = viewOf(stages.buildView, plane, known, []);
    const resolved = ruled.apply(stages.resolve(drafts, connection.name, view), view);
    const appended = await stages.store.append({
      connection: connection.name,
      controlPlane: plane,
      stream: "operations",
      events: resolved.map((event) => withEditions(event, stages.redact)),
      facts: [],
      rejects: [],
      topologyMark,
      ...(ruled.version === undefined ? {} : { rulingsVersion: ruled.version }),
    });
    created += [...appended.outcomes.values()].filter((outcome) => outcome === "created").length;
  }
  return created;
}
