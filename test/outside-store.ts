import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { eventually } from "./eventually.ts";

/** Where an Isochron process keeps its events, and how a test looks into it past Isochron. */
export interface TestStore {
  /** Arguments that choose the store. */
  readonly args: readonly string[];
  /** A session of the database's administrator, open as long as its server. */
  connect(): Promise<pg.Client>;
  remove(): Promise<void>;
}

/** A store under a data folder of its own. */
export interface EmbeddedStore extends TestStore {
  readonly data: string;
}

/** The server that Isochron brings and starts itself; it ends with the process that started it. */
export async function embeddedStore(): Promise<EmbeddedStore> {
  const folder = await mkdtemp(join(tmpdir(), "isochron-store-"));
  const data = join(folder, "data");
  return {
    data,
    args: ["--data", data],
    connect: () => open({ host: join(data, "run"), user: "isochron_admin", database: "isochron" }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A database of its own on a server that outlives Isochron. */
export async function externalStore(server: string, name: string): Promise<TestStore> {
  const url = new URL(server);
  url.pathname = `/${name}`;
  const administer = async (statement: string) => {
    const client = await open({ connectionString: server });
    await client.query(statement);
    await client.end();
  };
  await administer(`CREATE DATABASE ${name}`);
  return {
    args: ["--database-url", url.href],
    connect: () => open({ connectionString: url.href }),
    remove: () => administer(`DROP DATABASE ${name} WITH (FORCE)`),
  };
}

async function open(config: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client(config);
  // The embedded server goes down with the process that is killed.
  client.on("error", () => undefined);
  await client.connect();
  return client;
}

/** How many records of the source are stored, counted past Isochron. */
export async function countStored(client: pg.Client): Promise<number> {
  const { rows } = await client.query(
    // What Isochron tells of itself comes from no source.
    "SELECT count(DISTINCT source_id)::int AS stored FROM isochron.delivery WHERE connection <> 'isochron'",
  );
  return rows[0].stored as number;
}

/** Makes every commit that stores an event wait, without hiding what is stored already, until released. */
export class HeldCommits {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async hold(store: TestStore): Promise<HeldCommits> {
    const client = await store.connect();
    await client.query("BEGIN");
    await client.query("LOCK TABLE isochron.event IN SHARE MODE");
    return new HeldCommits(client);
  }

  /** Somebody waits for the lock, hence has taken records and cannot store them. */
  async met(): Promise<void> {
    await eventually("a transaction waits to store an event", async () => {
      const { rows } = await this.#client.query("SELECT 1 FROM pg_locks WHERE NOT granted LIMIT 1");
      return rows.length > 0;
    });
  }

  async release(): Promise<void> {
    await this.#client.query("ROLLBACK");
    await this.#client.end();
  }

  /** Forgets the session, whose server may be gone. */
  abandon(): void {
    void this.#client.end().catch(() => undefined);
  }
}
