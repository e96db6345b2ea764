import { setTimeout as sleep } from "node:timers/promises";

/** Time that passes, handed in so that a simulation owns it. */
export interface Scheduler {
  /** Settles after `ms` milliseconds, or at once when the signal ends it. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
  /** Does something again and again, each time `ms` after the last was done, until the given function is called. `action` must not throw. */
  every(ms: number, action: () => Promise<void>): () => void;
}

/** The time of this machine. */
export const machineScheduler: Scheduler = {
  async wait(ms, signal) {
    try {
      await sleep(ms, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  },
  every(ms, action) {
    let timer: NodeJS.Timeout | undefined;
    let stopped = false;
    const plan = (): void => {
      // A timer alone is no reason for the process to stay.
      timer = setTimeout(() => void action().then(() => (stopped ? undefined : plan())), ms);
      timer.unref();
    };
    plan();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  },
};
