import type { Pools } from "./pools.ts";
import { iso } from "./event-writes.ts";

const dayMs = 86_400_000;
export const weekMs = 7 * dayMs;
/** 1970-01-05 was a Monday. */
const firstMondayMs = 4 * dayMs;

/** The weekly partitions that this process knows to exist. */
export class Partitions {
  readonly #known = new Set<string>();
  readonly #pools: Pools;

  constructor(pools: Pools) {
    this.#pools = pools;
  }

  /** Makes what is missing, each in a transaction of its own before the data come, so that no writer waits for it. */
  async ensure(times: Iterable<number>): Promise<void> {
    const weeks = new Set([...times].map(mondayOf));
    for (const week of [...weeks].sort()) {
      if (this.#known.has(week)) continue;
      for (const table of ["event", "tenant_event"]) {
        await this.#pools.transact("ingest", "write", (client) =>
          client.query("SELECT isochron.make_partition($1, $2::date)", [table, week]),
        );
      }
      this.#known.add(week);
    }
  }

  /** Retention may have dropped some: ask the database again. */
  forget(): void {
    this.#known.clear();
  }
}

/** The Monday (UTC) of the week that the moment lies in, e.g. `2026-11-16`. */
export function mondayOf(ms: number): string {
  return iso(weekStart(ms)).slice(0, 10);
}

/** The beginning of that Monday. */
export function weekStart(ms: number): number {
  return Math.floor((ms - firstMondayMs) / weekMs) * weekMs + firstMondayMs;
}
