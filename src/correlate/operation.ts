import { entityKey } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import { instant } from "../model/instant.ts";
import type { Correlatable } from "./correlatable.ts";
import { draftOperations, seenSpan, type OperationDraft } from "./operation-draft.ts";
import { formFamilies } from "./operation-family.ts";
import { operationKeyOf } from "./operation-id.ts";
import { operationLengthKey, stepLengthKey } from "./operation-length.ts";
import { readMark } from "./operation-mark.ts";
import type { Operation, OperationContext, OperationStep } from "./operation-shape.ts";
import { judgeOperation } from "./operation-state.ts";
import type { TimedStep } from "./operation-step.ts";
import { lastAttempt, timeSteps } from "./operation-step.ts";

/**
 * The operations that the events tell of, oldest first. A function of the set of events: neither their order nor repeats
 * of them matter, and an end that comes later gives what it would have given in time.
 */
export function rebuildOperations<E extends Correlatable>(
  events: readonly E[],
  context: OperationContext,
): readonly Operation[] {
  const marks = events.flatMap((event) => readMark(event) ?? []);
  const drafts = formFamilies(draftOperations(timeSteps(marks)));
  const removals = findRemovals(drafts);
  const operations = drafts.map((draft) => toOperation(draft, context, removals));
  return linkOrder(operations).toSorted(
    (left, right) => left.firstSeenAt - right.firstSeenAt || (left.id < right.id ? -1 : 1),
  );
}

/** When each thing was taken away, so that nothing is waited for on it any more. */
function findRemovals(drafts: readonly OperationDraft[]): ReadonlyMap<string, Instant> {
  const removals = new Map<string, Instant>();
  for (const { template, subject, plane, steps } of drafts) {
    if (template.removes !== true) continue;
    const isDone = steps.some(
      ({ stem, ...step }) => template.stages.includes(stem) && step.attempts.at(-1)?.outcome === "ok",
    );
    const { lastAt } = seenSpan({ template, subject, plane, steps, children: [] });
    if (isDone) removals.set(`${plane}\n${entityKey(subject)}`, lastAt);
  }
  return removals;
}

function toOperation(
  draft: OperationDraft,
  context: OperationContext,
  removals: ReadonlyMap<string, Instant>,
): Operation {
  const { template, subject, plane, requestId } = draft;
  const { firstAt, lastAt } = seenSpan(draft);
  const children = draft.children.map((child) => toOperation(child, context, removals));
  const removedAt = removals.get(`${plane}\n${entityKey(subject)}`);
  const judged = judgeOperation(draft, children, {
    ...context,
    ...(removedAt === undefined ? {} : { removedAt }),
  });
  const name = draft.steps.find(
    (step) => step.subjectName !== undefined && entityKey(step.subject) === entityKey(subject),
  );
  return {
    id: operationKeyOf({ subject, plane, ...(requestId === undefined ? { firstAt } : { requestId }) }),
    template: template.name,
    title: template.name === "other" ? (draft.steps[0]?.stem ?? template.title) : template.title,
    subject,
    ...(name === undefined ? {} : { subjectName: name.subjectName! }),
    plane,
    ...(requestId === undefined ? {} : { requestId }),
    firstSeenAt: firstAt,
    lastSeenAt: lastAt,
    ...judged,
    attempts: Math.max(
      1,
      ...draft.steps.filter(({ stem }) => template.stages.includes(stem)).map((step) => step.attempts.length),
    ),
    steps: nestSteps(draft.steps),
    children,
    follows: [],
  };
}

/** Each step inside the shortest step that was under way all the time; what overlaps stands side by side. */
function nestSteps(steps: readonly TimedStep[]): readonly OperationStep[] {
  const sorted = steps.toSorted(
    (left, right) =>
      left.firstAt - right.firstAt || right.lastAt - left.lastAt || (stepKey(left) < stepKey(right) ? -1 : 1),
  );
  const inside = new Map<TimedStep | undefined, TimedStep[]>();
  for (const [index, step] of sorted.entries()) {
    const outer = sorted.slice(0, index).findLast((other) => encloses(other, step));
    inside.set(outer, [...(inside.get(outer) ?? []), step]);
  }
  const build = (step: TimedStep): OperationStep => toStep(step, (inside.get(step) ?? []).map(build));
  return (inside.get(undefined) ?? []).map(build);
}

function stepKey({ stem, marks }: TimedStep): string {
  return `${stem}\n${marks[0]!.eventId}`;
}

function encloses(outer: TimedStep, inner: TimedStep): boolean {
  if (outer.attempts[0]?.startedAt === undefined || lastAttempt(outer).outcome === "open") return false;
  return outer.firstAt <= inner.firstAt && outer.lastAt >= inner.lastAt && outer.lastAt > outer.firstAt;
}

