import { entityKey } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import { instant } from "../model/instant.ts";
import type { Operation, OperationContext, OperationState } from "./operation-shape.ts";
import type { OperationDraft } from "./operation-draft.ts";
import { seenSpan } from "./operation-draft.ts";
import { operationWaitMs, overdueFloorMs, stepLengthKey, stepWaitMs, tellsEnd } from "./operation-length.ts";
import type { TimedStep } from "./operation-step.ts";
import { lastAttempt } from "./operation-step.ts";
import { isWitness } from "./operation-template.ts";

type Judged = Pick<
  Operation,
  "startedAt" | "endedAt" | "state" | "says" | "stuck" | "overdueAt" | "progress" | "missing"
>;

interface JudgeContext extends OperationContext {
  /** When the thing that it works on was taken away. */
  readonly removedAt?: Instant;
}

/** The state of an operation by its steps, by what else tells of it, and by how long it has been waited for. */
export function judgeOperation(
  draft: OperationDraft,
  children: readonly Operation[],
  context: JudgeContext,
): Judged {
  return draft.steps.length === 0 ? judgeGathered(children) : judgeSteps(draft, children, context);
}

function judgeSteps(draft: OperationDraft, children: readonly Operation[], context: JudgeContext): Judged {
  const { template, steps } = draft;
  const required = requiredSteps(draft);
  const stages = stageSteps(draft);
  const startedAt = earliest(
    steps.filter((step) => !isLooseMark(step)).map(({ attempts }) => attempts[0]?.startedAt),
  );
  const missing = missingStages(draft);
  const begun = startedAt === undefined ? {} : { startedAt };
  const done = [...steps, ...children].filter(
    (part) => ("state" in part ? part.state : lastAttempt(part).outcome) === "ok",
  );
  const counted = steps.flatMap(({ marks }) => marks.flatMap((mark) => mark.counted ?? [])).at(-1);
  const progress = counted ?? {
    done: done.length,
    total: steps.length + children.length + missing.length + (template.opensOnly === true ? 1 : 0),
  };
  const whole = { ...begun, progress, missing };

  const failure = failureOf(draft, required);
  if (failure !== undefined)
    return { ...whole, ...ended(failure.endedAt), state: "failed", says: failure.says, stuck: false };
  const witness = steps
    .filter((step) => isWitness(step.stem))
    .map(lastAttempt)
    .findLast(({ outcome }) => outcome !== "open");
  const isDone = required !== undefined && required.every((step) => lastAttempt(step).outcome === "ok");
  if (isDone || (witness?.outcome === "ok" && template.opensOnly !== true)) {
    const endedAt = isDone ? latest(required.map((step) => lastAttempt(step).endedAt)) : witness?.endedAt;
    const says =
      missing.length > 0
        ? `Ended, and of ${missing.join(", ")} nothing was seen.`
        : startedAt === undefined
          ? "Ended; its beginning was not seen."
          : "Ended.";
    return { ...whole, ...ended(endedAt), state: "ok", says, stuck: false };
  }
  return { ...whole, ...judgeOpen(draft, stages, context) };
}

function ended(at: Instant | undefined): { readonly endedAt?: Instant } {
  return at === undefined ? {} : { endedAt: at };
}

function stageSteps({ template, steps, subject }: OperationDraft): readonly TimedStep[] {
  const own = steps.filter((step) => entityKey(step.subject) === entityKey(subject) && !isWitness(step.stem));
  return template.stages[0] === "*" ? own : own.filter(({ stem }) => template.stages.includes(stem));
}

/** The steps that must have ended; undefined where one of them has not been seen yet. */
function requiredSteps(draft: OperationDraft): readonly TimedStep[] | undefined {
  const { template } = draft;
  if (template.opensOnly === true) return undefined;
  const stages = stageSteps(draft);
  if (stages.length === 0) return undefined;
  const ends = template.ends ?? template.stages;
  if (ends[0] === "*") return stages;
  const found = ends.map((stem) => stages.find((step) => step.stem === stem));
  // A stage that is begun has to end, whether or not its kind always has it.
  return found.every((step) => step !== undefined) ? [...new Set([...found, ...stages])] : undefined;
}

/** Stages of which nothing was seen although one after them was. */
function missingStages({ template, steps }: OperationDraft): readonly string[] {
  if (template.stages.length < 2 || template.ends?.[0] === "*") return [];
  const seen = new Set(steps.map(({ stem }) => stem));
  const ends = template.ends ?? template.stages;
  const last = template.stages.findLastIndex((stem) => seen.has(stem));
  return template.stages.filter(
    (stem, index) =>
      !seen.has(stem) && index < last && (ends.length > 1 || index < template.stages.indexOf(ends[0]!)),
  );
}

