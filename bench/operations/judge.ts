import type { Answer } from "./answer.ts";
import type { Call, OperationsTruth, StepMessage } from "./truth.ts";

/** Edges that are right, that were given wrongly, and that were missed. */
export interface EdgeScore {
  right: number;
  wrong: number;
  missed: number;
}

export const edgeKinds = ["call → step", "start → end", "before → after", "host → server"] as const;
export type EdgeKind = (typeof edgeKinds)[number];

export interface Judged {
  readonly name: string;
  readonly edges: Readonly<Record<EdgeKind, EdgeScore>>;
  /** One line for each edge that is wrong or missed. */
  readonly errors: readonly string[];
  /** Which operation of the answer each call is, by the call's request. */
  readonly operations: ReadonlyMap<string, string>;
}

export function f1({ right, wrong, missed }: EdgeScore): number {
  return right === 0 ? 0 : (2 * right) / (2 * right + wrong + missed);
}

export function sumEdges(edges: Judged["edges"]): EdgeScore {
  return edgeKinds.reduce(
    (sum, kind) => ({
      right: sum.right + edges[kind].right,
      wrong: sum.wrong + edges[kind].wrong,
      missed: sum.missed + edges[kind].missed,
    }),
    { right: 0, wrong: 0, missed: 0 },
  );
}

/**
 * Holds an answer against the truth by four kinds of edges:
 * - *call → step*: each message that belongs to a call, to the operation that holds most of the call's messages. One of
 *   another call in that operation is a wrong edge.
 * - *start → end*: in one call, the n-th start and the n-th end (or error) of a type under one request on one thing.
 * - *before → after*: two calls on one resource with none between them, the first over before the second was sent; given
 *   where the answer leads from one to the other, at most by way of what is no call on that resource.
 * - *host → server*: each server that the driver evacuated, to one gathering.
 */
export function judgeEdges(truth: OperationsTruth, answer: Answer): Judged {
  const score = (): EdgeScore => ({ right: 0, wrong: 0, missed: 0 });
  const edges = {
    "call → step": score(),
    "start → end": score(),
    "before → after": score(),
    "host → server": score(),
  };
  const errors: string[] = [];
  const operations = matchCalls(truth.calls, answer);
  const callOf = new Map(
    truth.calls.flatMap((call) => call.messages.map(({ messageId }) => [messageId, call] as const)),
  );
  const note = (kind: EdgeKind, what: "wrong" | "missed", says: string): void => {
    edges[kind][what] += 1;
    errors.push(`${kind}, ${what}: ${says}`);
  };
  judgeMembers(truth, answer, { operations, edges, note });
  judgePairs(truth, answer, { callOf, edges, note });
  judgeOrder(truth, answer, { operations, edges, note });
  judgeHost(truth, answer, { operations, edges, note });
  return { name: answer.name, edges, errors, operations };
}

interface Sheet {
  readonly edges: Record<EdgeKind, EdgeScore>;
  readonly note: (kind: EdgeKind, what: "wrong" | "missed", says: string) => void;
}

/** Each call's operation: the one with most of its messages; the call that has most of an operation's messages gets it. */
function matchCalls(calls: readonly Call[], answer: Answer): ReadonlyMap<string, string> {
  const shares = calls.flatMap((call) => {
    const counts = new Map<string, number>();
    for (const { messageId } of call.messages) {
      const operation = answer.operationOf(messageId);
      if (operation !== undefined) counts.set(operation, (counts.get(operation) ?? 0) + 1);
    }
    return [...counts].map(([operation, count]) => ({ call, operation, count }));
  });
  const matched = new Map<string, string>();
  const taken = new Set<string>();
  for (const { call, operation } of shares.toSorted((left, right) => right.count - left.count)) {
    if (matched.has(call.request) || taken.has(operation)) continue;
    matched.set(call.request, operation);
    taken.add(operation);
  }
  return matched;
}

function judgeMembers(
  { calls }: OperationsTruth,
  answer: Answer,
  { operations, edges, note }: Sheet & { readonly operations: ReadonlyMap<string, string> },
): void {
  const callOfOperation = new Map(
    calls.flatMap((call) => {
      const operation = operations.get(call.request);
      return operation === undefined ? [] : [[operation, call] as const];
    }),
  );
  for (const call of calls) {
    for (const message of call.messages) {
      const operation = answer.operationOf(message.messageId);
      if (operation !== undefined && operation === operations.get(call.request)) {
        edges["call → step"].right += 1;
        continue;
      }
      note("call → step", "missed", `${call.op} ${call.request}: ${wordsOf(message)}`);
      const other = operation === undefined ? undefined : callOfOperation.get(operation);
      if (other !== undefined)
        note(
          "call → step",
          "wrong",
          `${other.op} ${other.request}: ${wordsOf(message)} of ${call.op} ${call.request}`,
        );
    }
  }
}

function wordsOf({ eventType, at, messageId }: StepMessage): string {
  return `${eventType} at ${new Date(at).toISOString().slice(11, 23)} (${messageId})`;
}

