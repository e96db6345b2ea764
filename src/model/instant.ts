/** A moment in UTC, in whole milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number & { readonly __brand: "Instant" };

/** A length of time in milliseconds. */
export type Duration = number & { readonly __brand: "Duration" };

/** Moments before this are refused everywhere: no cloud is older, and a clock that was never set says 1970. */
export const earliestInstant = 0 as Instant;

/** The first moment that is refused as too late, by the decoders and by the store's partitions alike. */
export const endOfInstants = Date.UTC(2200, 0, 1) as Instant;

/** Whether a moment lies in the years that are kept, 1970 to 2199. */
export function isInRange(at: number): boolean {
  return at >= earliestInstant && at < endOfInstants;
}

/** The moment `ms` milliseconds after the epoch; fractions are cut, because the store keeps milliseconds. */
export function instant(ms: number): Instant {
  return Math.floor(ms) as Instant;
}

/** A length of `ms` milliseconds. */
export function duration(ms: number): Duration {
  return ms as Duration;
}

/** RFC 3339 in UTC with milliseconds, e.g. `2026-11-21T01:15:51.124Z`. */
export function formatInstant(at: Instant): string {
  return new Date(at).toISOString();
}
