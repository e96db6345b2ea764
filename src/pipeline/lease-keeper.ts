import { IsochronError } from "../errors.ts";
import type { Json } from "../model/json.ts";
import type { Connection, SourceIo } from "../sources/source.ts";
import type { EventStore } from "../store/event-store.ts";
import { machineScheduler, type Scheduler } from "./scheduler.ts";

/** How long a connection stays its worker's without a sign of life: whoever dies or stands still is replaced so soon. */
export const leaseMs = 15_000;

/** Two renewals may fail before a lease is over. */
const renewMs = 5_000;

/** After a failure a connection is not left alone for longer than this, however long its interval. */
export const failureRestMs = 60_000;

/** What a worker wants the lease of a connection for. */
export interface LeaseClaim {
  readonly connection: Connection;
  readonly io: Pick<SourceIo, "signal" | "warn">;
  /** Names this process among those that share the store. */
  readonly holder: string;
  /**
   * How long the connection rests between two passes, by whomever. Absent for work on demand, which waits for no rest
   * and begins none.
   */
  readonly restMs?: number;
  /** How long the connection may be silent at most, for the store to judge by. */
  readonly expectWithinMs?: number;
}

export interface HeldLease {
  readonly epoch: number;
  /** Ends the work: the lease has passed on (its reason is `fenced`), or the process is to stop. */
  readonly signal: AbortSignal;
}

/** What the lease is kept with. */
export interface LeaseTools {
  readonly store: EventStore;
  readonly scheduler?: Scheduler;
}

/**
 * Does the work while it holds the connection's lease, which it renews; undefined when another worker holds the
 * connection, or it rests. A failure of the work is written down at the connection. When the lease passes on meanwhile,
 * the work is ended and `fenced` thrown. Whatever goes wrong while that is written down or the lease handed back
 * hides no failure of the work: both can be made up for by the next pass, or by waiting for the lease to end.
 */
export async function holdLease<Result>(
  tools: LeaseTools,
  claim: LeaseClaim,
  work: (lease: HeldLease) => Promise<Result>,
): Promise<Result | undefined> {
  const { store } = tools;
  const { connection, io } = claim;
  await store.connect({
    name: connection.name,
    source: connection.source,
    controlPlane: connection.controlPlane,
    config: {},
    ...(claim.expectWithinMs === undefined ? {} : { expectWithinMs: claim.expectWithinMs }),
  });
  const epoch = await store.lease(connection.name, claim.holder, leaseMs, claim.restMs);
  if (epoch === undefined) return undefined;
  const kept = keepLease(tools, claim, epoch);
  const signal = AbortSignal.any([io.signal, kept.lost]);
  let restMs: number | undefined;
  try {
    const result = await work({ epoch, signal });
    await store.report(connection.name, undefined, epoch);
    restMs = claim.restMs;
    return result;
  } catch (error) {
    const cause: unknown = kept.lost.aborted ? kept.lost.reason : error;
    const isOurs = !io.signal.aborted && !isFenced(cause);
    if (isOurs) {
      await noteWhatWorks(io, "a failed pass", () => store.report(connection.name, wordsOf(cause), epoch));
      restMs = claim.restMs === undefined ? undefined : Math.min(claim.restMs, failureRestMs);
    }
    throw cause;
  } finally {
    kept.stop();
    await noteWhatWorks(io, "the end of a pass", async () => {
      await store.release(connection.name, epoch, restMs);
    });
  }
}

/** Whether a pass ended because its connection is another worker's now. */
export function isFenced(error: unknown): boolean {
  return error instanceof IsochronError && error.code === "fenced";
}

/** Waits for the work, but not beyond the signal; what the work gives afterwards is dropped. Throws the signal's reason. */
export async function orAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Renews until stopped. An unanswered renewal proves nothing: the row that fences each commit decides. */
function keepLease(
  { store, scheduler = machineScheduler }: LeaseTools,
  { connection, io }: LeaseClaim,
  epoch: number,
): { readonly lost: AbortSignal; stop(): void } {
  const lost = new AbortController();
  const stop = scheduler.every(renewMs, async () => {
    try {
      if (await store.renew(connection.name, epoch)) return;
    } catch (error) {
      return io.warn("a lease could not be renewed", { error: wordsOf(error), epoch });
    }
    stop();
    lost.abort(
      new IsochronError(
        "fenced",
        `The lease ${epoch} of ${connection.name} has passed on.`,
        "Nothing needs to be done: the new holder goes on from what is stored.",
      ),
    );
  });
  return { lost: lost.signal, stop };
}

async function noteWhatWorks(
  io: Pick<SourceIo, "warn">,
  what: string,
  note: () => Promise<void>,
): Promise<void> {
  try {
    await note();
  } catch (error) {
    const fields: Record<string, Json> = { error: wordsOf(error) };
    io.warn(`${what} could not be noted in the store`, fields);
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
