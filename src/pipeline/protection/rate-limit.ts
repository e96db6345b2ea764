/** A little more than a second, because the network may bring two requests nearer together than they were sent. */
const windowMs = 1050;

/**
 * A bucket of tokens, each of which comes back one window after it was used: in no window of a second are more than
 * `perSecond` requests sent, whichever second is looked at. Below one a second it is one in `1 / perSecond` seconds.
 * `nowMs` never goes back.
 */
export class RateLimit {
  readonly #perSecond: number;
  readonly #nowMs: () => number;
  /** When the latest requests were or will be sent, oldest first. */
  readonly #sentAtMs: number[] = [];

  constructor(perSecond: number, nowMs: () => number) {
    this.#perSecond = perSecond;
    this.#nowMs = nowMs;
  }

  /**
   * Books the next request and gives how many milliseconds it has to wait. `fraction`, above 0 and at most 1, is the
   * part of the rate that is allowed now.
   */
  book(fraction = 1): number {
    const rate = this.#perSecond * fraction;
    const tokens = Math.max(1, Math.floor(rate));
    const returnMs = rate < 1 ? windowMs / rate : windowMs;
    const now = this.#nowMs();
    const usedAtMs = this.#sentAtMs.at(-tokens);
    const at = Math.max(
      now,
      this.#sentAtMs.at(-1) ?? now,
      usedAtMs === undefined ? now : usedAtMs + returnMs,
    );
    this.#sentAtMs.push(at);
    if (this.#sentAtMs.length > Math.max(1, this.#perSecond)) this.#sentAtMs.shift();
    return at - now;
  }
}
