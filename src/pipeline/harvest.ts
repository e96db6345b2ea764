import { setTimeout as sleep } from "node:timers/promises";
import { IsochronError } from "../errors.ts";
import type { JsonObject } from "../model/json.ts";
import type { Connection, PullSource, SourceIo } from "../sources/source.ts";
import { addIngested, nothingIngested } from "./import-file.ts";
import type { Ingested, Stages } from "./ingest.ts";
import { ingest } from "./ingest.ts";
import { reattribute } from "./reattribute.ts";

/** A pass that needs more pages than this is not coming to an end. */
const pagesMax = 100_000;

/** How long a lease lasts without a page: far longer than any page may take. */
const leaseMs = 120_000;

/** The most records that one transaction takes; a page of a source may hold more. */
const recordsPerTransaction = 1000;

export interface Pass {
  readonly connection: Connection;
  readonly source: PullSource;
  readonly config: JsonObject;
  readonly io: SourceIo;
  /** Names this process among those that share the store. */
  readonly holder: string;
}

/**
 * One complete pass of a pulling source, under its lease. Events, facts, rejects and the cursor of a page
 * commit together; the cursor moves with the last part of its page. Throws `fenced` when another worker
 * holds the connection.
 */
export async function harvestOnce(stages: Stages, pass: Pass): Promise<Ingested> {
  const { connection } = pass;
  await stages.store.connect({ ...connection, config: {} });
  const epoch = await stages.store.lease(connection.name, pass.holder, leaseMs);
  if (epoch === undefined) {
    throw new IsochronError(
      "fenced",
      `Another worker is reading ${connection.name} now.`,
      "Nothing needs to be done: its events are stored once either way.",
    );
  }
  try {
    const total = await readPages(stages, pass, epoch);
    await stages.store.report(connection.name, undefined);
    return total;
  } catch (error) {
    await stages.store.report(connection.name, error instanceof Error ? error.message : String(error));
    throw error;
  } finally {
    await stages.store.release(connection.name, epoch);
  }
}

async function readPages(stages: Stages, pass: Pass, epoch: number): Promise<Ingested> {
  const { connection, source, config, io } = pass;
  const saved = await stages.store.cursor(connection.name, "main");
  let cursor = saved === undefined ? undefined : source.cursor.parse(saved);
  let total = nothingIngested;
  for (let count = 0; count < pagesMax; count++) {
    io.signal.throwIfAborted();
    const page = await source.fetch(config, cursor, io);
    cursor = page.cursor;
    const parts = inParts(page.records);
    for (const [index, records] of parts.entries()) {
      const last = index === parts.length - 1;
      const place = last
        ? { cursor: page.cursor, ...(page.completeTo === undefined ? {} : { completeTo: page.completeTo }) }
        : {};
      total = addIngested(
        total,
        await ingest(stages, { connection, source, stream: "main", records, epoch, ...place }),
      );
      await reattribute(stages, io.signal);
    }
    if (page.done) return total;
  }
  throw new Error(`${connection.name} gave ${pagesMax} pages without an end`);
}

/** At least one part, so that a page without records still moves the cursor. */
function inParts<T>(items: readonly T[]): readonly (readonly T[])[] {
  const parts: T[][] = [];
  for (let start = 0; start < items.length; start += recordsPerTransaction) {
    parts.push(items.slice(start, start + recordsPerTransaction));
  }
  return parts.length === 0 ? [[]] : parts;
}

/** Passes of one connection again and again, with rests in between, until the signal ends it. */
export async function harvestForever(
  stages: Stages,
  pass: Pass,
  intervalMs: number,
  onError: (error: unknown) => void,
): Promise<void> {
  const { signal } = pass.io;
  while (!signal.aborted) {
    try {
      await harvestOnce(stages, pass);
    } catch (error) {
      if (signal.aborted) return;
      onError(error);
    }
    try {
      await sleep(intervalMs * (0.9 + Math.random() * 0.2), undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
