import { spawn, execFile, type ChildProcess } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
} from "node:fs";
import { appendFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { eventually } from "../eventually.ts";
import { patience } from "./patience.ts";

const run = promisify(execFile);
const programs = process.env["POSTGRESQL_PROGRAMS"] ?? "/usr/lib/postgresql/15/bin";

/** PostgreSQL refuses to run as root, and nothing here needs its rights. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

export function postgresInstalled(): boolean {
  return existsSync(join(programs, "postgres"));
}

export interface PostgresOptions {
  /** Lines of `postgresql.conf`. */
  readonly settings?: readonly string[];
  /** Where the data lies, instead of a folder of its own below `folder`. */
  readonly data?: string;
}

/** A free loopback port; somebody else may take it first, which then shows at once. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((closed) => server.close(() => closed()));
  return port;
}

/** A folder that the server's user owns. */
export function makeServerFolder(path: string): string {
  mkdirSync(path, { recursive: true });
  if (nobody.uid !== undefined) chownSync(path, nobody.uid, nobody.gid);
  chmodSync(path, 0o700);
  return path;
}

/** A PostgreSQL of Debian's in a folder of ours, on a private port, started as an ordinary user and ended by its id. */
export class PrivatePostgres {
  readonly port: number;
  readonly data: string;
  readonly #folder: string;
  #child: ChildProcess | undefined;

  private constructor(folder: string, data: string, port: number) {
    this.#folder = folder;
    this.data = data;
    this.port = port;
  }

  /** Makes a cluster and starts it. */
  static async create(folder: string, options: PostgresOptions = {}): Promise<PrivatePostgres> {
    const server = new PrivatePostgres(folder, options.data ?? join(folder, "data"), await freePort());
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755);
    makeServerFolder(server.data);
    makeServerFolder(server.#socketFolder);
    const initdb = ["--pgdata", server.data, "--username=postgres", "--auth=trust", "--encoding=UTF8"];
    await run(join(programs, "initdb"), [...initdb, "--locale=C.UTF-8", "--no-instructions", "--no-sync"], {
      ...nobody,
      cwd: folder,
    });
    await server.configure([
      "max_connections = 100",
      "shared_buffers = 32MB",
      "max_wal_size = 256MB",
      ...(options.settings ?? []),
    ]);
    await server.start();
    return server;
  }

  /** A copy that follows this server; it is waited for by commits once `followedBy` says so. */
  async createStandby(folder: string): Promise<PrivatePostgres> {
    const standby = new PrivatePostgres(folder, join(folder, "data"), await freePort());
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755);
    makeServerFolder(standby.data);
    makeServerFolder(standby.#socketFolder);
    const source = ["-h", "127.0.0.1", "-p", String(this.port), "-U", "postgres"];
    const copy = ["-D", standby.data, "-X", "stream", "-c", "fast", "--no-sync", "-R"];
    await run(join(programs, "pg_basebackup"), [...source, ...copy], { ...nobody, cwd: folder });
    await standby.configure([
      `primary_conninfo = 'host=127.0.0.1 port=${this.port} user=postgres application_name=standby'`,
      "hot_standby = on",
      "synchronous_standby_names = ''",
    ]);
    await standby.start();
    await eventually(
      "the standby follows",
      async () => {
        const [row] = await this.ask(
          "SELECT count(*)::int AS n FROM pg_stat_replication WHERE state = 'streaming'",
        );
        return row?.["n"] === 1;
      },
      { withinMs: 30_000 * patience },
    );
    return standby;
  }

  get #socketFolder(): string {
    return join(this.#folder, "socket");
  }

  get pid(): number | undefined {
    const child = this.#child;
    return child === undefined || child.exitCode !== null || child.signalCode !== null
      ? undefined
      : child.pid;
  }

  url(database: string, port = this.port): string {
    return `postgres://postgres@127.0.0.1:${port}/${database}`;
  }

