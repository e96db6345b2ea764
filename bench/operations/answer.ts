import type { StepMessage } from "./truth.ts";

/** How somebody groups messages into operations; ids are the answer's own. */
export interface Answer {
  readonly name: string;
  /** The outermost operation of a message, larger gatherings left out; undefined where it is in none. */
  operationOf(messageId: string): string | undefined;
  /** The start that an end is taken to belong to. */
  startsOf(messageId: string): readonly string[];
  /** Operations right before another on the same thing. */
  before(operation: string): readonly string[];
  /** The gathering that an operation is a part of. */
  gatheringOf(operation: string): string | undefined;
}

/** Messages of one request are one operation; starts and ends of one type in it belong together. */
export function byRequestAlone(messages: readonly StepMessage[]): Answer {
  const request = new Map(messages.map((message) => [message.messageId, message.requestIds[0]]));
  const starts = pairBy(messages, (message) =>
    message.requestIds[0] === undefined ? undefined : `${message.requestIds[0]} ${message.stem}`,
  );
  return {
    name: "baseline: request id alone",
    operationOf: (id) => request.get(id),
    startsOf: (id) => starts.get(id) ?? [],
    before: () => [],
    gatheringOf: () => undefined,
  };
}

/** A start and the next end of the same type are one operation. */
export function byTypeAlone(messages: readonly StepMessage[]): Answer {
  const starts = pairBy(messages, ({ stem }) => stem);
  const operation = new Map<string, string>();
  for (const { messageId } of messages) operation.set(messageId, starts.get(messageId)?.[0] ?? messageId);
  return {
    name: "baseline: type alone",
    operationOf: (id) => operation.get(id),
    startsOf: (id) => starts.get(id) ?? [],
    before: () => [],
    gatheringOf: () => undefined,
  };
}

/** The oldest start that is still open takes the next end. */
function pairBy(
  messages: readonly StepMessage[],
  keyOf: (message: StepMessage) => string | undefined,
): ReadonlyMap<string, readonly string[]> {
  const open = new Map<string, string[]>();
  const starts = new Map<string, readonly string[]>();
  for (const message of messages.toSorted((left, right) => left.at - right.at)) {
    const key = keyOf(message);
    if (key === undefined) continue;
    if (message.phase === "start") open.set(key, [...(open.get(key) ?? []), message.messageId]);
    else if (message.phase !== "progress") {
      const [first, ...rest] = open.get(key) ?? [];
      if (first === undefined) continue;
      open.set(key, rest);
      starts.set(message.messageId, [first]);
    }
  }
  return starts;
}
