import { IsochronError } from "../errors.ts";
import type { JsonObject } from "../model/json.ts";
import type { PullSource, SourceIo } from "../sources/source.ts";
import type { Ingested, Stages } from "./ingest.ts";
import { readLanes } from "./lanes.ts";
import { failureRestMs, holdLease, isFenced, type LeaseClaim } from "./lease-keeper.ts";
import { reconcileWhenDue, whyNotReconciled, type ReconcileSchedule } from "./reconcile.ts";
import { machineScheduler } from "./scheduler.ts";

/** The least that a worker waits before it asks for a lease again. */
const waitMsMin = 100;

/** How far the rests of a connection differ, so that connections of one interval do not stay in step. */
const jitter = 0.1;

export interface Pass extends Omit<LeaseClaim, "io"> {
  readonly source: PullSource;
  readonly config: JsonObject;
  readonly io: SourceIo;
  /** True where the saved place is left behind and the source is read from its beginning. */
  readonly anew?: boolean;
}

/**
 * One complete pass of a pulling source, under its lease. Events, facts, rejects and the cursor of a page
 * commit together. Throws `fenced` when another worker holds the connection, or takes it over meanwhile.
 */
export async function harvestOnce(stages: Stages, pass: Pass): Promise<Ingested> {
  const ingested = await harvestUnlessHeld(stages, pass);
  if (ingested !== undefined) return ingested;
  throw new IsochronError(
    "fenced",
    `Another worker is reading ${pass.connection.name} now.`,
    "Nothing needs to be done: its events are stored once either way.",
  );
}

/** The same, but undefined when another worker holds the connection, or it rests. */
export async function harvestUnlessHeld(stages: Stages, pass: Pass): Promise<Ingested | undefined> {
  return holdLease(stages, pass, async ({ epoch, signal }) => {
    const { connection, source, config, anew = false } = pass;
    const io = { ...pass.io, signal };
    return (await readLanes(stages, { connection, source, config, io, epoch, anew })).ingested;
  });
}

/**
 * Passes of one connection again and again until the signal ends it. Any number of workers may do so over one store:
 * the connection is read by one at a time, with a rest of about `intervalMs` in between whoever reads it, and by the
 * others as soon as that one's lease is over. After a pass the connection is compared with its source when that is due.
 */
export async function harvestForever(
  stages: Stages,
  pass: Pass,
  intervalMs: number,
  onError: (error: unknown) => void,
  reconcile?: ReconcileSchedule,
): Promise<void> {
  const { scheduler = machineScheduler, random = Math.random } = stages;
  const { signal } = pass.io;
  const { restMs: _, ...claim } = pass;
  const comparison = { ...claim, intervalMs };
  const schedule = whyNotReconciled(comparison) === undefined ? reconcile : undefined;
  while (!signal.aborted) {
    const restMs = Math.round(intervalMs * (1 - jitter + random() * 2 * jitter));
    let waitMs = Math.min(restMs, failureRestMs);
    try {
      const ingested = await harvestUnlessHeld(stages, { ...pass, restMs });
      if (ingested !== undefined && schedule !== undefined)
        await reconcileWhenDue(stages, comparison, schedule);
      waitMs = await stages.store.waitFor(pass.connection.name, pass.holder, restMs);
    } catch (error) {
      if (signal.aborted) return;
      if (isFenced(error))
        pass.io.warn("another worker has taken over", { connection: pass.connection.name });
      else onError(error);
    }
    await scheduler.wait(Math.max(waitMs, waitMsMin), signal);
  }
}
