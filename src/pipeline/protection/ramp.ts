/** What is let through at the very beginning. */
const firstFraction = 0.05;

/** How long it takes to double. */
const doublingMs = 30_000;

/** The full height is reached after about 130 seconds. */
export class Ramp {
  readonly #nowMs: () => number;
  #beganAtMs: number | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Starts again from the bottom, as after an outage. */
  begin(): void {
    this.#beganAtMs = this.#nowMs();
  }

  /** `min(1, 0.05 · 2^(t / 30 s))` at `t` after the beginning; 1 where there was none. */
  fraction(): number {
    if (this.#beganAtMs === undefined) return 1;
    return Math.min(1, firstFraction * 2 ** ((this.#nowMs() - this.#beganAtMs) / doublingMs));
  }
}

/** Between the starts of two connections of one process. */
const startStepMs = 1000;

/**
 * How long connection `index` of `count` waits before its first pass, so that those of one process start in seconds of
 * their own and those of several processes not at the same moment. Never longer than its interval.
 */
export function startDelayMs(
  { index, count, intervalMs }: { index: number; count: number; intervalMs: number },
  random: () => number,
): number {
  const stepMs = Math.min(startStepMs, intervalMs / count);
  return (index + random()) * stepMs;
}
