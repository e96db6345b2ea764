import type { EventKind, Severity } from "../../../model/event.ts";
import type { BlindSpan } from "./blind-spans.ts";

/** What the canvas needs to know of an event. */
export interface LaneItem {
  readonly id: string;
  readonly at: number;
  readonly kind: EventKind;
  readonly severity: Severity;
  /** Full width of the span that the true time lies in; 0 where it is exact. */
  readonly precisionMs: number;
  readonly label: string;
  /** What the item is about, for joining a symptom with its recovery. */
  readonly subject: string;
  /** Steps of one operation share this; absent where there is none. */
  readonly operation?: string;
  readonly phase?: "start" | "progress" | "end" | "error";
  readonly connection?: string;
  /** Set where the item stands for many, which happened from `first` to `last`. */
  readonly fold?: { readonly count: number; readonly first: number; readonly last: number };
}

/** One row of the timeline with its items in order of time. */
export interface Lane {
  readonly key: string;
  readonly label: string;
  /** A second, quieter word: which tenant, which kind. */
  readonly hint?: string;
  /** Where the label leads, if anywhere. */
  readonly href?: string;
  readonly items: readonly LaneItem[];
  /** From here on, no source of this lane is known to be complete: unknown, not quiet. */
  readonly unknownFrom?: number;
  /** Where events of this lane may be missing. */
  readonly holes?: readonly BlindSpan[];
}

export type LaneOrder = "first-symptom" | "count" | "name";

const severityRank = { info: 0, warning: 1, error: 2, critical: 3 } as const satisfies Record<
  Severity,
  number
>;

export function rankSeverity(severity: Severity): number {
  return severityRank[severity];
}

/** The index of the first item at or after `at`. */
export function firstAtOrAfter(items: readonly { readonly at: number }[], at: number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((items[middle]?.at ?? Infinity) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The items within [from, to). */
export function itemsWithin<T extends { readonly at: number }>(
  items: readonly T[],
  from: number,
  to: number,
): T[] {
  return items.slice(firstAtOrAfter(items, from), firstAtOrAfter(items, to));
}
