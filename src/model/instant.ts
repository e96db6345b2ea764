/** A moment in UTC, in whole milliseconds since 1970-01-01T00:00:00Z. */
export type Instant = number & { readonly __brand: "Instant" };

/** A length of time in milliseconds. */
export type Duration = number & { readonly __brand: "Duration" };

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
