import { IsochronError } from "../../errors.ts";
import { formatInstant, instant } from "../../model/instant.ts";
import type { Pace } from "./adaptive-concurrency.ts";
import { AdaptiveConcurrency } from "./adaptive-concurrency.ts";
import type { CreditAccount } from "./byte-credits.ts";
import type { BreakerState, Permit, Refusal, Verdict } from "./circuit-breaker.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { Ramp } from "./ramp.ts";
import { RateLimit } from "./rate-limit.ts";
import { RetryBudget } from "./retry-budget.ts";

/** What a connection's source may be asked at most; see `limits` in the configuration. */
export interface SourceLimits {
  readonly requestsPerSecond: number;
  readonly requestsAtOnce: number;
}

export const sourceLimits: SourceLimits = { requestsPerSecond: 50, requestsAtOnce: 4 };

/** Time and chance, handed in so that a simulation owns them. */
export interface GuardClock {
  /** Never goes back. */
  readonly nowMs: () => number;
  /** What people are told. */
  readonly wallNowMs: () => number;
  readonly random: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

export interface GuardOptions {
  readonly connection: string;
  readonly limits: SourceLimits;
  readonly clock: GuardClock;
  readonly credits: CreditAccount;
  /** True where many processes may start at once: the first requests come by the ramp. */
  readonly startsGently: boolean;
}

/** What a request came to. */
export interface Judgement {
  readonly verdict: Verdict;
  /** True when the source is asked too much: 429, 5xx, no answer. */
  readonly slowDown: boolean;
  /** Until the answer's head. */
  readonly answerMs?: number;
  /** What went wrong, in a sentence. */
  readonly problem?: string;
}

/** How many targets of one connection are told apart. */
const targetsMax = 64;

interface Permits {
  readonly access: Permit;
  readonly target: Permit;
}

/** A guard's figures; counts are since the start of the process. */
export interface GuardState {
  readonly connection: string;
  readonly breaker: BreakerState;
  readonly requests: number;
  readonly retries: number;
  readonly throttledMs: number;
  readonly requestsAtOnce: number;
  readonly heldBytes: number;
}

/**
 * Stands between one connection and its source: every request asks it, also each retry. It holds the rate and the
 * number at once, stops asking when the source fails, comes back by a ramp, and counts the bytes that were read but not
 * yet committed.
 */
export class SourceGuard {
  readonly #options: GuardOptions;
  /** Opened by refused credentials alone, which hold for all that the connection asks. */
  readonly #access: CircuitBreaker;
  readonly #breakers = new Map<string, CircuitBreaker>();
  readonly #budget: RetryBudget;
  readonly #ramp: Ramp;
  readonly #rate: RateLimit;
  readonly #places: AdaptiveConcurrency;
  #pageBytes = 0;
  #lastProblem: string | undefined;
  #requests = 0;
  #retries = 0;
  #throttledMs = 0;

  constructor(options: GuardOptions) {
    const { limits, clock } = options;
    this.#options = options;
    this.#ramp = new Ramp(clock.nowMs);
    this.#access = this.#newBreaker();
    this.#budget = new RetryBudget(clock.nowMs);
    this.#rate = new RateLimit(limits.requestsPerSecond, clock.nowMs);
    this.#places = new AdaptiveConcurrency(limits.requestsAtOnce, () => this.#ramp.fraction());
    if (options.startsGently) this.#ramp.begin();
  }