/** What is no begin of anything, only a word on the way. */
function isLooseMark({ attempts }: TimedStep): boolean {
  return attempts.every(({ startedAt }) => startedAt === undefined);
}

function failureOf(
  draft: OperationDraft,
  required: readonly TimedStep[] | undefined,
): { readonly endedAt: Instant | undefined; readonly says: string } | undefined {
  const { steps, subject, template } = draft;
  const isDone = required?.every((step) => lastAttempt(step).outcome === "ok") ?? false;
  const stages = new Set(stageSteps(draft));
  const failed = steps.filter((step) => {
    if (lastAttempt(step).outcome !== "failed") return false;
    if (stages.has(step)) return true;
    // What fails beside the stages counts where the thing itself failed and did not come to its end after all.
    return (
      !isDone &&
      (entityKey(step.subject) === entityKey(subject) || isWitness(step.stem) || template.opensOnly === true)
    );
  });
  const last = failed.toSorted((left, right) => left.lastAt - right.lastAt).at(-1);
  if (last === undefined) return undefined;
  const after =
    required?.some((step) => lastAttempt(step).outcome === "ok" && step.firstAt > last.lastAt) ?? false;
  if (after && isDone) return undefined;
  const { endedAt, says } = lastAttempt(last);
  return { endedAt, says: says ?? "Failed." };
}

function judgeOpen(
  draft: OperationDraft,
  stages: readonly TimedStep[],
  { now, lengths, isBlind, removedAt }: JudgeContext,
): Pick<Judged, "state" | "says" | "stuck" | "overdueAt"> {
  const { template, steps } = draft;
  const { firstAt, lastAt } = seenSpan(draft);
  const beganAt = firstAt;
  const openSteps = stages.filter(
    (step) => lastAttempt(step).outcome === "open" && lastAttempt(step).startedAt !== undefined,
  );
  const waits = [
    beganAt + operationWaitMs(lengths, template),
    ...openSteps.map((step) => lastAttempt(step).startedAt! + stepWaitMs(lengths, step.stem, template)),
  ];
  // A sign of life, such as a step that has just ended, gives it a while more.
  const overdueAt = instant(Math.max(Math.min(...waits), lastAt + overdueFloorMs));
  const connections = [
    ...new Set(steps.flatMap(({ marks }) => marks.flatMap(({ connection }) => connection ?? []))),
  ].toSorted();
  if (removedAt !== undefined && removedAt >= beganAt)
    return {
      state: "no-end-seen",
      says: "No end was seen before what it works on was deleted.",
      stuck: false,
      overdueAt,
    };
  if (now < overdueAt) return { state: "running", says: "Under way.", stuck: false, overdueAt };
  if (isBlind(connections, lastAt, overdueAt))
    return {
      state: "unknown",
      says: "No end was seen, and it may have come while its source could not be heard.",
      stuck: false,
      overdueAt,
    };
  if (template.stages[0] === "*" && !stages.every(({ stem }) => tellsEnd(lengths, stepLengthKey(stem))))
    return {
      state: "no-end-seen",
      says: "No end was seen; its kind often tells none.",
      stuck: false,
      overdueAt,
    };
  const says =
    template.opensOnly === true
      ? "Nothing of what should follow was seen, for longer than that takes."
      : "No end was seen, for longer than its kind takes.";
  return { state: "no-end-seen", says, stuck: true, overdueAt };
}

function judgeGathered(children: readonly Operation[]): Judged {
  const count = (...states: readonly OperationState[]) =>
    children.filter(({ state }) => states.includes(state)).length;
  const done = count("ok");
  const total = children.length;
  const stuck = children.some((child) => child.stuck);
  const state: OperationState =
    count("running") > 0
      ? "running"
      : count("failed") > 0
        ? "failed"
        : count("no-end-seen") > 0
          ? "no-end-seen"
          : count("unknown") > 0
            ? "unknown"
            : "ok";
  const startedAt = earliest(children.map((child) => child.startedAt));
  const endedAt =
    state === "ok" || state === "failed" ? latest(children.map((child) => child.endedAt)) : undefined;
  const overdueAt = earliest(children.map((child) => child.overdueAt));
  return {
    ...(startedAt === undefined ? {} : { startedAt }),
    ...ended(endedAt),
    state,
    says: done === total ? `All ${total} ended.` : `${done} of ${total} ended.`,
    stuck,
    ...(overdueAt === undefined || endedAt !== undefined ? {} : { overdueAt }),
    progress: { done, total },
    missing: [],
  };
}

function earliest(moments: readonly (Instant | undefined)[]): Instant | undefined {
  const known = moments.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : (Math.min(...known) as Instant);
}

function latest(moments: readonly (Instant | undefined)[]): Instant | undefined {
  const known = moments.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : (Math.max(...known) as Instant);
}
