import type { LaneItem } from "./lane-item.ts";

/** Something that went on between two items of a lane. */
export interface Span {
  readonly kind: "operation" | "impact";
  readonly from: number;
  readonly to: number;
  readonly severity: LaneItem["severity"];
  readonly ids: readonly [string, string];
}

/** Steps further apart than this are not joined: a key that returns after a day is another occurrence. */
const joinedMaxMs = 86_400_000;

/**
 * Joins starts with their ends (same operation, same subject) and symptoms with the recovery of the same
 * subject. Nothing is drawn for a start or a symptom whose end was not seen: its end is unknown.
 */
export function joinSpans(items: readonly LaneItem[]): Span[] {
  const spans: Span[] = [];
  const started = new Map<string, LaneItem>();
  const hurting = new Map<string, LaneItem>();
  for (const item of items) {
    if (item.operation !== undefined)
      joinOperation(item, `${item.operation} ${item.subject}`, started, spans);
    if (item.kind === "symptom" && !hurting.has(item.subject)) hurting.set(item.subject, item);
    if (item.kind === "recovery") {
      const symptom = hurting.get(item.subject);
      if (symptom !== undefined && item.at - symptom.at <= joinedMaxMs) {
        spans.push(spanOf("impact", symptom, item));
      }
      hurting.delete(item.subject);
    }
  }
  return mergeImpacts(spans);
}

/** One tint where several subjects hurt at once: how long the lane hurt, not how many times. */
function mergeImpacts(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    const last = merged.findLast((other) => other.kind === "impact");
    if (span.kind === "impact" && last !== undefined && span.from <= last.to) {
      merged[merged.indexOf(last)] = { ...last, to: Math.max(last.to, span.to) };
    } else merged.push(span);
  }
  return merged;
}

function joinOperation(item: LaneItem, key: string, started: Map<string, LaneItem>, spans: Span[]): void {
  if (item.phase === "start" && !started.has(key)) started.set(key, item);
  if (item.phase !== "end" && item.phase !== "error") return;
  const start = started.get(key);
  if (start === undefined) return;
  started.delete(key);
  if (item.at - start.at <= joinedMaxMs) spans.push(spanOf("operation", start, item));
}

function spanOf(kind: Span["kind"], start: LaneItem, end: LaneItem): Span {
  return { kind, from: start.at, to: end.at, severity: start.severity, ids: [start.id, end.id] };
}
