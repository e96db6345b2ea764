import { ByteCredits } from "../src/pipeline/protection/byte-credits.ts";
import type { GuardOptions } from "../src/pipeline/protection/source-guard.ts";
import { SourceGuard, sourceLimits } from "../src/pipeline/protection/source-guard.ts";

/** Time that passes only when somebody waits or a test says so. */
export class StillTime {
  ms = 0;
  readonly waits: number[] = [];

  readonly nowMs = (): number => this.ms;

  readonly wait = async (ms: number, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    this.waits.push(ms);
    this.ms += ms;
  };
}

/** A guard over still time, of a process that does not start gently; `options` replaces what a test is about. */
export function guardOver(time: StillTime, options: Partial<GuardOptions> = {}): SourceGuard {
  return new SourceGuard({
    connection: "nova@region-1",
    limits: sourceLimits,
    clock: {
      nowMs: time.nowMs,
      wallNowMs: () => Date.UTC(2026, 10, 21) + time.ms,
      random: () => 0.5,
      wait: time.wait,
    },
    credits: new ByteCredits(512 * 1024 * 1024).account("nova"),
    startsGently: false,
    ...options,
  });
}
