/** `4 min`, `2 h 29`, `25 s`. */
export function describeGap(gapMs: number): string {
  const seconds = Math.round(Math.abs(gapMs) / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")}`;
}