function judgePairs(
  { calls }: OperationsTruth,
  answer: Answer,
  { callOf, edges, note }: Sheet & { readonly callOf: ReadonlyMap<string, Call> },
): void {
  const expected = new Map<string, string>();
  for (const call of calls) for (const [end, start] of truePairs(call)) expected.set(end, start);
  const words = new Map(
    calls.flatMap(({ messages }) =>
      messages.map((message) => [message.messageId, wordsOf(message)] as const),
    ),
  );
  const startsWithEnd = new Set(expected.values());
  for (const [end, start] of expected) {
    const given = answer.startsOf(end);
    if (given.includes(start)) edges["start → end"].right += 1;
    else {
      note("start → end", "missed", `${words.get(start)} to ${words.get(end)}`);
      if (given.some((one) => callOf.has(one)))
        note("start → end", "wrong", `${words.get(given[0]!)} to ${words.get(end)}`);
    }
  }
  for (const call of calls) {
    for (const { messageId, phase } of call.messages) {
      if ((phase !== "end" && phase !== "error") || expected.has(messageId)) continue;
      for (const start of answer.startsOf(messageId))
        if (callOf.has(start) && !startsWithEnd.has(start))
          note("start → end", "wrong", `${words.get(start)} to ${words.get(messageId)}`);
    }
  }
}

/** Ends with their starts. Both formats of one service are told apart by their types; ids tell which thing it was. */
function truePairs(call: Call): readonly (readonly [string, string])[] {
  const lines = Map.groupBy(
    call.messages.filter(({ phase }) => phase !== "progress"),
    ({ stem, requestIds }) => `${stem} ${requestIds[0] ?? ""}`,
  );
  return [...lines.values()].flatMap((line) => {
    const starts = line.filter(({ phase }) => phase === "start");
    const ends = line.filter(({ phase }) => phase !== "start");
    const pairs: (readonly [string, string])[] = [];
    const used = new Set<string>();
    for (const end of ends) {
      const fits = starts.filter((start) => !used.has(start.messageId) && start.at <= end.at);
      // A thing that is made has no id at its start.
      const start = fits.find(({ ids }) => sharesThing(ids, end.ids)) ?? fits[0];
      if (start === undefined) continue;
      used.add(start.messageId);
      pairs.push([end.messageId, start.messageId]);
    }
    return pairs;
  });
}

function sharesThing(left: ReadonlySet<string>, right: ReadonlySet<string>): boolean {
  return [...left].every((id) => right.has(id));
}

function judgeOrder(
  { calls }: OperationsTruth,
  answer: Answer,
  { operations, edges, note }: Sheet & { readonly operations: ReadonlyMap<string, string> },
): void {
  const callOfOperation = new Map([...operations].map(([request, operation]) => [operation, request]));
  const byRequest = new Map(calls.map((call) => [call.request, call]));
  const expected = new Set<string>();
  // What the driver did not do to the resource, as far as its calls tell, may lie between.
  const leadsTo = (operation: string, earlier: string, resource: string): boolean => {
    const visited = new Set<string>();
    const queue = [operation];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      for (const before of answer.before(next)) {
        if (before === earlier) return true;
        const between = byRequest.get(callOfOperation.get(before) ?? "");
        if (visited.has(before) || between?.resources.includes(resource) === true) continue;
        visited.add(before);
        queue.push(before);
      }
    }
    return false;
  };
  const onResource = calls.flatMap((call) => call.resources.map((resource) => ({ resource, call })));
  for (const [resource, found] of Map.groupBy(onResource, (one) => one.resource)) {
    const line = found.map(({ call }) => call);
    const sorted = line.toSorted((left, right) => left.sentAt - right.sentAt);
    for (const [index, call] of sorted.entries()) {
      const before = sorted[index - 1];
      if (before === undefined || before.doneAt > call.sentAt) continue;
      expected.add(`${before.request} ${call.request}`);
      const operation = operations.get(call.request);
      const earlier = operations.get(before.request);
      const isGiven =
        operation !== undefined && earlier !== undefined && leadsTo(operation, earlier, resource);
      if (isGiven) edges["before → after"].right += 1;
      else note("before → after", "missed", `${before.op} ${before.request} to ${call.op} ${call.request}`);
    }
  }
  for (const call of calls) {
    const operation = operations.get(call.request);
    for (const earlier of operation === undefined ? [] : answer.before(operation)) {
      const before = byRequest.get(callOfOperation.get(earlier) ?? "");
      // On a thing that the driver did not name in its calls it states no order.
      if (
        before === undefined ||
        !before.resources.some((one) => call.resources.includes(one)) ||
        expected.has(`${before.request} ${call.request}`)
      )
        continue;
      note("before → after", "wrong", `${before.op} ${before.request} to ${call.op} ${call.request}`);
    }
  }
}

function judgeHost(
  { calls, evacuated }: OperationsTruth,
  answer: Answer,
  { operations, edges, note }: Sheet & { readonly operations: ReadonlyMap<string, string> },
): void {
  const evacuations = calls.filter(
    ({ op, resource }) => op === "server.evacuate" && evacuated.includes(resource),
  );
  const gatherings = evacuations.map(({ request }) => answer.gatheringOf(operations.get(request) ?? ""));
  const counts = Map.groupBy(
    gatherings.filter((one) => one !== undefined),
    (one) => one,
  );
  const largest = [...counts.values()].toSorted((left, right) => right.length - left.length)[0]?.[0];
  for (const [index, call] of evacuations.entries()) {
    const given = gatherings[index];
    if (given !== undefined && given === largest) edges["host → server"].right += 1;
    else note("host → server", "missed", `the host's evacuation to ${call.request}`);
    if (given !== undefined && given !== largest)
      note("host → server", "wrong", `another evacuation to ${call.request}`);
  }
}
