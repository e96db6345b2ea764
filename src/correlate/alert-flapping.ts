import { duration, instant, type Duration, type Instant } from "../model/instant.ts";

/** When a series is called flapping: shares of weighted slots in which it turned, and the slots. */
export interface FlappingRule {
  readonly slots: number;
  readonly slotMs: Duration;
  /** It begins at this share or above. */
  readonly high: number;
  /** It ends below this one: between the two it stays what it was. */
  readonly low: number;
}

/** Two hours in twenty slots; five turns in it begin, fewer than three or so end. */
export const flappingRule: FlappingRule = { slots: 20, slotMs: duration(360_000), high: 0.25, low: 0.15 };

/** Newest slots count most, as a series that has come to rest is to be called so. */
const oldestWeight = 0.75;
const newestWeight = 1.25;

/** A stretch of flapping; without an end where it had not ended by the moment asked about. */
export interface FlappingSpan {
  readonly from: Instant;
  readonly to?: Instant;
}

/**
 * When the series flapped, given the moments at which it turned, up to `now`. Nagios's idea (weighted turns among the
 * latest checks, with two thresholds) over slots of time in place of checks, since monitors tell turns only. The slots
 * lie on a grid of their own, so that the answer does not depend on what was loaded.
 */
export function findFlapping(
  turns: readonly Instant[],
  now: Instant,
  rule: FlappingRule = flappingRule,
): readonly FlappingSpan[] {
  const { slots, slotMs, high, low } = rule;
  const turned = new Set(turns.filter((at) => at <= now).map((at) => Math.floor(at / slotMs)));
  if (turned.size < 2) return [];
  const first = Math.min(...turned);
  const last = Math.min(Math.floor(now / slotMs), Math.max(...turned) + slots);
  const spans: FlappingSpan[] = [];
  let from: Instant | undefined;
  for (let slot = first; slot <= last; slot++) {
    const share = shareAt(turned, slot, slots);
    const end = instant(Math.min(now, (slot + 1) * slotMs));
    if (from === undefined && share >= high) from = end;
    else if (from !== undefined && share < low) {
      spans.push({ from, to: end });
      from = undefined;
    }
  }
  if (from !== undefined) spans.push({ from });
  return spans;
}

function shareAt(turned: ReadonlySet<number>, slot: number, slots: number): number {
  let sum = 0;
  let whole = 0;
  for (let age = 0; age < slots; age++) {
    const weight = newestWeight - ((newestWeight - oldestWeight) * age) / (slots - 1);
    whole += weight;
    if (turned.has(slot - age)) sum += weight;
  }
  return sum / whole;
}
