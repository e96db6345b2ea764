import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Phase } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import type { OperationMark } from "./operation-mark.ts";

/** One try at a step: either end may be missing. */
export interface StepAttempt {
  readonly startedAt?: Instant;
  readonly endedAt?: Instant;
  readonly outcome: "ok" | "failed" | "open";
  readonly says?: string;
}

/** One step of one request on one thing, with all tries at it, first to last. */
export interface TimedStep {
  readonly stem: string;
  readonly subject: EntityRef;
  readonly subjectName?: string;
  readonly plane: string;
  readonly requestId?: string;
  readonly globalRequestId?: string;
  readonly workflowId?: string;
  readonly things: ReadonlySet<string>;
  readonly attempts: readonly StepAttempt[];
  readonly marks: readonly OperationMark[];
  readonly firstAt: Instant;
  readonly lastAt: Instant;
}

/**
 * Two reports of one occurrence, under two names or by two ways, lie no further apart than this; a try that is repeated by
 * the service itself comes later, or after the end of the one before.
 */
const twinsWithinMs = 2_000;

/** A usage report tells of what exists, and repeats the making of it at its own time. */
const repeatedWithinMs = 1_000;

const phaseOrder: Readonly<Record<Phase, number>> = { start: 0, progress: 1, end: 2, error: 3 };

/**
 * Steps out of marks. The answer is a function of the set of marks: the order in which they are given, and giving one
 * twice, changes nothing.
 */
export function timeSteps(given: readonly OperationMark[]): readonly TimedStep[] {
  const unique = [...new Map(given.map((mark) => [mark.eventId, mark])).values()].toSorted(compareMarks);
  const marks = withoutRepeats(unique);
  const byStep = Map.groupBy(marks, (mark) =>
    [mark.plane, mark.stem, requestOf(mark), mark.workflowId ?? ""].join("\n"),
  );
  return [...byStep.values()]
    .flatMap(splitBySubject)
    .flatMap((group) => (requestOf(group[0]!) === "" ? splitByStart(group) : [group]))
    .map(toStep)
    .toSorted((left, right) => left.firstAt - right.firstAt || (keyOf(left) < keyOf(right) ? -1 : 1));
}

function keyOf({ stem, subject, marks }: TimedStep): string {
  return `${stem}\n${entityKey(subject)}\n${marks[0]!.eventId}`;
}

export function compareMarks(left: OperationMark, right: OperationMark): number {
  return (
    left.at - right.at ||
    phaseOrder[left.phase] - phaseOrder[right.phase] ||
    (left.eventId < right.eventId ? -1 : left.eventId > right.eventId ? 1 : 0)
  );
}

function requestOf({
  requestId,
  globalRequestId,
}: Pick<OperationMark, "requestId" | "globalRequestId">): string {
  return requestId ?? globalRequestId ?? "";
}

/**
 * Cinder's usage audit says once more that a volume, snapshot or backup was created or deleted, beside that it exists, and
 * does so for what is still being made as well: that is no end.
 */
function withoutRepeats(marks: readonly OperationMark[]): readonly OperationMark[] {
  const reported = new Map<string, Instant[]>();
  for (const { stem, subject, plane, at, ...ids } of marks) {
    if (!stem.endsWith(".exists")) continue;
    const key = [plane, stem.slice(0, -".exists".length), entityKey(subject), requestOf(ids)].join("\n");
    reported.set(key, [...(reported.get(key) ?? []), at]);
  }
  return marks.filter(({ stem, subject, plane, at, ...ids }) => {
    if (stem.endsWith(".exists")) return false;
    const family = /^(volume|snapshot|backup)\.(?:create|delete)$/.exec(stem)?.[1];
    if (family === undefined) return true;
    const told = reported.get([plane, family, entityKey(subject), requestOf(ids)].join("\n")) ?? [];
    return !told.some((moment) => Math.abs(moment - at) <= repeatedWithinMs);
  });
}

/** A request may do one step on many things; where a record names but its request, it belongs to the only one there is. */
function splitBySubject(group: readonly OperationMark[]): readonly (readonly OperationMark[])[] {
  const bySubject = Map.groupBy(group, stepThing);
  const named = [...bySubject.keys()].filter((key) => !key.startsWith("request:"));
  if (requestOf(group[0]!) === "") return [...bySubject.values()];
  return named.length === 1 || isBegunUnnamed(bySubject, named) ? [group] : [...bySubject.values()];
}

