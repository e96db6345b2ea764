import type { EventJson } from "../../api/contract.ts";
import { stormOf } from "./storm.ts";

/** A row of the table: one event, or a run of routine activity folded into one. */
export type TableRow =
  | { readonly what: "event"; readonly event: EventJson; readonly indented: boolean }
  | {
      readonly what: "run";
      readonly key: string;
      readonly events: readonly EventJson[];
      readonly open: boolean;
    };

/** Shorter runs are not worth a fold. */
const runMin = 4;

export interface TableRows {
  readonly rows: readonly TableRow[];
  readonly shown: number;
  readonly folded: number;
}

/**
 * Rows for events in order of time. Runs of routine activity (informational, no storm, nothing else in between) become one row
 * each, unless opened; `selected` is never folded away. Shown and folded always add up to the number of events.
 */
export function foldRows(
  events: readonly EventJson[],
  fold: boolean,
  open: ReadonlySet<string>,
  selected: string | undefined,
): TableRows {
  const rows: TableRow[] = [];
  let folded = 0;
  let start = 0;
  while (start < events.length) {
    let end = start;
    while (end < events.length && isRoutine(events[end], selected)) end++;
    const run = events.slice(start, end);
    const key = run[0]?.id ?? "";
    if (fold && run.length >= runMin) {
      const isOpen = open.has(key);
      rows.push({ what: "run", key, events: run, open: isOpen });
      if (isOpen) rows.push(...run.map((event): TableRow => ({ what: "event", event, indented: true })));
      else folded += run.length;
    } else {
      rows.push(...run.map((event): TableRow => ({ what: "event", event, indented: false })));
    }
    const next = events[end];
    if (next !== undefined) rows.push({ what: "event", event: next, indented: false });
    start = end + 1;
  }
  return { rows, shown: events.length - folded, folded };
}

function isRoutine(event: EventJson | undefined, selected: string | undefined): boolean {
  return (
    event !== undefined &&
    event.kind === "activity" &&
    event.severity === "info" &&
    event.id !== selected &&
    stormOf(event) === undefined
  );
}

/** What a run holds, most frequent first: `identity.authenticate 30, port.update.end 7`. */
export function describeRun(events: readonly EventJson[]): string {
  const counts = new Map<string, number>();
  for (const event of events) counts.set(event.type, (counts.get(event.type) ?? 0) + 1);
  const sorted = [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const words = sorted.slice(0, 3).map(([type, count]) => `${type} ${count}`);
  const rest = sorted.length - words.length;
  return rest > 0 ? `${words.join(", ")} and ${rest} more types` : words.join(", ");
}
