const consecutiveMax = 5;
const outcomesKept = 20;

/** How long it stays open first and at most, by why it opened. */
const openMs = {
  failing: { first: 10_000, most: 300_000 },
  // Signing in again and again with a password that is refused gets accounts locked.
  credential: { first: 60_000, most: 900_000 },
} as const;

/** *Failing*: too many requests failed. *Credential*: it refuses who we are. *Asked*: it asked for a longer rest. */
export type OpenReason = "failing" | "credential" | "asked";

export type BreakerState = "closed" | "open" | "half-open";

/** *Denied* is an answer of a service that is well; *unknown* where it cannot be told, as when we ended the request. */
export type Verdict = "good" | "bad" | "denied" | "unknown";

/** A request that may leave; `settle` has to follow. */
export interface Permit {
  readonly generation: number;
  readonly isProbe: boolean;
}

export interface Refusal {
  readonly reason: OpenReason;
  /** Since when nothing got through, in milliseconds of the breaker's clock. */
  readonly sinceMs: number;
  /** How long from now until it is tried again. */
  readonly retryInMs: number;
}

export interface BreakerOptions {
  /** Never goes back. */
  readonly nowMs: () => number;
  readonly random: () => number;
  /** Called when a probe went well. */
  readonly onClosed?: () => void;
}

interface Opened {
  readonly reason: OpenReason;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/**
 * Stops asking a service that does not answer: it opens after 5 failures in a row, or when more than 10 of the last 20
 * requests failed, each time for up to twice as long; then one probe at a time may show that the service is well.
 */
export class CircuitBreaker {
  readonly #options: BreakerOptions;
  /** Tells requests from before the last change of state from those after it. */
  #generation = 0;
  #outcomes: boolean[] = [];
  #consecutive = 0;
  #opened: Opened | undefined;
  #probing = false;
  #level = 0;
  #lastOpenMs = 0;
  #closedAtMs = -Infinity;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    if (this.#opened === undefined) return "closed";
    return this.#probing || this.#options.nowMs() >= this.#opened.untilMs ? "half-open" : "open";
  }

  /** Why nothing may leave now; undefined when something may. Takes nothing. */
  look(): Refusal | undefined {
    if (this.#opened === undefined) return undefined;
    const { reason, sinceMs, untilMs } = this.#opened;
    const now = this.#options.nowMs();
    if (!this.#probing && now >= untilMs) return undefined;
    return { reason, sinceMs, retryInMs: Math.max(0, untilMs - now) };
  }

  admit(): Permit | Refusal {
    const refusal = this.look();
    if (refusal !== undefined) return refusal;
    const isProbe = this.#opened !== undefined;
    if (isProbe) this.#probing = true;
    return { generation: this.#generation, isProbe };
  }

  settle({ generation, isProbe }: Permit, verdict: Verdict): void {
    if (generation !== this.#generation) return;
    if (isProbe) this.#settleProbe(verdict);
    else if (this.#opened === undefined && verdict !== "unknown") this.#count(verdict === "bad");
  }

  /** Opens by what is known otherwise; `forMs` is for how long the service asked. */
  open(reason: OpenReason, forMs?: number): void {
    const now = this.#options.nowMs();
    const again = this.#opened !== undefined || now - this.#closedAtMs < this.#lastOpenMs;
    this.#level = again ? this.#level + 1 : 0;
    this.#lastOpenMs = forMs ?? this.#lengthMs(reason);
    const sinceMs = this.#opened?.sinceMs ?? now;
    this.#opened = { reason, sinceMs, untilMs: now + this.#lastOpenMs };
    this.#probing = false;
    this.#generation += 1;
  }

  #settleProbe(verdict: Verdict): void {
    this.#probing = false;
    if (verdict === "unknown" || this.#opened === undefined) return;
    const { reason } = this.#opened;
    if (verdict === "bad") this.open("failing");
    else if (verdict === "denied" && reason === "credential") this.open("credential");
    else this.#close();
  }

  #close(): void {
    this.#opened = undefined;
    this.#outcomes = [];
    this.#consecutive = 0;
    this.#closedAtMs = this.#options.nowMs();
    this.#generation += 1;
    this.#options.onClosed?.();
  }

  #count(failed: boolean): void {
    this.#consecutive = failed ? this.#consecutive + 1 : 0;
    this.#outcomes = [...this.#outcomes, failed].slice(-outcomesKept);
    const failures = this.#outcomes.filter(Boolean).length;
    if (this.#consecutive >= consecutiveMax || failures > outcomesKept / 2) this.open("failing");
  }

  #lengthMs(reason: OpenReason): number {
    const { first, most } = openMs[reason === "credential" ? "credential" : "failing"];
    const full = Math.min(most, first * 2 ** Math.min(this.#level, 20));
    return full * (0.8 + 0.2 * this.#options.random());
  }
}
