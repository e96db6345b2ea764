/** How long a request counts. */
const windowMs = 60_000;

/** The window moves in steps of this length, so that what is kept does not grow with the rate. */
const stepMs = 1000;

/** Retries are at most this share of the requests. */
const share = 0.1;

/** As many are allowed in a window however few requests there were: a poll a minute could else never be repeated. */
const retriesFree = 6;

interface Step {
  readonly startedAtMs: number;
  requests: number;
  retries: number;
}

/**
 * Bounds the retries of one connection to a tenth of its requests over a minute, or to six where that is more. A
 * service in trouble thereby gets hardly more requests than one that is well. `nowMs` never goes back.
 */
export class RetryBudget {
  readonly #nowMs: () => number;
  #steps: Step[] = [];

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Counts a first attempt. */
  noteRequest(): void {
    this.#current().requests += 1;
  }

  /** Takes one retry out of the budget; false when none is left. */
  takeRetry(): boolean {
    const current = this.#current();
    const requests = this.#steps.reduce((sum, step) => sum + step.requests, 0);
    const retries = this.#steps.reduce((sum, step) => sum + step.retries, 0);
    if (retries + 1 > Math.max(retriesFree, share * requests)) return false;
    current.retries += 1;
    return true;
  }

  #current(): Step {
    const now = this.#nowMs();
    const startedAtMs = Math.floor(now / stepMs) * stepMs;
    this.#steps = this.#steps.filter((step) => step.startedAtMs > startedAtMs - windowMs);
    const last = this.#steps.at(-1);
    if (last?.startedAtMs === startedAtMs) return last;
    const step = { startedAtMs, requests: 0, retries: 0 };
    this.#steps.push(step);
    return step;
  }
}
