import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "./config.ts";
import { listPosted, type Configured } from "./configured-connections.ts";
import { Protection } from "./pipeline/protection/protection.ts";

/** What all connections of this process share, by the machine's clock. */
export function buildProtection(config: Config, connections: ReadonlyMap<string, Configured>): Protection {
  return new Protection({
    bytesMax: config.inFlightBytesMax,
    clock: {
      nowMs: () => performance.now(),
      wallNowMs: Date.now,
      random: Math.random,
      wait: (ms, signal) => sleep(ms, undefined, { signal }),
    },
    pushConnections: new Set(listPosted(connections)),
  });
}
