/** Answers that are quicker than this are never called slow, however much quicker they were before. */
const slowMsMin = 100;

/** How much slower than at its best a service may become before it is asked less. */
const slowFactor = 2;

/** What a service was at its best is forgotten by and by, as data grows. */
const baselineDrift = 1.05;

/** *Good* with the time to the answer's head; *slow-down* for 429, 5xx and no answer; *unknown* says nothing. */
export type Pace =
  { readonly kind: "good"; readonly answerMs?: number } | { readonly kind: "slow-down" | "unknown" };

/** A request under way. */
export interface Slot {
  readonly cuts: number;
}

interface Waiting {
  readonly start: (slot: Slot) => void;
}

/**
 * How many requests of one connection are under way at once: one more after as many good answers as there are places,
 * half as many after a 429, a 5xx, no answer at all, or answers that take twice as long as at their best; never below 1
 * or above `most`.
 */
export class AdaptiveConcurrency {
  readonly #most: number;
  readonly #fraction: () => number;
  readonly #waiting = new Set<Waiting>();
  #limit: number;
  #running = 0;
  #cuts = 0;
  #good = 0;
  #answerMsSum = 0;
  #answers = 0;
  #baselineMs: number | undefined;

  /** `fraction`, above 0 and at most 1, is the part of `most` that is allowed now. */
  constructor(most: number, fraction: () => number = () => 1) {
    this.#most = most;
    this.#limit = most;
    this.#fraction = fraction;
  }

  /** How many may be under way now. */
  get limit(): number {
    return Math.max(1, Math.floor(Math.min(this.#limit, this.#most * this.#fraction())));
  }

  get running(): number {
    return this.#running;
  }

  /** Waits for a place, in the order of asking. Throws the signal's reason when it ends first. */
  async acquire(signal: AbortSignal): Promise<Slot> {
    signal.throwIfAborted();
    if (this.#waiting.size === 0 && this.#running < this.limit) return this.#start();
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(waiting);
        reject(signal.reason as Error);
      };
      const waiting: Waiting = {
        start: (slot) => {
          signal.removeEventListener("abort", onAbort);
          resolve(slot);
        },
      };
      signal.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(waiting);
    });
  }

  release(slot: Slot, pace: Pace): void {
    this.#running -= 1;
    if (pace.kind === "slow-down") this.#cut(slot);
    else if (pace.kind === "good") this.#noteGood(slot, pace.answerMs);
    for (const waiting of this.#waiting) {
      if (this.#running >= this.limit) break;
      this.#waiting.delete(waiting);
      waiting.start(this.#start());
    }
  }

  #start(): Slot {
    this.#running += 1;
    return { cuts: this.#cuts };
  }

  /** Requests that were under way at the last cut tell nothing new. */
  #cut({ cuts }: Slot): void {
    if (cuts !== this.#cuts) return;
    this.#cuts += 1;
    this.#limit = Math.max(1, this.#limit / 2);
    this.#forgetWindow();
  }

  #noteGood(slot: Slot, answerMs: number | undefined): void {
    if (slot.cuts !== this.#cuts) return;
    this.#good += 1;
    if (answerMs !== undefined) {
      this.#answerMsSum += answerMs;
      this.#answers += 1;
    }
    if (this.#good < this.#limit) return;
    const meanMs = this.#answers === 0 ? undefined : this.#answerMsSum / this.#answers;
    if (meanMs !== undefined && this.#isSlow(meanMs)) {
      this.#cut(slot);
      return;
    }
    this.#limit = Math.min(this.#most, Math.floor(this.#limit) + 1);
    this.#forgetWindow();
  }

  #isSlow(meanMs: number): boolean {
    const baselineMs = this.#baselineMs ?? meanMs;
    this.#baselineMs = Math.min(meanMs, baselineMs * baselineDrift);
    return meanMs > slowMsMin && meanMs > slowFactor * baselineMs;
  }

  #forgetWindow(): void {
    this.#good = 0;
    this.#answerMsSum = 0;
    this.#answers = 0;
  }
}
