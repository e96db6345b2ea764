import { formatClock, formatDate, offsetMs, partsIn } from "./zone.ts";

/** One line of the axis. `label` is in the chosen zone; `day` is set where a new day begins, and on the first. */
export interface Tick {
  readonly at: number;
  readonly label: string;
  readonly day?: string;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const steps = [
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  second,
  2 * second,
  5 * second,
  10 * second,
  15 * second,
  30 * second,
  minute,
  2 * minute,
  5 * minute,
  10 * minute,
  15 * minute,
  30 * minute,
  hour,
  2 * hour,
  3 * hour,
  6 * hour,
  12 * hour,
  day,
  2 * day,
  7 * day,
  14 * day,
  30 * day,
  90 * day,
  365 * day,
] as const;

/** The smallest step whose ticks stay `gapPx` apart. */
export function tickStep(fromMs: number, toMs: number, widthPx: number, gapPx = 96): number {
  const wanted = ((toMs - fromMs) * gapPx) / Math.max(widthPx, 1);
  return steps.find((step) => step >= wanted) ?? 365 * day * Math.ceil(wanted / (365 * day));
}

/** Ticks at round times of the zone's own clock; never more than 200. */
export function timeTicks(fromMs: number, toMs: number, widthPx: number, zone: string, gapPx = 96): Tick[] {
  const step = tickStep(fromMs, toMs, widthPx, gapPx);
  const ticks: Tick[] = [];
  let lastDay = "";
  let at = fromMs;
  for (let guard = 0; guard < 200; guard++) {
    const shift = offsetMs(at, zone);
    let next = Math.ceil((at + shift) / step) * step - shift;
    const moved = offsetMs(next, zone) - shift;
    if (moved !== 0 && step >= hour) {
      // Clocks changed on the way: find the round local time again with the new offset.
      next = Math.ceil((at + shift + moved) / step) * step - (shift + moved);
      if (next < at) next += step;
    }
    if (next >= toMs) break;
    const date = formatDate(next, zone);
    const label = labelTick(next, step, zone);
    ticks.push(date === lastDay ? { at: next, label } : { at: next, label, day: date });
    lastDay = date;
    at = next + 1;
  }
  return ticks;
}

function labelTick(at: number, step: number, zone: string): string {
  if (step >= day) {
    const parts = partsIn(at, zone);
    return `${parts.day} ${monthNames[parts.month - 1] ?? ""}`;
  }
  if (step < second) return formatClock(at, zone, "ms");
  return formatClock(at, zone, step < minute ? "second" : "minute");
}

const monthNames = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
] as const;
