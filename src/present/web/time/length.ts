/** Lengths of time in words that fit a narrow column. */

const unitMs = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 } as const;

/** `2 h 29`, `13 min`, `42 s`, `350 ms`; the sign is dropped. */
export function formatLength(ms: number): string {
  const size = Math.abs(ms);
  if (size < 1000) return `${Math.round(size)} ms`;
  if (size < 60_000)
    return size < 10_000 && size % 1000 !== 0
      ? `${(size / 1000).toFixed(1)} s`
      : `${Math.round(size / 1000)} s`;
  const seconds = Math.round(size / 1000);
  if (seconds < 600) {
    const rest = seconds % 60;
    return rest === 0
      ? `${seconds / 60} min`
      : `${Math.floor(seconds / 60)} min ${String(rest).padStart(2, "0")}`;
  }
  const minutes = Math.round(size / 60_000);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 2880) {
    const rest = minutes % 60;
    return rest === 0
      ? `${minutes / 60} h`
      : `${Math.floor(minutes / 60)} h ${String(rest).padStart(2, "0")}`;
  }
  return `${Math.round(size / unitMs.d)} days`;
}

/** How well a time is known: `±30 s`; an empty string where it is exact. A precision is the full width. */
export function formatPrecision(precisionMs: number): string {
  return precisionMs <= 0 ? "" : `±${formatLength(precisionMs >= 2 ? precisionMs / 2 : precisionMs)}`;
}

/** `-2h`, `-90m`, `-45s`; the shortest spelling that reads back to the same number of milliseconds. */
export function spellOffset(ms: number): string {
  if (ms === 0) return "now";
  const sign = ms < 0 ? "-" : "+";
  const size = Math.abs(ms);
  for (const unit of ["d", "h", "m", "s"] as const) {
    if (size % unitMs[unit] === 0) return `${sign}${size / unitMs[unit]}${unit}`;
  }
  return `${sign}${size}ms`;
}

/** The inverse of {@link spellOffset}; undefined for anything else. */
export function readOffset(text: string): number | undefined {
  if (text === "now") return 0;
  const match = /^([+-])(\d{1,12})(ms|[smhd])$/.exec(text);
  if (match === null) return undefined;
  const unit = match[3] === "ms" ? 1 : unitMs[match[3] as keyof typeof unitMs];
  const ms = Number(match[2]) * unit;
  return match[1] === "-" ? -ms : ms;
}
