import { IsochronError } from "../../errors.ts";
import type { Identity } from "../../model/identity.ts";
import type { Instant } from "../../model/instant.ts";
import { notSignedIn } from "./problem.ts";

/** A credential that was refused is asked about again after so long: it may be good by then. */
const refusedForMs = 5_000;

interface Word {
  readonly askedAt: Instant;
  /** Absent where the service refused. */
  readonly identity?: Identity;
}

/** What identity services last said, by session or by hash of a token; the oldest are forgotten first. */
export class ConfirmedIdentities {
  readonly #clock: () => Instant;
  readonly #entriesMax: number;
  readonly #words = new Map<string, Word>();
  readonly #asking = new Map<string, Promise<Identity>>();

  constructor(clock: () => Instant, entriesMax: number) {
    this.#clock = clock;
    this.#entriesMax = entriesMax;
  }

  /** Whether `find` would answer without asking. */
  isKnown(key: string, freshMs: number): boolean {
    return this.#freshWord(key, freshMs) !== undefined;
  }

  /**
   * The identity as of at most `freshMs` ago; asks where nothing so fresh is known, once for all who want to know. What
   * `ask` throws is thrown, and only a refusal is remembered.
   */
  async find(key: string, freshMs: number, ask: () => Promise<Identity>): Promise<Identity> {
    const word = this.#freshWord(key, freshMs);
    if (word?.identity !== undefined) return word.identity;
    if (word !== undefined) throw notSignedIn();
    const underWay = this.#asking.get(key);
    if (underWay !== undefined) return underWay;
    const asking = this.#ask(key, ask).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  forget(key: string): void {
    this.#words.delete(key);
  }

  /** What was said of the one holds for the other. */
  rename(from: string, to: string): void {
    const word = this.#words.get(from);
    if (word !== undefined) this.#remember(to, word);
    this.#words.delete(from);
  }

  #freshWord(key: string, freshMs: number): Word | undefined {
    const word = this.#words.get(key);
    if (word === undefined) return undefined;
    const now = this.#clock();
    if (word.identity !== undefined && word.identity.expiresAt <= now) return undefined;
    const ageMs = now - word.askedAt;
    const goodForMs = word.identity === undefined ? Math.min(freshMs, refusedForMs) : freshMs;
    // A clock that was set back makes every word an old one.
    return ageMs >= 0 && ageMs < goodForMs ? word : undefined;
  }

  async #ask(key: string, ask: () => Promise<Identity>): Promise<Identity> {
    // The answer is as old as the question: what changes in between is not in it for certain.
    const askedAt = this.#clock();
    this.#words.delete(key);
    try {
      const identity = await ask();
      if (identity.expiresAt <= this.#clock()) throw notSignedIn();
      this.#remember(key, { askedAt, identity });
      return identity;
    } catch (error) {
      if (!(error instanceof IsochronError && error.code === "not-signed-in")) throw error;
      this.#remember(key, { askedAt });
      // In the one text: which service refused, and why, is no stranger's business.
      throw notSignedIn();
    }
  }

  #remember(key: string, word: Word): void {
    this.#words.set(key, word);
    const [oldest] = this.#words.keys();
    if (this.#words.size > this.#entriesMax && oldest !== undefined) this.#words.delete(oldest);
  }
}
