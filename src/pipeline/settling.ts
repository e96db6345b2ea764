import type { Stages } from "./ingest.ts";
import { reattribute } from "./reattribute.ts";

/**
 * Has what is due answered again, beside whatever else this process does. What is left undone at the end is due still,
 * in the store, and the next process begins with it.
 */
export class Settling {
  readonly #stages: Stages;
  readonly #onError: (error: unknown) => void;
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;
  #again = false;

  constructor(stages: Stages, onError: (error: unknown) => void) {
    this.#stages = stages;
    this.#onError = onError;
  }

  /** Begins, or goes on once more after what is under way. */
  begin(): void {
    this.#again = true;
    this.#running ??= this.#run();
  }

  /** Begins as well; with `wait` it settles when nothing is due any more, else at once. */
  async settle(wait: boolean): Promise<void> {
    this.begin();
    if (wait) await this.#running;
  }

  /** Settles when nothing is under way any more, which is after the round that it is in. */
  async end(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (this.#again && !signal.aborted) {
      this.#again = false;
      try {
        await reattribute(this.#stages, signal);
      } catch (error) {
        // Whoever decided has been answered; what is due stays so, and each page that is stored tries it again.
        this.#onError(error);
      }
    }
    this.#running = undefined;
  }
}
