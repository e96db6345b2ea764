import type { Connection, RawRecord, StreamIo, StreamSource } from "../sources/source.ts";
import type { JsonObject } from "../model/json.ts";
import type { Stages } from "./ingest.ts";
import { ingest } from "./ingest.ts";
import { reattribute } from "./reattribute.ts";

/** The most records that one commit takes. */
const recordsPerPage = 500;

interface Waiting {
  readonly record: RawRecord;
  readonly stored: () => void;
  readonly failed: (error: unknown) => void;
}

/** `drained` tells that nothing else was waiting when the page was taken. */
type StoreRecords = (records: readonly RawRecord[], drained: boolean) => Promise<void>;

/**
 * Stores deliveries in pages: whatever arrives while one commit is under way goes into the next, so that a
 * lone record waits for nobody and a flood is stored by the hundred. A delivery settles after its commit.
 */
export class RecordBatcher {
  readonly #waiting: Waiting[] = [];
  readonly #store: StoreRecords;
  #running = false;

  constructor(store: StoreRecords) {
    this.#store = store;
  }

  deliver(record: RawRecord): Promise<void> {
    return new Promise((stored, failed) => {
      this.#waiting.push({ record, stored, failed });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const page = this.#waiting.splice(0, recordsPerPage);
      try {
        await this.#store(
          page.map((item) => item.record),
          this.#waiting.length === 0,
        );
        for (const item of page) item.stored();
      } catch (error) {
        // The senders are told; what they do about it (requeue, answer 503) is theirs.
        for (const item of page) item.failed(error);
      }
    }
    this.#running = false;
  }
}

/** Runs a streaming connection until the signal ends it. */
export async function runStream(
  stages: Stages,
  connection: Connection,
  source: StreamSource,
  config: JsonObject,
  io: Omit<StreamIo, "report">,
): Promise<void> {
  await stages.store.connect({ ...connection, config: {} });
  const batcher = new RecordBatcher(async (records, drained) => {
    // With nothing left waiting, all that was handed over until then is stored.
    const completeTo = records.at(-1)?.receivedAt;
    const place = drained && completeTo !== undefined ? { completeTo } : {};
    await ingest(stages, { connection, source, stream: "live", records, ...place });
    await reattribute(stages, io.signal);
  });
  const report = (problem: string | undefined) => {
    // A report that cannot be written is told by the store's own trouble.
    stages.store.report(connection.name, problem).catch((error: unknown) => {
      io.warn("the state of the connection could not be noted", { error: String(error) });
    });
  };
  await source.consume(config, (record) => batcher.deliver(record), { ...io, report });
}
