import type pg from "pg";
import { formatInstant, instant, type Instant } from "../../model/instant.ts";
import { createSigner, type AuditSigner } from "../audit-chain.ts";
import type { AuditRecord, AuditStore } from "../audit-store.ts";
import { exportAudit, findEntry, listEntries, listFollowing, readTail, verifyStored } from "./audit-reads.ts";
import { eraseActor, writeAudit } from "./audit-writes.ts";
import { RefusedFold } from "./refused-fold.ts";
import type { StoreLog } from "./embedded.ts";
import type { Pools } from "./pools.ts";

/** Deadlocks, serialisation failures and waits for the end of the trail pass; what still fails after so many tries does not. */
const attemptsMax = 6;
const passing = new Set(["40P01", "40001", "55P03"]);
const batchMax = 500;
const flushEveryMs = 5_000;
const foldsMax = 1_000;

interface Job {
  readonly records: readonly AuditRecord[];
  readonly settle: () => void;
  readonly fail: (error: unknown) => void;
}

/** The trail with what keeps it going; `close` writes what waits in memory. */
export interface OpenAudit extends AuditStore {
  readonly signer: AuditSigner;
  readonly tellAppended: () => void;
  close(): Promise<void>;
}

/** Opens the trail, to be signed with the Ed25519 key of the 32-byte seed. */
export function openAudit(
  pools: Pools,
  seed: Uint8Array,
  log: StoreLog,
  now: () => Instant = clock,
): OpenAudit {
  const signer = createSigner(seed);
  const listeners: (() => void)[] = [];
  const tellAppended = (): void => listeners.forEach((listener) => listener());
  const queue = new AuditQueue(pools, signer, tellAppended);
  const refused = new RefusedFold(foldsMax);
  let failures = 0;
  const flush = async (until: Instant | "all"): Promise<void> => {
    const records = refused.take(until);
    if (records.length === 0) return;
    try {
      await queue.append(records);
    } catch (error) {
      failures += 1;
      // Whatever it was: counted again with what is refused meanwhile, and tried with it the next time.
      for (const record of records) refused.note(record);
      const refusals = records.reduce((sum, { count = 1 }) => sum + count, 0);
      const { message } = error as Error;
      log("error", "Refusals were not written to the audit trail", { refusals, error: message });
    }
  };
  const timer = setInterval(() => void flush(now()), flushEveryMs).unref();
  return {
    signer,
    tellAppended,
    key: signer.key,
    append: async (records) => {
      for (const record of records) if (record.outcome === "refused") refused.note(record);
      await queue.append(records.filter(({ outcome }) => outcome === "done"));
    },
    eraseActor: async (id, record) => {
      const count = await retry(() =>
        pools.transact("ingest", "write", (client) => eraseActor(client, signer, id, record)),
      );
      tellAppended();
      return count;
    },
    list: (filter, limit, before) => read(pools, (client) => listEntries(client, filter, limit, before)),
    find: (sequence) => read(pools, (client) => findEntry(client, sequence)),
    following: (sequence, limit) => read(pools, (client) => listFollowing(client, sequence, limit)),
    head: async () => {
      const tail = await read(pools, readTail);
      return signer.signHead({ ...tail, at: formatInstant(now()) });
    },
    exportLines: () => exportAudit(pools, signer, now),
    verify: (trust) => verifyStored(pools, signer.key, trust ?? {}),
    onAppended: (listener) => void listeners.push(listener),
    state: () => ({ waiting: refused.waiting + queue.waiting, failures }),
    close: async () => {
      clearInterval(timer);
      await flush("all");
      await queue.idle();
    },
  };
}

function clock(): Instant {
  return instant(Date.now());
}

function read<T>(pools: Pools, action: (client: pg.ClientBase) => Promise<T>): Promise<T> {
  return pools.transact("provider", "read", action);
}

async function retry<T>(action: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action();
    } catch (error) {
      const { code } = error as { code?: string };
      if (attempt === attemptsMax || code === undefined || !passing.has(code)) throw error;
    }
  }
}

/** One transaction at a time, so that waiting for the end of the trail takes one connection of the pool, not all. */
class AuditQueue {
  readonly #pools: Pools;
  readonly #signer: AuditSigner;
  readonly #tell: () => void;
  #jobs: Job[] = [];
  #running: Promise<void> | undefined;

  constructor(pools: Pools, signer: AuditSigner, tell: () => void) {
    this.#pools = pools;
    this.#signer = signer;
    this.#tell = tell;
  }

  get waiting(): number {
    return this.#jobs.length;
  }

  append(records: readonly AuditRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    return new Promise((settle, fail) => {
      this.#jobs.push({ records, settle, fail });
      this.#running ??= this.#run().finally(() => (this.#running = undefined));
    });
  }

  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#jobs.length > 0) {
      const jobs = this.#take();
      try {
        await this.#write(jobs);
        for (const { settle } of jobs) settle();
      } catch (error) {
        // One that cannot be written must not take the others with it.
        if (jobs.length === 1) jobs[0]?.fail(error);
        else await this.#writeEach(jobs);
      }
      this.#tell();
    }
  }

  async #writeEach(jobs: readonly Job[]): Promise<void> {
    for (const job of jobs) await this.#write([job]).then(job.settle, job.fail);
  }

  #take(): readonly Job[] {
    const taken: Job[] = [];
    let records = 0;
    for (const job of this.#jobs) {
      if (taken.length > 0 && records + job.records.length > batchMax) break;
      taken.push(job);
      records += job.records.length;
    }
    this.#jobs = this.#jobs.slice(taken.length);
    return taken;
  }

  async #write(jobs: readonly Job[]): Promise<void> {
    const records = jobs.flatMap((job) => job.records);
    await retry(() =>
      this.#pools.transact("ingest", "write", (client) => writeAudit(client, this.#signer, records)),
    );
  }
}
