import type { SourcesJson } from "../../api/contract.ts";
import { formatLength } from "../time/length.ts";

export type Connection = SourcesJson["connections"][number];

/** How urgent each state is; the most urgent first. */
const urgency = [
  "failing",
  "silent",
  "degraded",
  "running",
  "idle",
  "finished",
  "retired",
] as const satisfies readonly Connection["state"][];

/** What each state means, for those who meet the word for the first time. */
export const stateMeanings: Readonly<Record<Connection["state"], string>> = {
  failing: "the last pass ended in an error",
  silent: "not heard for longer than expected: it may be dead as well as quiet",
  degraded: "it does what its contract excludes",
  running: "being read now",
  idle: "in order, waiting for its next turn",
  finished: "read to its end; nothing more will come",
  retired: "nobody reads it any more; what it told stays",
};

/** Whether somebody has to look at it: its state, or what is missing or set aside. */
export function needsAttention(connection: Connection): boolean {
  if (connection.state === "retired") return false;
  return urgency.indexOf(connection.state) <= urgency.indexOf("degraded") || connection.holes.length > 0;
}

/** Worst first: by state, then those with holes, then by name. */
export function worstFirst(connections: readonly Connection[]): Connection[] {
  const rank = (entry: Connection) =>
    urgency.indexOf(entry.state) + (entry.holes.length > 0 && !isTroubled(entry) ? -0.5 : 0);
  return connections.toSorted(
    (a, b) =>
      Number(needsAttention(b)) - Number(needsAttention(a)) ||
      rank(a) - rank(b) ||
      b.holes.length - a.holes.length ||
      (a.connection < b.connection ? -1 : 1),
  );
}

function isTroubled({ state }: Connection): boolean {
  return urgency.indexOf(state) <= urgency.indexOf("degraded");
}

/** Up to when all that is in order is complete; undefined where none of it says so. */
export function completeToAll(connections: readonly Connection[]): number | undefined {
  const times = connections.flatMap(({ complete_to: at }) => (at === null ? [] : [Date.parse(at)]));
  return times.length === 0 ? undefined : Math.min(...times);
}

/** `4 s ago`, and how long it may be silent, where anything is expected of it. */
export function heardWords(
  { last_heard_at: heard, expect_within_ms: expected }: Connection,
  now: number,
): string {
  const since = heard === null ? "never" : `${formatLength(Math.max(0, now - Date.parse(heard)))} ago`;
  return expected === null ? since : `${since}; expected every ${formatLength(expected)}`;
}

/** What to do about a finding; `name` is the connection's. Undefined for a code that these pages do not know yet. */
export function remedyOf(code: string, name: string): string | undefined {
  return Object.hasOwn(remedies, code) ? remedies[code]?.replace("NAME", name) : undefined;
}

/** By the code of the finding; a newer server may know more codes than these pages. */
const remedies: Readonly<Record<string, string>> = {
  unsorted:
    "Compare it with its source: isochron reconcile NAME. If it comes again, report it to the source’s owner.",
  "late-commit":
    "Compare it with its source: isochron reconcile NAME. If it comes again, allow for more delay in the connection’s settings.",
  "clock-off": "Check the time service on the source’s machine; this ends with the next page of sane times.",
  "changed-in-place":
    "Nothing is lost: both versions are with the event. Ask the source’s owner who changes records.",
  "outlived-retention":
    "What the source has dropped cannot be read again; look for it in the source’s own logs. Let it keep its records for longer, or read it more often.",
  "sudden-drop":
    "See whether the source was emptied or is cut off. Deletions are taken over as soon as it can be read whole.",
  "schema-drift":
    "Look at the records set aside below. Once they can be read: isochron sources NAME --replay",
  "place-lost": "Compare it with its source, as far back as that knows: isochron reconcile NAME",
  unwatched:
    "Close what is no longer open in the source, or split the connection; what was passed by is read by: isochron reconcile NAME",
};