function toStep(step: TimedStep, steps: readonly OperationStep[]): OperationStep {
  const { stem, subject, subjectName, attempts, marks, firstAt, lastAt } = step;
  const last = lastAttempt(step);
  const startedAt = attempts.find((one) => one.startedAt !== undefined)?.startedAt;
  return {
    name: stem,
    subject,
    ...(subjectName === undefined ? {} : { subjectName }),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(last.endedAt === undefined ? {} : { endedAt: last.endedAt }),
    firstSeenAt: firstAt,
    lastSeenAt: lastAt,
    state: last.outcome,
    attempts: attempts.length,
    events: marks.map(({ eventId }) => eventId),
    steps,
  };
}

/** Tells of each operation which ones were before it on the same things. */
function linkOrder(operations: readonly Operation[]): readonly Operation[] {
  const byThing = new Map<string, Operation[]>();
  const visit = (operation: Operation): void => {
    for (const thing of thingsOf(operation)) byThing.set(thing, [...(byThing.get(thing) ?? []), operation]);
    for (const child of operation.children) visit(child);
  };
  for (const operation of operations) visit(operation);
  const follows = new Map<string, Set<string>>();
  for (const [thing, line] of byThing) {
    const sorted = line.toSorted(
      (left, right) => left.firstSeenAt - right.firstSeenAt || (left.id < right.id ? -1 : 1),
    );
    for (const [index, operation] of sorted.entries()) {
      const before = sorted[index - 1];
      if (before === undefined || before.id === operation.id) continue;
      // What two operations on one server did to its volume comes after what the server itself went through between.
      const own = `${operation.plane}\n${entityKey(operation.subject)}`;
      if (thing !== own && entityKey(before.subject) === entityKey(operation.subject)) continue;
      follows.set(operation.id, (follows.get(operation.id) ?? new Set()).add(before.id));
    }
  }
  const link = (operation: Operation): Operation => ({
    ...operation,
    follows: [...(follows.get(operation.id) ?? [])].toSorted(),
    children: operation.children.map(link),
  });
  return operations.map(link);
}

function thingsOf({ plane, subject, steps }: Operation): ReadonlySet<string> {
  const inner = (list: readonly OperationStep[]): readonly OperationStep[] =>
    list.flatMap((step) => [step, ...inner(step.steps)]);
  return new Set(
    [subject, ...inner(steps).map((step) => step.subject)].map((ref) => `${plane}\n${entityKey(ref)}`),
  );
}

/** An operation and all that are part of it. */
export function withParts(operation: Operation): readonly Operation[] {
  return [operation, ...operation.children.flatMap(withParts)];
}

/** How long what has ended well took, by the keys of {@link LengthHistory}; undefined for what was waited for in vain. */
export function lengthsOf(
  operation: Operation,
): readonly { readonly key: string; readonly ms: number | undefined }[] {
  const own =
    operation.state === "ok" && operation.startedAt !== undefined && operation.endedAt !== undefined
      ? [
          {
            key: operationLengthKey(operation.template),
            ms: Math.max(0, operation.endedAt - operation.startedAt),
          },
        ]
      : [];
  const isOver = operation.state === "no-end-seen" || operation.state === "ok";
  const ofSteps = (
    steps: readonly OperationStep[],
  ): readonly { readonly key: string; readonly ms: number | undefined }[] =>
    steps.flatMap((step) => [
      ...(isOver && step.state === "open" ? [{ key: stepLengthKey(step.name), ms: undefined }] : []),
      ...(step.state === "ok" &&
      step.startedAt !== undefined &&
      step.endedAt !== undefined &&
      step.attempts === 1
        ? [{ key: stepLengthKey(step.name), ms: Math.max(0, step.endedAt - step.startedAt) }]
        : []),
      ...ofSteps(step.steps),
    ]);
  return [...own, ...ofSteps(operation.steps), ...placementLength(operation)];
}

/** How long it takes from placing a server to its first own step, for what was placed and never heard of again. */
function placementLength({
  template,
  steps,
}: Operation): readonly { readonly key: string; readonly ms: number }[] {
  const placed = steps.find(({ name, state }) => name === "scheduler.select_destinations" && state === "ok");
  const own = steps.find(
    ({ name, startedAt }) => name.startsWith("compute.instance.") && startedAt !== undefined,
  );
  if (template === "placement" || placed?.startedAt === undefined || own?.startedAt === undefined) return [];
  return own.startedAt < placed.startedAt
    ? []
    : [{ key: operationLengthKey("placement"), ms: instant(own.startedAt) - placed.startedAt }];
}
