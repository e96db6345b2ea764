const minuteMs = 60_000;

/** Whole minutes, the one that runs counted; 0 when the time is up. */
export function minutesLeft(until: number, now: number): number {
  return Math.max(0, Math.ceil((until - now) / minuteMs));
}

/** What is wrong with a reason; undefined where nothing is. */
export function problemOfReason(why: string): string | undefined {
  const { length } = why.trim();
  if (length < 10) return "Say it in 10 characters or more.";
  return length > 500 ? `Say it in 500 characters; these are ${length}.` : undefined;
}
