/** *Live* is what just happened; *backfill* what happened before and is caught up with. */
export type Lane = "live" | "backfill";

/** Of ten pages, where both lanes wait. */
const weights: Readonly<Record<Lane, number>> = { live: 7, backfill: 3 };

interface Waiting {
  readonly connection: string;
  readonly go: () => void;
}

/**
 * Lets at most `places` pages be stored at a time. Where both lanes wait, live pages get seven places of ten and
 * backfill pages three, so that neither starves; one connection takes at most half of the places, rounded up.
 */
export class StoreGate {
  readonly #places: number;
  readonly #perConnection: number;
  readonly #waiting: Readonly<Record<Lane, Set<Waiting>>> = { live: new Set(), backfill: new Set() };
  readonly #running = new Map<string, number>();
  readonly #turn: Record<Lane, number> = { live: 0, backfill: 0 };
  #taken = 0;

  constructor(places: number) {
    this.#places = places;
    this.#perConnection = Math.ceil(places / 2);
  }

  /** Runs `work` when it is its turn. */
  async run<Result>(lane: Lane, connection: string, work: () => Promise<Result>): Promise<Result> {
    await new Promise<void>((go) => {
      this.#waiting[lane].add({ connection, go });
      this.#startNext();
    });
    try {
      return await work();
    } finally {
      this.#taken -= 1;
      const left = (this.#running.get(connection) ?? 1) - 1;
      if (left === 0) this.#running.delete(connection);
      else this.#running.set(connection, left);
      this.#startNext();
    }
  }

  #startNext(): void {
    while (this.#taken < this.#places) {
      const next = { live: this.#firstOf("live"), backfill: this.#firstOf("backfill") };
      const lane = this.#chooseLane(next);
      const waiting = lane === undefined ? undefined : next[lane];
      if (lane === undefined || waiting === undefined) return;
      this.#waiting[lane].delete(waiting);
      this.#taken += 1;
      this.#running.set(waiting.connection, (this.#running.get(waiting.connection) ?? 0) + 1);
      waiting.go();
    }
  }

  #firstOf(lane: Lane): Waiting | undefined {
    for (const waiting of this.#waiting[lane]) {
      if ((this.#running.get(waiting.connection) ?? 0) < this.#perConnection) return waiting;
    }
    return undefined;
  }

  /** Smooth weighted turns: each lane gains its weight, and the one that goes pays for both. */
  #chooseLane(next: Readonly<Record<Lane, Waiting | undefined>>): Lane | undefined {
    if (next.live === undefined) return next.backfill === undefined ? undefined : "backfill";
    if (next.backfill === undefined) return "live";
    this.#turn.live += weights.live;
    this.#turn.backfill += weights.backfill;
    const lane = this.#turn.live >= this.#turn.backfill ? "live" : "backfill";
    this.#turn[lane] -= weights.live + weights.backfill;
    return lane;
  }
}
