/** The first wait is at most this long, each further one at most twice the one before. */
const firstDelayMs = 500;

/** No wait of our own is longer. */
export const delayMsMax = 60_000;

/** No service keeps us away for longer than this by asking; a wrong clock or a slip of the hand asks for years. */
export const askedMsMax = 3_600_000;

/**
 * Full jitter: anything from nothing to `min(60 s, 0.5 s · 2^made)`, where `made` attempts have failed before, so that
 * clients that failed together do not come back together.
 */
export function jitteredDelayMs(made: number, random: () => number): number {
  return random() * Math.min(delayMsMax, firstDelayMs * 2 ** made);
}

/**
 * What `Retry-After` (RFC 9110, section 10.2.3) asks for in milliseconds, from 0 to an hour: seconds or an HTTP date,
 * which is read against `wallNowMs`. Undefined when there is none, or when it is neither.
 */
export function retryAfterMs(value: string | undefined, wallNowMs: number): number | undefined {
  const text = value?.trim() ?? "";
  if (/^\d+$/.test(text)) return Math.min(askedMsMax, Number(text) * 1000);
  // A number with a sign or a point is no date, whatever the engine's parser makes of it.
  if (!/^[A-Za-z]{3,9},? /.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.min(askedMsMax, Math.max(0, date - wallNowMs));
}