/** A thing that has no id before it is made begins under its name and ends under its id. */
function isBegunUnnamed(
  bySubject: ReadonlyMap<string, readonly OperationMark[]>,
  named: readonly string[],
): boolean {
  const [begun = [], over = []] = named
    .map((key) => bySubject.get(key)!)
    .toSorted((left, right) => compareMarks(left[0]!, right[0]!));
  return (
    named.length === 2 &&
    begun[0]?.stem.endsWith(".create") === true &&
    begun.every(({ phase }) => phase === "start") &&
    over.every(({ phase }) => phase === "end" || phase === "error")
  );
}

/** What the step is done to: a server's volume where one is attached to it, a server's one migration, else the subject. */
function stepThing({ stem, subject, roles }: OperationMark): string {
  const part = /volume_(attach|detach)$/.test(stem) ? roles.get("volume") : roles.get("migration");
  return part === undefined ? entityKey(subject) : `${entityKey(subject)}+${entityKey(part)}`;
}

/** Without a request every start begins another occurrence, and so does an end that follows one. */
function splitByStart(group: readonly OperationMark[]): readonly (readonly OperationMark[])[] {
  const occurrences: OperationMark[][] = [];
  for (const mark of group) {
    const last = occurrences.at(-1);
    if (last === undefined || beginsAnother(mark, last)) occurrences.push([mark]);
    else last.push(mark);
  }
  return occurrences;
}

function beginsAnother(mark: OperationMark, before: readonly OperationMark[]): boolean {
  const same = before.findLast(({ phase }) => phase === mark.phase);
  if (same !== undefined && mark.at - same.at <= twinsWithinMs) return false;
  if (mark.phase === "start") return true;
  return before.some(({ phase }) => phase === "end" || phase === "error");
}

function toStep(marks: readonly OperationMark[]): TimedStep {
  const first = marks[0]!;
  const named = marks.findLast(({ subject }) => subject.kind !== "request") ?? first;
  const name = marks.find(({ subjectName }) => subjectName !== undefined)?.subjectName;
  const global = marks.find(({ globalRequestId }) => globalRequestId !== undefined)?.globalRequestId;
  const things = new Set(marks.flatMap((mark) => mark.things));
  return {
    stem: first.stem,
    subject: named.subject,
    ...(name === undefined ? {} : { subjectName: name }),
    plane: first.plane,
    ...(first.requestId === undefined ? {} : { requestId: first.requestId }),
    ...(global === undefined ? {} : { globalRequestId: global }),
    ...(first.workflowId === undefined ? {} : { workflowId: first.workflowId }),
    things,
    attempts: pairAttempts(marks),
    marks,
    firstAt: first.at,
    lastAt: marks.at(-1)!.at,
  };
}

/**
 * A start while the try before has not ended, or after it has, is a new try; a second report of the same end is not.
 * What only progresses has neither been seen to start nor to end.
 */
function pairAttempts(marks: readonly OperationMark[]): readonly StepAttempt[] {
  const attempts: StepAttempt[] = [];
  for (const { phase, at, says } of marks) {
    const last = attempts.at(-1);
    if (phase === "start") {
      const twin =
        last?.startedAt !== undefined && last.outcome === "open" && at - last.startedAt <= twinsWithinMs;
      if (!twin) attempts.push({ startedAt: at, outcome: "open" });
    } else if (phase === "end" || phase === "error") {
      const outcome = phase === "end" ? "ok" : "failed";
      if (last?.outcome === "open") attempts[attempts.length - 1] = { ...last, endedAt: at, outcome, says };
      else if (last === undefined) attempts.push({ endedAt: at, outcome, says });
      // An end of the same try that came by another way, or an error after it that says what the end did not.
      else if (outcome === "failed" && last.outcome === "ok")
        attempts[attempts.length - 1] = { ...last, outcome, says };
      else if (outcome === "ok" && last.outcome === "failed") attempts.push({ endedAt: at, outcome, says });
    } else if (attempts.length === 0) attempts.push({ outcome: "open" });
  }
  return attempts;
}

/** How the step stands by its last try. */
export function lastAttempt({ attempts }: TimedStep): StepAttempt {
  return attempts.at(-1)!;
}
