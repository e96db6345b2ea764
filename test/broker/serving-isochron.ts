import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { EventJson, SourcesJson } from "../../src/present/api/contract.ts";
import { askIsochron, RunningIsochron } from "../isochron-command.ts";
import { eventually } from "../eventually.ts";

/** Where a served Isochron keeps its events, and how a test looks into it past Isochron. */
export interface TestStore {
  readonly title: string;
  /** Arguments that choose the store. */
  readonly args: readonly string[];
  /** A session of the database's administrator, open as long as its server. */
  connect(): Promise<pg.Client>;
  remove(): Promise<void>;
}

/** The server that Isochron brings and starts itself; it ends with the process that started it. */
export async function embeddedStore(): Promise<TestStore> {
  const folder = await mkdtemp(join(tmpdir(), "isochron-broker-"));
  const data = join(folder, "data");
  return {
    title: "embedded",
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
    title: "external",
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

/** `isochron serve` with one connection to a broker, started and killed as often as a test likes. */
export class ServingIsochron {
  readonly store: TestStore;
  readonly #folder: string;
  readonly #token: string;
  #process: RunningIsochron | undefined;
  #url = "";

  private constructor(store: TestStore, folder: string, token: string) {
    this.store = store;
    this.#folder = folder;
    this.#token = token;
  }

  static async prepare(
    store: TestStore,
    settings: Readonly<Record<string, unknown>>,
  ): Promise<ServingIsochron> {
    const folder = await mkdtemp(join(tmpdir(), "isochron-serve-"));
    const connection = { name: "bus", source: "openstack-notifications", config: settings };
    // JSON is YAML.
    await writeFile(join(folder, "isochron.yaml"), JSON.stringify({ connections: [connection] }));
    const token = await askIsochron(["token", "create", "--name", "test", "--provider", ...store.args]);
    return new ServingIsochron(store, folder, token.trim());
  }

  async start(): Promise<void> {
    const config = join(this.#folder, "isochron.yaml");
    this.#process = new RunningIsochron(["serve", "--port", "0", "--config", config, ...this.store.args]);
    const [, url] = await this.#process.printed(/Isochron listens on (\S+)/);
    this.#url = url ?? "";
  }

  /** Kills the process with -9, or ends it in order. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    await this.#process?.end(signal);
  }

  get log(): string {
    return this.#process?.stderr ?? "";
  }

  async get(path: string, signal?: AbortSignal): Promise<Response> {
    const response = await fetch(new URL(path, this.#url), {
      headers: { authorization: `Bearer ${this.#token}` },
      ...(signal === undefined ? {} : { signal }),
    });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response;
  }

  /** The only connection's counts. */
  async counts(): Promise<SourcesJson["connections"][number]["counts"] | undefined> {
    const { connections } = (await (await this.get("/api/v1/sources")).json()) as SourcesJson;
    return connections.find(({ connection }) => connection === "bus")?.counts;
  }

  /** Everything that is stored, by the command that a script would use. */
  async events(): Promise<readonly EventJson[]> {
    const args = ["events", "--all", "-o", "ndjson", "--server", this.#url, "--token", this.#token];
    const text = await askIsochron(args, { cwd: this.#folder });
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as EventJson);
  }

  async remove(): Promise<void> {
    await this.end("SIGTERM");
    await this.store.remove();
    await rm(this.#folder, { recursive: true, force: true });
  }
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
