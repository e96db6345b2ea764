import { createHash } from "node:crypto";
import type { Identity } from "../../model/identity.ts";

/** Opening a session follows its sign-in at once. */
const keptMs = 5_000;
const entriesMax = 1_000;

/** What a sign-in has just learned, for the one question that follows it; each word is given once. */
export class FreshWord {
  readonly #nowMs: () => number;
  readonly #words = new Map<string, { readonly atMs: number; readonly identity: Identity }>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  keep(credential: string, identity: Identity): void {
    this.#words.set(hashOf(credential), { atMs: this.#nowMs(), identity });
    const [oldest] = this.#words.keys();
    if (this.#words.size > entriesMax && oldest !== undefined) this.#words.delete(oldest);
  }

  take(credential: string): Identity | undefined {
    const key = hashOf(credential);
    const word = this.#words.get(key);
    this.#words.delete(key);
    return word !== undefined && this.#nowMs() - word.atMs < keptMs ? word.identity : undefined;
  }
}

/** So that no credential is kept in clear for longer than it is used. */
export function hashOf(credential: string): string {
  return createHash("sha256").update(credential).digest("base64url");
}
