import { IsochronError } from "../errors.ts";
import type { Instant } from "../model/instant.ts";
import { instant } from "../model/instant.ts";
import { deletesAnything, type RetentionPolicy } from "../model/retention.ts";
import type { ErasureRecord, RetentionStore } from "../store/retention-store.ts";
import { machineScheduler, type Scheduler } from "./scheduler.ts";

/** How long the work stays its worker's without a batch. */
const leaseMs = 60_000;
/** How long it rests after a pass, by whomever. */
const passEveryMs = 3_600_000;
/** How often it is looked whether there is something to do. */
const lookMs = 60_000;
const eventsPerBatch = 500;
const setAsidePerBatch = 500;
/** Open streams have heard of what was retracted by then. */
const readersKnownMs = 3_600_000;

export interface RetentionTools {
  readonly retention: RetentionStore;
  readonly policy: RetentionPolicy;
  readonly now: () => Instant;
  /** Names this process among those that share the store. */
  readonly holder: string;
  /** After an erasure was carried out, as far as holds let it; before it counts as done nothing else is. */
  readonly onErased?: (erasure: ErasureRecord) => Promise<void>;
  /** After a pass that deleted something, also one that was broken off. */
  readonly onDeleted?: (pass: RetentionPass) => Promise<void>;
  readonly scheduler?: Scheduler;
  readonly onError?: (error: unknown) => void;
}

/** What a pass deleted; undefined where another worker is at it, or it rests. */
export interface RetentionPass {
  readonly events: number;
  readonly editions: number;
  readonly setAside: number;
  readonly weeks: number;
}

/** One pass: what is too old goes, in batches that others can come between. */
export async function runRetention(
  tools: RetentionTools,
  signal: AbortSignal,
  restMs?: number,
): Promise<RetentionPass | undefined> {
  const { retention, policy, now, holder } = tools;
  const epoch = await retention.take(holder, leaseMs, restMs);
  if (epoch === undefined) return undefined;
  const pass = { events: 0, editions: 0, setAside: 0, weeks: 0 };
  let passed = false;
  try {
    await finishErasures(tools, epoch, signal);
    if (deletesAnything(policy)) {
      for (let done = false; !done && !signal.aborted;) {
        const batch = await retention.expire(epoch, policy, now(), eventsPerBatch);
        pass.events += batch.events;
        pass.editions += batch.editions;
        done = batch.done;
      }
      for (let gone = setAsidePerBatch; gone === setAsidePerBatch && !signal.aborted;) {
        gone = await retention.expireSetAside(epoch, policy, now(), setAsidePerBatch);
        pass.setAside += gone;
      }
      if (!signal.aborted) pass.weeks = await retention.dropEmptyWeeks(epoch, policy, now());
    }
    passed = !signal.aborted;
    return pass;
  } finally {
    await retention.release(epoch, passed);
    if (Object.values(pass).some((count) => count > 0)) await tools.onDeleted?.(pass);
  }
}

/** Carries out erasures that were broken off, or that holds kept back which are lifted by now. */
async function finishErasures(tools: RetentionTools, epoch: number, signal: AbortSignal): Promise<void> {
  const { retention, now, onErased } = tools;
  for (const { id, doneAt } of await retention.erasures()) {
    if (doneAt !== undefined || signal.aborted) continue;
    const erasure = await retention.erase(epoch, id, now());
    if (erasure.doneAt !== undefined) await onErased?.(erasure);
  }
  await retention.forgetReaders(epoch, instant(now() - readersKnownMs));
}

/** Passes for as long as the signal lets it; one that failed is tried again. */
export async function keepRetention(tools: RetentionTools, signal: AbortSignal): Promise<void> {
  const { scheduler = machineScheduler, onError } = tools;
  while (!signal.aborted) {
    try {
      await runRetention(tools, signal, passEveryMs);
    } catch (error) {
      const isOthers = error instanceof IsochronError && error.code === "fenced";
      if (!isOthers && !signal.aborted) onError?.(error);
    }
    await scheduler.wait(lookMs, signal);
  }
}

/** Carries out one erasure now; waits for a pass of another worker to end. Throws `fenced` when that takes too long. */
export async function eraseNow(tools: RetentionTools, id: string): Promise<ErasureRecord> {
  const { retention, now, holder, scheduler = machineScheduler, onErased } = tools;
  const signal = AbortSignal.timeout(2 * leaseMs);
  for (;;) {
    // Under a name of its own, so that it takes nothing over from a pass or another erasure of this process.
    const epoch = await retention.take(`${holder} ${id}`, leaseMs);
    if (epoch !== undefined) {
      try {
        const ended = (await retention.erasures()).find((one) => one.id === id && one.doneAt !== undefined);
        if (ended !== undefined) return ended;
        const erasure = await retention.erase(epoch, id, now());
        if (erasure.doneAt !== undefined) await onErased?.(erasure);
        return erasure;
      } finally {
        await retention.release(epoch, false);
      }
    }
    await scheduler.wait(500, signal);
    if (signal.aborted) {
      throw new IsochronError(
        "fenced",
        "Another worker is deleting what is too old now.",
        "Nothing needs to be done: it carries the erasure out as well.",
      );
    }
  }
}
