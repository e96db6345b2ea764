import type { Duration } from "../model/instant.ts";
import type { Correlatable } from "./correlatable.ts";

/** How a candidate stands to the symptom in time. `after` is never a cause. */
export type Direction = "before" | "in-progress" | "unordered" | "after";

/**
 * By how much the order of two events may be wrong, in ms: the coarser of their precisions, and the clocks of those who
 * saw them. One connection errs once, since its clock is the same for both.
 */
export function orderErrorMs(
  candidate: Correlatable,
  target: Pick<Correlatable, "precision" | "connection"> | undefined,
  clockErrors: ReadonlyMap<string, Duration> = new Map(),
): number {
  const connections = new Set(
    [candidate.connection, target?.connection].filter((name) => name !== undefined),
  );
  const clocksMs = [...connections].reduce((sum, name) => sum + (clockErrors.get(name) ?? 0), 0);
  return Math.max(candidate.precision, target?.precision ?? 0) + clocksMs;
}

/** The order of what began `gapMs` before the symptom, when either may be wrong by `errorMs`; inside it nobody can say. */
export function directionOf(gapMs: number, errorMs: number, ended: boolean): Direction {
  if (gapMs < -errorMs) return "after";
  if (Math.abs(gapMs) <= errorMs) return "unordered";
  return ended ? "before" : "in-progress";
}