  /** Throws `source-unavailable` or `source-denied` while the whole source is left alone. */
  check(): void {
    const refused = this.#access.look();
    if (refused !== undefined) throw this.#leftAlone(refused);
    const refusals = [...this.#breakers.values()].map((breaker) => breaker.look());
    const [first] = refusals;
    if (first !== undefined && !refusals.includes(undefined)) throw this.#leftAlone(first);
  }

  /**
   * Sends when it may: after a place is free and the rate allows it. Throws at once, and sends nothing, while the
   * target is left alone. A source may have several targets, such as the services of a cloud, so that one that is away
   * does not hide the others. `judge` says what the outcome means; a `send` that throws says nothing about the target.
   */
  async request<Outcome>(
    target: string,
    send: () => Promise<Outcome>,
    judge: (outcome: Outcome) => Judgement,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const breaker = this.#breakerOf(target);
    this.#refuseFor(breaker);
    const { clock } = this.#options;
    const askedAtMs = clock.nowMs();
    const slot = await this.#places.acquire(signal);
    let pace: Pace = { kind: "unknown" };
    let permits: Permits | undefined;
    let verdict: Verdict = "unknown";
    try {
      const ms = this.#rate.book(this.#ramp.fraction());
      if (ms > 0) await clock.wait(ms, signal);
      this.#throttledMs += clock.nowMs() - askedAtMs;
      // It may have been given up meanwhile.
      permits = this.#admit(breaker);
      this.#requests += 1;
      const outcome = await send();
      const judgement = judge(outcome);
      ({ verdict } = judgement);
      pace = judgement.slowDown ? { kind: "slow-down" } : goodPace(verdict, judgement.answerMs);
      if (judgement.problem !== undefined) this.#lastProblem = judgement.problem;
      return outcome;
    } finally {
      if (permits !== undefined) {
        breaker.settle(permits.target, verdict);
        this.#access.settle(permits.access, verdict === "bad" ? "unknown" : verdict);
      }
      this.#places.release(slot, pace);
    }
  }

  /** Counts the first attempt of a request in the budget of retries. */
  noteFirstAttempt(): void {
    this.#budget.noteRequest();
  }

  /** Whether a request may be tried again now; when it may, that is counted. */
  mayRetry(target: string): boolean {
    if (this.#breakerOf(target).look() !== undefined || !this.#budget.takeRetry()) return false;
    this.#retries += 1;
    return true;
  }

  /** The source refused who we are, also with fresh credentials: asking on would lock the account. */
  denied(problem: string): void {
    if (this.#access.look() !== undefined) return;
    this.#lastProblem = problem;
    this.#access.open("credential");
  }

  /** The target asked for a rest longer than a request waits. */
  restFor(target: string, ms: number): void {
    this.#breakerOf(target).open("asked", ms);
  }

  /**
   * Takes room for bytes of the page that is being read, and waits for it. Throws `source-malformed` when the page
   * alone is larger than what a connection may hold, since that room would never come.
   */
  async takeBytes(bytes: number, signal: AbortSignal): Promise<void> {
    const { credits, clock, connection } = this.#options;
    if (this.#pageBytes + bytes > credits.shareBytesMax) {
      throw new IsochronError(
        "source-malformed",
        `One page of ${connection} is larger than the ${credits.shareBytesMax} bytes that a connection may hold.`,
        "Ask for smaller pages, or raise `in_flight_bytes_max`, of which that is a quarter.",
      );
    }
    this.#pageBytes += bytes;
    const askedAtMs = clock.nowMs();
    try {
      await credits.grow(bytes, signal);
    } catch (error) {
      this.#pageBytes -= bytes;
      throw error;
    }
    this.#throttledMs += clock.nowMs() - askedAtMs;
  }

  /** What was read until now is committed or given up. */
  endPage(): void {
    this.#pageBytes = 0;
    this.#options.credits.giveBackAll();
  }

  state(): GuardState {
    return {
      connection: this.#options.connection,
      breaker: worstOf([this.#access, ...this.#breakers.values()].map(({ state }) => state)),
      requests: this.#requests,
      retries: this.#retries,
      throttledMs: this.#throttledMs,
      requestsAtOnce: this.#places.limit,
      heldBytes: this.#options.credits.heldBytes,
    };
  }

  #newBreaker(): CircuitBreaker {
    const { nowMs, random } = this.#options.clock;
    return new CircuitBreaker({ nowMs, random, onClosed: () => this.#ramp.begin() });
  }

  #breakerOf(target: string): CircuitBreaker {
    const name = this.#breakers.size < targetsMax || this.#breakers.has(target) ? target : "";
    const breaker = this.#breakers.get(name) ?? this.#newBreaker();
    this.#breakers.set(name, breaker);
    return breaker;
  }

  #refuseFor(breaker: CircuitBreaker): void {
    const refusal = this.#access.look() ?? breaker.look();
    if (refusal !== undefined) throw this.#leftAlone(refusal);
  }

  #admit(breaker: CircuitBreaker): Permits {
    this.#refuseFor(breaker);
    const access = this.#access.admit();
    const target = breaker.admit();
    if ("reason" in access) throw this.#leftAlone(access);
    if ("reason" in target) throw this.#leftAlone(target);
    return { access, target };
  }

  #leftAlone({ reason, sinceMs, retryInMs }: Refusal): IsochronError {
    const { clock, connection } = this.#options;
    const wall = (ms: number): string => formatInstant(instant(clock.wallNowMs() + ms));
    const since = wall(sinceMs - clock.nowMs());
    const last = this.#lastProblem === undefined ? "" : ` The last problem: ${this.#lastProblem}`;
    const again = retryInMs === 0 ? "A probe is under way." : `It is tried again at ${wall(retryInMs)}.`;
    const [code, why, remedy] = {
      failing: ["source-unavailable", "its requests failed", "Check the source and the way to it."],
      credential: ["source-denied", "it refuses our credentials", "Renew the connection's credentials."],
      asked: ["source-unavailable", "it asked for a rest", "Nothing needs to be done."],
    }[reason] as [code: "source-unavailable" | "source-denied", why: string, remedy: string];
    return new IsochronError(
      code,
      `${connection} has been left alone since ${since}, because ${why}.${last}`,
      `${again} ${remedy}`,
    );
  }
}

function goodPace(verdict: Verdict, answerMs: number | undefined): Pace {
  if (verdict !== "good") return { kind: "unknown" };
  return { kind: "good", ...(answerMs === undefined ? {} : { answerMs }) };
}

function worstOf(states: readonly BreakerState[]): BreakerState {
  return (["open", "half-open"] as const).find((state) => states.includes(state)) ?? "closed";
}
