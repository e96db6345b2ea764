import type { Operation } from "../../src/correlate/operation-shape.ts";
import { withParts } from "../../src/correlate/operation.ts";
import type { Judged } from "./judge.ts";
import type { Played } from "./ours.ts";
import type { Call, OperationsTruth } from "./truth.ts";

export interface Found {
  readonly right: number;
  readonly of: number;
  readonly falseAlarms: number;
}

export interface StatesJudged {
  readonly states: { readonly right: number; readonly of: number };
  readonly partial: Found;
  readonly stuck: Found;
  /** From the beginning of each stuck operation until it was told, in seconds, shortest first. */
  readonly delaysS: readonly number[];
  /** Stuck operations of which the driver's record says nothing. */
  readonly stuckBeside: number;
  readonly errors: readonly string[];
}

/**
 * States by the driver's outcomes: *ok* and *failed* as of the recording's end; *unexpected* (it waited, and the thing was
 * not what it should become) as of the driver's own moment, when the operation must not be told to have ended.
 * *Partial*: of what did not come out well, what had at least one step that did. *Stuck*: what was unexpected.
 */
export function judgeStates(truth: OperationsTruth, played: Played, { operations }: Judged): StatesJudged {
  const errors: string[] = [];
  const last = new Map(played.last.flatMap(withParts).map((one) => [one.id, one]));
  const judged = truth.calls.filter(({ outcome }) => outcome !== undefined);
  let right = 0;
  const partial = { right: 0, of: 0, falseAlarms: 0 };
  for (const call of judged) {
    const operation = operationAt(call, played, last, operations);
    if (isRight(call, operation)) right += 1;
    else
      errors.push(
        `state: ${call.op} ${call.request} came out ${call.outcome}, told ${operation?.state ?? "nothing"}`,
      );
    const wasPartial =
      call.outcome !== "ok" && call.messages.some(({ phase }) => phase === "end") && endedBefore(call);
    const isPartial =
      operation !== undefined &&
      operation.state !== "ok" &&
      operation.progress.done > 0 &&
      operation.progress.done < operation.progress.total;
    if (wasPartial) partial.of += 1;
    if (wasPartial && isPartial) partial.right += 1;
    if (wasPartial && !isPartial) errors.push(`partial, missed: ${call.op} ${call.request}`);
    if (!wasPartial && isPartial) {
      partial.falseAlarms += 1;
      errors.push(`partial, wrong: ${call.op} ${call.request}`);
    }
  }
  const { delaysS, stuck, stuckBeside } = judgeStuck(judged, truth, played, operations, errors);
  return { states: { right, of: judged.length }, partial, stuck, delaysS, stuckBeside, errors };
}

function operationAt(
  call: Call,
  played: Played,
  last: ReadonlyMap<string, Operation>,
  operations: ReadonlyMap<string, string>,
): Operation | undefined {
  const id = operations.get(call.request);
  if (call.outcome !== "unexpected") return last.get(id ?? "");
  return played
    .at(call.doneAt)
    .flatMap(withParts)
    .find((one) => one.id === id);
}

function isRight({ outcome }: Call, operation: Operation | undefined): boolean {
  if (outcome === "unexpected") return operation?.state === "running" || operation?.state === "no-end-seen";
  return operation?.state === outcome;
}

/** Whether a step had ended when the driver looked. */
function endedBefore({ messages, doneAt }: Call): boolean {
  return messages.some(({ phase, at }) => phase === "end" && at <= doneAt);
}

function judgeStuck(
  judged: readonly Call[],
  { calls }: OperationsTruth,
  { stuckAt }: Played,
  operations: ReadonlyMap<string, string>,
  errors: string[],
): Pick<StatesJudged, "stuck" | "delaysS" | "stuckBeside"> {
  const stuck = { right: 0, of: 0, falseAlarms: 0 };
  const delaysS: number[] = [];
  const spoken = new Set(calls.map(({ request }) => operations.get(request)));
  for (const call of judged) {
    const toldAt = stuckAt.get(operations.get(call.request) ?? "");
    if (call.outcome === "unexpected") {
      stuck.of += 1;
      if (toldAt === undefined) errors.push(`stuck, missed: ${call.op} ${call.request}`);
      else {
        stuck.right += 1;
        delaysS.push(Math.round((toldAt - call.sentAt) / 1000));
      }
    } else if (toldAt !== undefined) {
      stuck.falseAlarms += 1;
      errors.push(`stuck, wrong: ${call.op} ${call.request} came out ${call.outcome}`);
    }
  }
  const stuckBeside = [...stuckAt.keys()].filter((id) => !spoken.has(id)).length;
  return { stuck, delaysS: delaysS.toSorted((left, right) => left - right), stuckBeside };
}
