/** A half-open window of time in milliseconds since the epoch. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** A window laid over a width in CSS pixels. */
export interface TimeScale extends TimeRange {
  readonly width: number;
}

/** The narrowest and widest windows that can be shown: 20 ms to 40 years. */
export const spanMinMs = 20;
export const spanMaxMs = 40 * 365 * 86_400_000;

export function xOf(scale: TimeScale, at: number): number {
  return ((at - scale.from) / (scale.to - scale.from)) * scale.width;
}

export function timeAt(scale: TimeScale, x: number): number {
  return scale.from + (x / scale.width) * (scale.to - scale.from);
}

export function msPerPx(scale: TimeScale): number {
  return (scale.to - scale.from) / Math.max(scale.width, 1);
}

/** Whole milliseconds, at least {@link spanMinMs} wide. */
export function tidyRange(from: number, to: number): TimeRange {
  const [low, high] = from <= to ? [from, to] : [to, from];
  const span = Math.min(Math.max(high - low, spanMinMs), spanMaxMs);
  const start = Math.round(low + (high - low - span) / 2);
  return { from: start, to: start + Math.round(span) };
}

/** The window scaled by `factor` (under 1 zooms in) with the moment `at` staying where it is. */
export function zoomAround(range: TimeRange, at: number, factor: number): TimeRange {
  const span = range.to - range.from;
  const wanted = Math.min(Math.max(span * factor, spanMinMs), spanMaxMs);
  const share = (at - range.from) / span;
  return tidyRange(at - wanted * share, at + wanted * (1 - share));
}

/** The window moved by a share of its own span. */
export function panBy(range: TimeRange, share: number): TimeRange {
  const shift = Math.round((range.to - range.from) * share);
  return { from: range.from + shift, to: range.to + shift };
}

/** The smallest window that holds `range` and the moment, with air around the moment. */
export function stretchTo(range: TimeRange, at: number): TimeRange {
  if (at >= range.from && at < range.to) return range;
  const reach = Math.max(range.to, at) - Math.min(range.from, at);
  const air = reach * 0.04;
  return tidyRange(Math.min(range.from, at - air), Math.max(range.to, at + air));
}
