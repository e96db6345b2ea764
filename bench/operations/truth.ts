import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseObject, readDataLines } from "../data-file.ts";
import { readBareMessage, type BareMessage } from "../lab-truth.ts";

/** A line of the driver's record; fields as `lab/bin/scenario.py` writes them. */
interface TruthLine {
  readonly time: string;
  readonly sent_at?: string;
  readonly kind: string;
  readonly what?: string;
  readonly op?: string;
  readonly outcome?: string;
  readonly resource_id?: string | null;
  readonly request_id?: string | null;
  readonly url?: string;
  /** The state that the driver saw at last; it may have waited for a failure. */
  readonly final?: string | null;
  readonly servers?: readonly { readonly server_id?: string }[];
}

/** One call of the driver that changed something, and how it came out as far as the driver looked. */
export interface Call {
  readonly op: string;
  readonly resource: string;
  /** All that its address names, the resource among them. */
  readonly resources: readonly string[];
  readonly request: string;
  readonly sentAt: number;
  /** When the driver saw the outcome; the call's answer where it did not look. */
  readonly doneAt: number;
  readonly outcome?: "ok" | "failed" | "unexpected";
  /** Ids of the messages that belong to it, in the order of their times. */
  readonly messages: readonly StepMessage[];
}

/** A message that begins or ends a step, or says that one goes on. */
export interface StepMessage extends BareMessage {
  readonly stem: string;
  readonly phase: "start" | "end" | "error" | "progress";
}

export interface OperationsTruth {
  readonly calls: readonly Call[];
  /** Servers that the driver evacuated after one host's death. */
  readonly evacuated: readonly string[];
  /** When the recording ends, in milliseconds. */
  readonly endsAt: number;
}

/**
 * A network or an image service tells of a part of a call under requests of its own, up to so long after the driver saw the
 * outcome; a call that the driver did not wait for is over with its answer.
 */
const lateMs = { awaited: 5_000, answered: 500 };

/** Calls on what holds or uses resources: that a message names one of these says nothing of the call. */
const ofTenancy = /^(project|user|group|domain|role|quota|application_credential|token)\b/;

/** What no step is: calls as such, and reports of what exists. */
const noStep = /^audit\.|\.exists$|\.update$|^(compute\.)?metrics|^identity\.|^scheduler\.create/;

function readStep(message: BareMessage): StepMessage | undefined {
  const { eventType } = message;
  if (/^image\.(create|prepare|upload|activate)$/.test(eventType)) {
    const phase = { create: "start", activate: "end" }[eventType.slice("image.".length)] ?? "progress";
    return { ...message, stem: "image.upload", phase: phase as StepMessage["phase"] };
  }
  const [, stem, phase] = /^(.+)\.(start|end|error)$/.exec(eventType) ?? [];
  if (stem === undefined || noStep.test(eventType)) return undefined;
  return { ...message, stem, phase: phase as StepMessage["phase"] };
}

/**
 * What the driver's record says of operations. A step's message belongs to the call whose request it bears (its own or, from
 * Cinder, the global one). One of a request that is no call's belongs to the only call that was under way on a thing
 * which the message names by id.
 */
export async function loadOperationsTruth(dir: string): Promise<OperationsTruth> {
  const path = join(dir, "truth.jsonl.gz");
  if (!existsSync(path)) throw new Error(`${dir} holds no truth.jsonl.gz`);
  const lines = (await readDataLines(path)).map(
    ({ text, place }) => parseObject(text, place) as unknown as TruthLine,
  );
  const seen = new Set<string>();
  const messages = (await readDataLines(join(dir, "notifications.jsonl.gz")))
    .map(readBareMessage)
    .filter(({ messageId }) => !seen.has(messageId) && seen.add(messageId))
    .toSorted((left, right) => left.at - right.at);
  const calls = readCalls(lines);
  const owned = assignMessages(
    calls,
    messages.flatMap((message) => readStep(message) ?? []),
  );
  const whole = calls.map((call) => ({ ...call, messages: owned.get(call.request) ?? [] }));
  const evacuation = lines.find(({ what }) => what === "to evacuate");
  return {
    calls: whole.filter((call) => call.messages.length > 0),
    evacuated: (evacuation?.servers ?? []).flatMap(({ server_id: id }) => id ?? []),
    endsAt: messages.at(-1)?.at ?? 0,
  };
}

type BareCall = Omit<Call, "messages">;

function readCalls(lines: readonly TruthLine[]): readonly BareCall[] {
  const accepted = lines.filter(
    ({ kind, outcome, request_id: request, resource_id: resource }) =>
      kind === "call" && outcome === "accepted" && request != null && resource != null,
  );
  return accepted.map((line, index): BareCall => {
    const op = line.op!;
    const later = accepted
      .slice(index + 1)
      .find((other) => baseOp(other.op!) === baseOp(op) && other.resource_id === line.resource_id);
    const outcome = lines.find(
      (other) =>
        other.kind === "outcome" &&
        baseOp(other.op!) === baseOp(op) &&
        other.resource_id === line.resource_id &&
        Date.parse(other.time) >= Date.parse(line.time) &&
        (later === undefined || Date.parse(other.time) < Date.parse(later.sent_at!)),
    );
    const told = /^error/i.test(String(outcome?.final ?? "")) ? "failed" : outcome?.outcome;
    const known = (["ok", "failed", "unexpected"] as const).find((word) => word === told);
    return {
      op,
      resource: line.resource_id!,
      resources: [
        ...new Set([line.resource_id!, ...((line.url ?? "").match(/(?<=\/servers\/)[0-9a-f-]{36}/g) ?? [])]),
      ],
      request: line.request_id!,
      sentAt: Date.parse(line.sent_at!),
      doneAt: Date.parse(outcome?.time ?? line.time),
      ...(known === undefined ? {} : { outcome: known }),
    };
  });
}

/** The outcome of a creation from a volume or beyond a quota is told as that of a creation. */
function baseOp(op: string): string {
  return op.replace(/\.(from-volume|over-quota)$/, "");
}

function assignMessages(
  calls: readonly BareCall[],
  messages: readonly StepMessage[],
): ReadonlyMap<string, readonly StepMessage[]> {
  const byRequest = new Map(calls.map((call) => [call.request, call]));
  const byResource = Map.groupBy(calls, ({ resource }) => resource);
  const owned = new Map<string, StepMessage[]>();
  for (const message of messages) {
    const direct = message.requestIds.map((id) => byRequest.get(id)).find((call) => call !== undefined);
    const call = direct ?? callUnderWay(message, byResource);
    if (call !== undefined) owned.set(call.request, [...(owned.get(call.request) ?? []), message]);
  }
  return owned;
}

function callUnderWay(
  message: StepMessage,
  byResource: ReadonlyMap<string, readonly BareCall[]>,
): BareCall | undefined {
  const open = [...message.ids]
    .flatMap((id) => byResource.get(id) ?? [])
    .filter(({ op }) => !ofTenancy.test(op))
    .filter(({ sentAt, doneAt, outcome }) => {
      const late = outcome === undefined ? lateMs.answered : lateMs.awaited;
      return message.at >= sentAt && message.at <= doneAt + late;
    });
  const whole = new Set(open);
  return whole.size === 1 ? open[0] : undefined;
}
