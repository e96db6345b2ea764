import { setTimeout as sleep } from "node:timers/promises";
import type { StreamIo } from "./source.ts";

/** The longest rest between two attempts to reach a broker. */
const restMsMax = 30_000;

/**
 * Holds one session with a broker after another until the signal ends it. `hold` settles or throws when its session
 * has ended, and calls `ready` once it hears the broker, which ends the growth of the rests between the attempts.
 */
export async function keepSession(
  io: Pick<StreamIo, "signal" | "warn" | "report">,
  hold: (ready: () => void) => Promise<void>,
): Promise<void> {
  let failures = 0;
  while (!io.signal.aborted) {
    try {
      await hold(() => {
        failures = 0;
        io.report(undefined);
      });
    } catch (error) {
      if (io.signal.aborted) return;
      failures += 1;
      const why = problemOf(error);
      io.warn("the broker cannot be read", { attempt: failures, error: why });
      io.report(`The broker cannot be read: ${why}`);
    }
    // Full jitter, so that many processes do not come back at the same moment.
    await restFor(100 + Math.random() * Math.min(restMsMax, 500 * 2 ** Math.min(failures, 10)), io.signal);
  }
}

/** Settles when the time is over or the signal says so. */
export async function restFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Settles once the signal says so. */
export function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** What went wrong, with what was wrong beneath it, in one line. */
export function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const beneath = error instanceof AggregateError ? (error.errors as unknown[])[0] : error.cause;
  const more = beneath instanceof Error ? `: ${beneath.message}` : "";
  return `${error.message}${more}`;
}
