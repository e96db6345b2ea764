import type pg from "pg";
import type { StoreLog } from "./embedded.ts";
import type { Pools } from "./pools.ts";

const reconnectMs = 1_000;
/**
 * What a notification announces can be read only once every older transaction of the server is over, and
 * nothing announces their end: so followers look again soon for a while, then now and then.
 */
const lookAgain = [
  { withinMs: 2_000, everyMs: 100 },
  { withinMs: 45_000, everyMs: 1_000 },
];

/** Wakes whoever waits for news. The channel carries no payload, since every login could hear it. */
export interface Listener {
  woken(waitMs: number, signal: AbortSignal): Promise<void>;
  end(): Promise<void>;
}

export function openListener(pools: Pools, log: StoreLog): Listener {
  const waiting = new Set<() => void>();
  const wakeAll = (): void => {
    for (const wake of waiting) wake();
  };
  let connection: Promise<pg.Client | undefined> | undefined;
  let ended = false;
  let pauseUntil = 0;
  let notifiedAt = Number.NEGATIVE_INFINITY;

  const listen = async (): Promise<pg.Client | undefined> => {
    try {
      const client = await pools.dedicated("provider");
      const lost = (): void => {
        connection = undefined;
        pauseUntil = Date.now() + reconnectMs;
        wakeAll();
      };
      client.on("notification", () => {
        notifiedAt = performance.now();
        wakeAll();
      });
      client.once("end", lost);
      await client.query("LISTEN isochron_stored");
      // Something may have been stored before the ear was open.
      wakeAll();
      return client;
    } catch (error) {
      // Followers then look at their own pace, until the next one tries to listen again.
      log("warn", "Not listening for news from the database", { error: (error as Error).message });
      connection = undefined;
      pauseUntil = Date.now() + reconnectMs;
      return undefined;
    }
  };

  return {
    woken: (waitMs, signal) =>
      new Promise((resolve) => {
        if (signal.aborted || ended) return resolve();
        const wake = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", wake);
          waiting.delete(wake);
          resolve();
        };
        const since = performance.now() - notifiedAt;
        const again = lookAgain.find(({ withinMs }) => since < withinMs)?.everyMs ?? waitMs;
        const timer = setTimeout(wake, Math.min(waitMs, again));
        signal.addEventListener("abort", wake);
        waiting.add(wake);
        if (connection === undefined && Date.now() >= pauseUntil) connection = listen();
      }),
    end: async () => {
      ended = true;
      wakeAll();
      const client = await connection;
      client?.removeAllListeners("end");
      await client?.end();
    },
  };
}
