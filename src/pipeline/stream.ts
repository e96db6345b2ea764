import type { Connection, RawRecord, StreamIo, StreamSource } from "../sources/source.ts";
import type { Instant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import type { Finding, Hole } from "../model/source-health.ts";
import type { HealthNote } from "../store/event-store.ts";
import type { Stages } from "./ingest.ts";
import { ingest, notAfterNow } from "./ingest.ts";
import type { CreditAccount } from "./protection/byte-credits.ts";
import { reattribute } from "./reattribute.ts";

/** The most records that one commit takes. */
const recordsPerPage = 500;

interface Waiting {
  readonly record: RawRecord;
  readonly stored: () => void;
  readonly failed: (error: unknown) => void;
}

type StoreRecords = (records: readonly RawRecord[]) => Promise<void>;

/**
 * Stores deliveries in pages: whatever arrives while one commit is under way goes into the next, so that a
 * lone record waits for nobody and a flood is stored by the hundred. A delivery settles after its commit. Without room
 * in `credits` a delivery waits before it is taken, and whoever delivers waits with it: an AMQP consumer by its
 * prefetch, a syslog sender because its connection is not read on.
 */
export class RecordBatcher {
  readonly #waiting: Waiting[] = [];
  readonly #store: StoreRecords;
  readonly #credits: CreditAccount | undefined;
  readonly #signal: AbortSignal | undefined;
  #running = false;

  constructor(store: StoreRecords, credits?: CreditAccount, signal?: AbortSignal) {
    this.#store = store;
    this.#credits = credits;
    this.#signal = signal;
  }

  async deliver(record: RawRecord): Promise<void> {
    const bytes = record.bytes.byteLength;
    if (this.#credits !== undefined) await this.#credits.take(bytes, this.#signal);
    try {
      await new Promise<void>((stored, failed) => {
        this.#waiting.push({ record, stored, failed });
        if (!this.#running) void this.#run();
      });
    } finally {
      this.#credits?.giveBack(bytes);
    }
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const page = this.#waiting.splice(0, recordsPerPage);
      try {
        await this.#store(page.map((item) => item.record));
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
  io: BareStreamIo,
  credits?: CreditAccount,
): Promise<void> {
  await stages.store.connect({ ...connection, config: {} });
  const batcher = new RecordBatcher(
    async (records) => {
      await ingest(stages, { connection, source, stream: "live", records });
      await reattribute(stages, io.signal);
    },
    credits,
    io.signal,
  );
  const report = (problem: string | undefined) => {
    // A report that cannot be written is told by the store's own trouble.
    stages.store.report(connection.name, problem).catch((error: unknown) => {
      io.warn("the state of the connection could not be noted", { error: String(error) });
    });
  };
  const notes = new HealthNotes(stages, connection.name, io.warn);
  let underWay = 0;
  let failedAt = Number.NEGATIVE_INFINITY;
  const deliver = async (record: RawRecord): Promise<void> => {
    underWay += 1;
    try {
      await batcher.deliver(record);
    } catch (error) {
      failedAt = stages.now();
      throw error;
    } finally {
      underWay -= 1;
    }
  };
  // What is handed over and not stored yet may still go back, and what went back may not be counted again yet.
  const isSettled = (at: Instant | undefined): boolean => underWay === 0 && at !== undefined && at > failedAt;
  await source.consume(config, deliver, {
    ...io,
    heardBefore: await stages.store.lastHeard(connection.name),
    report,
    alive: (completeTo) => notes.heard(isSettled(completeTo) ? completeTo : undefined),
    lost: (hole, finding) => notes.lost(hole, finding),
  });
  await notes.written();
}

/** What the pipeline has before a stream begins. */
type BareStreamIo = Omit<StreamIo, "report" | "alive" | "lost" | "heardBefore">;

/** Writes down what a stream tells of itself beside its records, one note after another; a loss is kept until it is written. */
class HealthNotes {
  readonly #stages: Pick<Stages, "store" | "now">;
  readonly #connection: string;
  readonly #warn: StreamIo["warn"];
  #waiting: HealthNote = {};
  #writing: Promise<void> | undefined;

  constructor(stages: Pick<Stages, "store" | "now">, connection: string, warn: StreamIo["warn"]) {
    this.#stages = stages;
    this.#connection = connection;
    this.#warn = warn;
  }

  heard(completeTo: Instant | undefined): void {
    const place = completeTo === undefined ? {} : { completeTo: notAfterNow(this.#stages, completeTo) };
    this.#add({ heard: true, ...place });
  }

  lost(hole: Hole, finding: Finding | undefined): void {
    this.#add({ holes: [hole], findings: finding === undefined ? [] : [finding] });
  }

  async written(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  #add(note: HealthNote): void {
    this.#waiting = joinNotes(this.#waiting, note);
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    try {
      while (Object.keys(this.#waiting).length > 0) {
        const note = this.#waiting;
        this.#waiting = {};
        try {
          await this.#stages.store.noteHealth(this.#connection, note);
        } catch (error) {
          // That it was heard may be said again; what was lost is written with the next note.
          const { holes = [], findings = [] } = note;
          if (holes.length + findings.length > 0)
            this.#waiting = joinNotes({ holes, findings }, this.#waiting);
          this.#warn("the health of the connection could not be noted", { error: String(error) });
          return;
        }
      }
    } finally {
      this.#writing = undefined;
    }
  }
}

function joinNotes(earlier: HealthNote, later: HealthNote): HealthNote {
  return {
    ...earlier,
    ...later,
    ...(earlier.holes === undefined && later.holes === undefined
      ? {}
      : { holes: [...(earlier.holes ?? []), ...(later.holes ?? [])] }),
    ...(earlier.findings === undefined && later.findings === undefined
      ? {}
      : { findings: [...(earlier.findings ?? []), ...(later.findings ?? [])] }),
  };
}