  async configure(lines: readonly string[]): Promise<void> {
    const path = join(this.data, "postgresql.auto.conf");
    await appendFile(path, `${lines.join("\n")}\n`);
  }

  async start(): Promise<void> {
    const log = openSync(join(this.#folder, "postgres.log"), "a");
    const listen = [
      "-c",
      "listen_addresses=127.0.0.1",
      "-c",
      `unix_socket_directories=${this.#socketFolder}`,
    ];
    this.#child = spawn(join(programs, "postgres"), ["-D", this.data, "-p", String(this.port), ...listen], {
      ...nobody,
      cwd: this.#folder,
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    await eventually(
      "PostgreSQL answers",
      async () => {
        if (this.pid === undefined) throw new Error(`PostgreSQL ended: ${this.log()}`);
        return this.ask("SELECT 1").then(
          () => true,
          () => false,
        );
      },
      { withinMs: 30_000 * patience },
    );
  }

  log(): string {
    return readFileSync(join(this.#folder, "postgres.log"), "utf8").slice(-2_000);
  }

  /** Ends the server: SIGINT ends sessions and writes all down, SIGQUIT is as good as a crash. */
  async stop(signal: "SIGINT" | "SIGQUIT" = "SIGINT"): Promise<void> {
    const child = this.#child;
    if (child === undefined || this.pid === undefined) return;
    const ended = new Promise<void>((done) => child.once("exit", () => done()));
    child.kill(signal);
    const timer = setTimeout(() => this.#killAll(), 20_000);
    await ended;
    clearTimeout(timer);
  }

  /** Kills every process of the server at once, as when its machine goes. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || this.pid === undefined) return;
    const ended = new Promise<void>((done) => child.once("exit", () => done()));
    this.#killAll();
    await ended;
  }

  #killAll(): void {
    const { pid } = this;
    if (pid === undefined) return;
    const children = childrenOf(pid);
    for (const one of [pid, ...children.map(({ pid }) => pid)]) killQuietly(one, "SIGKILL");
  }

  /** Stops or continues the processes of the server whose title has the word, such as `walreceiver`. */
  signalChildren(word: string, signal: NodeJS.Signals): number {
    const { pid } = this;
    if (pid === undefined) return 0;
    const found = childrenOf(pid).filter(({ title }) => title.includes(word));
    for (const child of found) killQuietly(child.pid, signal);
    return found.length;
  }

  async promote(): Promise<void> {
    await this.ask("SELECT pg_promote(true, 30)");
  }

  /** One statement on a connection of its own. */
  async ask(text: string, database = "postgres"): Promise<readonly Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url(database), connectionTimeoutMillis: 3_000 });
    client.on("error", () => undefined);
    await client.connect();
    try {
      return (await client.query(text)).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  }

  /** Ends the server and removes what it left. */
  async remove(): Promise<void> {
    await this.stop("SIGQUIT");
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async reload(lines: readonly string[]): Promise<void> {
    await this.configure(lines);
    await this.ask("SELECT pg_reload_conf()");
  }

  /** Makes a plain file in the data folder that takes all the room there is, up to `bytes`. */
  async fill(name: string, bytes: number): Promise<void> {
    try {
      await writeFile(join(this.data, name), Buffer.alloc(bytes, 1));
    } catch (error) {
      // The server took some of it meanwhile.
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
}

interface ChildOf {
  readonly pid: number;
  readonly title: string;
}

/** Processes whose parent is this one, by /proc. */
export function childrenOf(parent: number): readonly ChildOf[] {
  const found: ChildOf[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      const ppid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      if (ppid !== parent) continue;
      const title = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
      found.push({ pid: Number(name), title });
    } catch (error) {
      // It has ended meanwhile.
      const { code } = error as NodeJS.ErrnoException;
      if (code !== "ENOENT" && code !== "ESRCH") throw error;
    }
  }
  return found;
}

export function killQuietly(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
