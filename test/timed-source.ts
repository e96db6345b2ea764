import { z } from "zod";
import { duration, instant, type Instant } from "../src/model/instant.ts";
import type { PullSource, SourceIo } from "../src/sources/source.ts";
import { openstackNotifications } from "../src/sources/openstack-notifications.ts";
import { notification } from "./stages.ts";

/** When number 0 happened; number n happened n seconds later. */
export const timedStart = Date.UTC(2026, 10, 21, 1);

export function timedAt(seconds: number): Instant {
  return instant(timedStart + seconds * 1000);
}

export interface TimedSource extends PullSource<number> {
  /** What it holds; more may be added, also where it was read already. */
  readonly numbers: number[];
  /** Every number that was read, in the order of reading. */
  readonly read: number[];
}

/** A source of events that are numbered by the second in which they happened, read in that order. */
export function createTimedSource(
  numbers: Iterable<number>,
  perPage: number,
  change: Partial<PullSource<number>> = {},
): TimedSource {
  const held = [...numbers];
  const read: number[] = [];
  return {
    name: "timed",
    title: "Timed numbers",
    summary: "Notifications numbered by their second.",
    delivery: "pull",
    contract: {
      identity: "number",
      version: "never changes",
      ordering: "sorted",
      commitDelayMax: duration(0),
      clockErrorMax: duration(0),
      delivery: "pull",
      revisions: "never",
      blindSpots: "none",
    },
    config: z.strictObject({}),
    cursor: z.number(),
    normalise: openstackNotifications.normalise,
    async fetch(_config, from = 0, io) {
      const left = held.filter((number) => number >= from).sort((a, b) => a - b);
      const page = left.slice(0, perPage);
      read.push(...page);
      const done = left.length <= perPage;
      const records = page.map((number) => ({
        ...notification(number, "volume.create.end", { volume_id: `v${number}`, tenant_id: "acme" }),
        receivedAt: io.now(),
      }));
      const cursor = (page.at(-1) ?? from - 1) + 1;
      return { records, cursor, done, ...(done ? { completeTo: io.now() } : {}) };
    },
    startAt: (_config, at) => Math.max(0, Math.ceil((at - timedStart) / 1000)),
    ...change,
    numbers: held,
    read,
  };
}

/** What a source is lent that needs nothing but a clock. */
export function timedIo(now: () => Instant, signal = new AbortController().signal): SourceIo {
  return {
    now,
    signal,
    warn: () => undefined,
    secret: () => "",
    http: () => Promise.reject(new Error("no network here")),
    sql: () => {
      throw new Error("no database here");
    },
    readText: async () => undefined,
  };
}

/** Time that stands still until a test moves it on. */
export class HeldTime {
  readonly #waits = new Set<() => void>();
  readonly #actions = new Set<() => Promise<void>>();
  /** The lengths of all waits so far. */
  readonly waited: number[] = [];

  readonly wait = (ms: number, signal: AbortSignal): Promise<void> => {
    this.waited.push(ms);
    return new Promise((resolve) => {
      const end = (): void => {
        this.#waits.delete(end);
        resolve();
      };
      this.#waits.add(end);
      signal.addEventListener("abort", end, { once: true });
      if (signal.aborted) end();
    });
  };

  readonly every = (_ms: number, action: () => Promise<void>): (() => void) => {
    this.#actions.add(action);
    return () => void this.#actions.delete(action);
  };

  get waiting(): number {
    return this.#waits.size;
  }

  /** Ends every wait. */
  endWaits(): void {
    for (const end of this.#waits) end();
  }

  /** Does what is to be done every so often, once. */
  async tick(): Promise<void> {
    for (const action of this.#actions) await action();
  }
}
