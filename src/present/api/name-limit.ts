import type { Instant } from "../../model/instant.ts";
import { tooMany } from "./refusals.ts";

const windowMs = 60_000;
const namesMax = 10_000;

/** How often one user name is tried within a minute, from wherever: guesses at one account come from many addresses. */
export class NameLimit {
  readonly #max: number;
  readonly #clock: () => Instant;
  readonly #windows = new Map<string, { readonly since: Instant; count: number }>();

  constructor(max: number, clock: () => Instant) {
    this.#max = max;
    this.#clock = clock;
  }

  /** Throws `rate-limited` for one try more than are allowed. */
  take(name: string): void {
    const now = this.#clock();
    const known = this.#windows.get(name);
    const isOpen = known !== undefined && now >= known.since && now < known.since + windowMs;
    const window = isOpen ? known : { since: now, count: 0 };
    window.count++;
    this.#windows.delete(name);
    this.#windows.set(name, window);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > namesMax && oldest !== undefined) this.#windows.delete(oldest);
    if (window.count > this.#max) throw tooMany();
  }
}
