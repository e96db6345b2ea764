import type { JsonObject } from "../model/json.ts";
import type { Connection, Source, SourceIo } from "../sources/source.ts";
import { harvestForever } from "./harvest.ts";
import type { Stages } from "./ingest.ts";
import { isFenced } from "./lease-keeper.ts";
import type { CreditAccount } from "./protection/byte-credits.ts";
import { reattribute } from "./reattribute.ts";
import {
  reconcileWhenDue,
  whyNotReconciled,
  type ReconcilePass,
  type ReconcileSchedule,
} from "./reconcile.ts";
import { machineScheduler } from "./scheduler.ts";
import { runStream } from "./stream.ts";

/** How long a part of the work rests after it failed as a whole. */
const restartMs = 10_000;

/** How often it is looked whether a push source's turn to be compared has come. */
const lookMs = 60_000;

/** A polled source is not silent before it has missed this many polls, and a pass has had its time. */
const missedPollsMax = 2;
const passMsMax = 30_000;

/** A heartbeat may be late by this many of its kind before the far end counts as silent. */
const missedBeatsMax = 12;

/** One connection, ready to run. */
export interface Running {
  readonly connection: Connection;
  /** Behind its guard. */
  readonly source: Source;
  readonly config: JsonObject;
  readonly io: SourceIo;
  readonly intervalMs: number;
  /** How long it waits before its first pass. */
  readonly startDelayMs: number;
  /** How long it may be silent at most; null for what its source's kind implies, absent where nobody configured it. */
  readonly expectWithinMs?: number | null;
  /** Absent where it is never compared. */
  readonly reconcile?: ReconcileSchedule;
  readonly credits?: CreditAccount;
}

export interface RunOptions {
  readonly holder: string;
  readonly signal: AbortSignal;
  /** Connections that are configured and switched off: nothing is expected of them. */
  readonly resting?: readonly Connection[];
  /** Told of each failure; `connection` is absent where it concerns none. */
  readonly onError: (error: unknown, connection?: string) => void;
}

/**
 * Runs every connection until the signal ends it; nothing that fails in one of them ends it, or another. A process that
 * only serves leaves this to others, and a process that only harvests does nothing else.
 */
export async function runConnections(
  stages: Stages,
  connections: readonly Running[],
  options: RunOptions,
): Promise<void> {
  const { signal, resting = [] } = options;
  const keepUp = (work: () => Promise<void>, connection?: string) =>
    keepRunning(stages, work, signal, (error) => options.onError(error, connection));
  await Promise.all([
    keepUp(async () => void (await reattribute(stages, signal))),
    ...resting.map((connection) => keepUp(() => expectNothing(stages, connection), connection.name)),
    ...connections.map((running) => keepUp(() => runOne(stages, running, options), running.connection.name)),
  ]);
}

async function runOne(stages: Stages, running: Running, options: RunOptions): Promise<void> {
  const { connection, source, config, io, intervalMs } = running;
  const { scheduler = machineScheduler } = stages;
  const { holder, signal } = options;
  await scheduler.wait(running.startDelayMs, signal);
  const onError = (error: unknown): void => options.onError(error, connection.name);
  if (source.delivery === "pull") {
    const expectWithinMs = running.expectWithinMs ?? missedPollsMax * intervalMs + passMsMax;
    const pass = { connection, source, config, io, holder, expectWithinMs };
    await harvestForever(stages, pass, intervalMs, onError, running.reconcile);
  }
  if (source.delivery === "webhook" && running.expectWithinMs !== undefined) {
    const { expectWithinMs } = running;
    await stages.store.connect({ ...nameOf(connection), config: {}, expectWithinMs });
  }
  if (source.delivery === "webhook" && running.reconcile !== undefined) {
    const pass = { connection, source, config, io, holder, intervalMs };
    await reconcileForever(stages, pass, running.reconcile, onError);
  }
  if (source.delivery === "stream") {
    const { heartbeatMs } = source;
    const implied = heartbeatMs === undefined ? null : heartbeatMs * missedBeatsMax;
    const expectWithinMs = running.expectWithinMs ?? implied;
    await stages.store.connect({ ...nameOf(connection), config: {}, expectWithinMs });
    await runStream(stages, connection, source, config, io, running.credits);
  }
}

/** What was heard before it was switched off would be called silent for ever. */
async function expectNothing({ store }: Stages, connection: Connection): Promise<void> {
  if ((await store.lastHeard(connection.name)) === undefined) return;
  await store.connect({ ...nameOf(connection), config: {}, expectWithinMs: null });
}

function nameOf({ name, source, controlPlane }: Connection): Connection {
  return { name, source, controlPlane };
}

/** Compares a push source with its sender whenever its turn has come; at once over where nobody can be asked. */
async function reconcileForever(
  stages: Stages,
  pass: ReconcilePass,
  schedule: ReconcileSchedule,
  onError: (error: unknown) => void,
): Promise<void> {
  const { scheduler = machineScheduler } = stages;
  const { signal } = pass.io;
  if (whyNotReconciled(pass) !== undefined) return;
  while (!signal.aborted) {
    try {
      await reconcileWhenDue(stages, pass, schedule);
    } catch (error) {
      if (!signal.aborted && !isFenced(error)) onError(error);
    }
    await scheduler.wait(lookMs, signal);
  }
}

/** Does the work until it is over or the signal ends it, again after each failure. */
async function keepRunning(
  { scheduler = machineScheduler }: Stages,
  work: () => Promise<void>,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) return;
      onError(error);
    }
    await scheduler.wait(restartMs, signal);
  }
}
