import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import type { PrivatePostgres } from "./private-postgres.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** The longest transaction of those who write jobs; the connection is told a bound that is above it. */
export const holdMsMax = 1_500;
export const commitDelaySeconds = 3;

/** The domain that owns every second job; its tenant reads along. */
export const tenantDomain = "dom-a";

/** Jobs in a foreign database, written by transactions that overlap, commit out of order, tie and are taken back. */
export class JobTable {
  readonly #server: PrivatePostgres;
  readonly database: string;
  readonly #random: SeededRandom;
  #running: readonly Promise<void>[] = [];
  #stopped = true;
  #count = 0;

  private constructor(server: PrivatePostgres, database: string, random: SeededRandom) {
    this.#server = server;
    this.database = database;
    this.#random = random;
  }

  static async create(server: PrivatePostgres, database: string, random: SeededRandom): Promise<JobTable> {
    await server.ask(`CREATE DATABASE ${database} TEMPLATE template0`);
    await server.ask(
      `CREATE TABLE job (
         id bigserial PRIMARY KEY, name text NOT NULL, state text NOT NULL DEFAULT 'running', domain_id text,
         started_at timestamptz NOT NULL, ended_at timestamptz)`,
      database,
    );
    return new JobTable(server, database, random);
  }

  get url(): string {
    return this.#server.url(this.database);
  }

  /** Rows that stand before anybody looks, many of them with one and the same time. */
  async fill(count: number): Promise<void> {
    const first = this.#count;
    this.#count += count;
    await this.#server.ask(
      `INSERT INTO job (name, domain_id, state, started_at, ended_at)
       SELECT 'J' || (${first} + n), CASE WHEN n % 2 = 0 THEN '${tenantDomain}' ELSE 'dom-b' END,
              CASE WHEN n % 3 = 0 THEN 'running' ELSE 'done' END,
              now() - interval '10 minutes' + (n / 40) * interval '1 second',
              CASE WHEN n % 3 = 0 THEN NULL ELSE now() - interval '5 minutes' + (n / 40) * interval '1 second' END
         FROM generate_series(1, ${count}) AS n`,
      this.database,
    );
  }

  /** Begins to write with several sessions at once. */
  start(sessions = 3): void {
    this.#stopped = false;
    this.#running = Array.from({ length: sessions }, () => this.#write());
    // Whoever stops the writing is told what went wrong with it.
    for (const one of this.#running) one.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    this.#running = [];
  }

  /** What the table's rows tell, by text and time. */
  async truth(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#server.ask(
      `SELECT name, state, (extract(epoch FROM started_at) * 1000)::float8 AS started,
              (extract(epoch FROM ended_at) * 1000)::float8 AS ended FROM job`,
      this.database,
    );
    return new Map(
      rows.flatMap((row) => [
        [`${row["name"]} started`, Math.floor(row["started"] as number)] as const,
        ...(row["state"] === "done"
          ? [[`${row["name"]} done`, Math.floor(row["ended"] as number)] as const]
          : []),
      ]),
    );
  }

  async #write(): Promise<void> {
    const client = new pg.Client({ connectionString: this.url });
    client.on("error", () => undefined);
    await client.connect();
    const random = this.#random;
    while (!this.#stopped) {
      await client.query("BEGIN");
      const rows = random.whole(1, 3);
      for (let row = 0; row < rows; row += 1) {
        this.#count += 1;
        const domain = this.#count % 2 === 0 ? tenantDomain : "dom-b";
        await client.query(
          "INSERT INTO job (name, domain_id, started_at) VALUES ($1, $2, date_trunc('second', clock_timestamp()))",
          [`J${this.#count}`, domain],
        );
      }
      await client.query(
        `UPDATE job SET state = 'done', ended_at = clock_timestamp()
          WHERE id IN (SELECT id FROM job WHERE state = 'running' ORDER BY random() LIMIT 2 FOR UPDATE SKIP LOCKED)`,
      );
      // Ids and times are taken when a row is written; it can be read only after this.
      await pause(random.chance(0.3) ? random.whole(200, holdMsMax) : random.whole(0, 50));
      await client.query(random.chance(0.15) ? "ROLLBACK" : "COMMIT");
      await pause(random.whole(400, 1_200));
    }
    await client.end();
  }
}

/** The table in the words of the `sql` source. */
export const jobMapping = {
  table: "job",
  key: ["id"],
  order: { by: "serial", column: "id" },
  open: { when: [{ column: "state", in: ["running"] }] },
  row_kind: "job",
  owner: [{ kind: "domain", column: "domain_id", when: [] }],
  details: ["name", "state"],
  transitions: [
    {
      name: "started",
      when: [],
      stamp: "started_at",
      type: "job.started",
      kind: "activity",
      category: "other",
      summary: "{name} started",
    },
    {
      name: "done",
      when: [{ column: "state", in: ["done"] }],
      stamp: "ended_at",
      type: "job.done",
      kind: "change",
      category: "other",
      summary: "{name} done",
    },
  ],
} as const;
