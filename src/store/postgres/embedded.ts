import { spawn, type ChildProcess } from "node:child_process";
import { chmod, open, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import { IsochronError } from "../../errors.ts";
import { findBinaries } from "./embedded-binaries.ts";
import {
  adminLogin,
  explainRefusal,
  forgetServer,
  isRefusal,
  makeFolder,
  prepareCluster,
  readStarter,
  runningServer,
  socketFolder,
  writeStarter,
} from "./embedded-data.ts";
import { memorySettings, usableMemory } from "./embedded-memory.ts";
import { chooseLaunch, handOver, type Launch } from "./embedded-user.ts";
import { isAlive, withStartLock } from "./start-lock.ts";

const startMsMax = 120_000;
const stopMsMax = 60_000;
const startAttemptsMax = 5;
const logBytesMax = 5_000_000;
const database = "isochron";

export type StoreLog = (
  level: "debug" | "info" | "warn" | "error",
  message: string,
  fields?: Record<string, unknown>,
) => void;

/** A PostgreSQL server of our own under one data directory, reached by its socket only. */
export interface EmbeddedServer {
  readonly dataDir: string;
  /** Settings for `pg` to connect as the administrator to Isochron's database. */
  readonly admin: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
  /** Starts the server again where it has gone; nothing happens while it runs. */
  ensure(): Promise<void>;
  /** Stops the server if this process started it, and waits until it has written everything. */
  stop(): Promise<void>;
}

interface State {
  readonly dataDir: string;
  readonly settings: readonly string[];
  readonly log: StoreLog;
  socket: string;
  launch: Launch | undefined;
  child: ChildProcess | undefined;
  /** A server of a process that is gone, which falls to us to stop. */
  adopted: number | undefined;
  ensuring: Promise<void> | undefined;
  stopped: boolean;
}

/**
 * Starts PostgreSQL under `dataDir`, or attaches to the one that another Isochron process runs there.
 * `settings` are further `name=value` pairs for the server.
 * Throws `store-unavailable` or `store-in-use` with what to do.
 */
export async function startEmbedded(
  dataDir: string,
  log: StoreLog,
  settings: readonly string[] = [],
): Promise<EmbeddedServer> {
  const state: State = {
    dataDir: resolve(dataDir),
    settings,
    log,
    socket: "",
    launch: undefined,
    child: undefined,
    adopted: undefined,
    ensuring: undefined,
    stopped: false,
  };
  await prepareFolder(state.dataDir);
  const ensure = (): Promise<void> => {
    state.ensuring ??= ensureRunning(state)
      .catch((error: unknown) => {
        throw explainRefusal(state.dataDir, error);
      })
      .finally(() => (state.ensuring = undefined));
    return state.ensuring;
  };
  await ensure();
  return {
    dataDir: state.dataDir,
    admin: { host: state.socket, port: 5432, user: adminLogin, database },
    ensure,
    stop: () => stopServer(state),
  };
}

async function prepareFolder(dataDir: string): Promise<void> {
  try {
    if (await makeFolder(dataDir)) await chmod(dataDir, 0o700);
  } catch (cause) {
    throw new IsochronError(
      "store-unavailable",
      `The data directory ${dataDir} cannot be made: ${(cause as Error).message}.`,
      "Choose another with --data or ISOCHRON_DATA.",
      { cause },
    );
  }
}

async function ensureRunning(state: State): Promise<void> {
  if (state.stopped) throw gone(state);
  state.socket = await socketFolder(state.dataDir, state.launch);
  if ((await probe(state.socket)) === "ready") return attach(state);
  await withStartLock(join(state.dataDir, "start.lock"), async () => {
    const pid = await runningServer(state.dataDir);
    const answer = await probe(state.socket);
    if (answer === "ready") return attach(state);
    if (pid !== undefined || answer === "busy") {
      // It is starting, recovering or stopping: only once that is over do we know what to do.
      if ((await settle(state, () => pid !== undefined && !isAlive(pid))) === "ready") return attach(state);
    }
    await start(state);
  });
}

/** The server runs already: ours to stop only when whoever started it is gone. */
async function attach(state: State): Promise<void> {
  if (state.child !== undefined && isOpen(state.child)) return;
  const starter = await readStarter(state.dataDir);
  if (starter !== undefined && starter !== process.pid && !isAlive(starter)) {
    state.adopted = await runningServer(state.dataDir);
    if (state.adopted !== undefined) await writeStarter(state.dataDir);
  }
}

async function start(state: State): Promise<void> {
  state.launch ??= await chooseLaunch(state.dataDir, await findBinaries(join(state.dataDir, "programs")));
  state.socket = await socketFolder(state.dataDir, state.launch);
  await prepareCluster(state.dataDir, state.launch);
  await forgetServer(state.dataDir);
  // After a crash, processes of the former server may hold its shared memory a moment longer.
  for (let attempt = 1; ; attempt += 1) {
    const child = await spawnServer(state, state.launch);
    state.child = child;
    if ((await settle(state, () => !isOpen(child))) === "ready") break;
    if (attempt === startAttemptsMax) throw failedStart(state, child);
    await pause(200 * attempt);
  }
  await writeStarter(state.dataDir);
  // What we write ourselves must stay usable for the folder's owner.
  const { uid, gid } = await stat(state.dataDir);
  if (process.getuid?.() === 0) {
    for (const file of ["starter.pid", "postgres.log"])
      await handOver(join(state.dataDir, file), { uid, gid });
  }
  await createDatabase(state.socket);
  state.log("debug", "PostgreSQL started", { pid: state.child.pid, socket: state.socket });
}

async function spawnServer(state: State, launch: Launch): Promise<ChildProcess> {
  const tooLong = await stat(logFile(state)).then(
    ({ size }) => size > logBytesMax,
    () => false,
  );
  const output = await open(logFile(state), tooLong ? "w" : "a", 0o600);
  const [program, ...args] = [
    ...launch.serverPrefix,
    launch.binaries.postgres,
    "-D",
    join(state.dataDir, "postgres"),
    ...serverSettings(state).flatMap((setting) => ["-c", setting]),
  ];
  // A session of its own, so that Ctrl-C reaches Isochron first, which then stops the server in order.
  const child = spawn(program ?? "", args, { detached: true, stdio: ["ignore", output.fd, output.fd] });
  child.on("error", (error) =>
    state.log("error", "PostgreSQL could not be started", { error: error.message }),
  );
  child.unref();
  await output.close();
  return child;
}

function isOpen(child: ChildProcess): boolean {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

function logFile(state: State): string {
  return join(state.dataDir, "postgres.log");
}

function serverSettings(state: State): readonly string[] {
  return [
    "listen_addresses=",
    "port=5432",
    `unix_socket_directories=${state.socket}`,
    "unix_socket_permissions=0700",
    "max_connections=60",
    "max_wal_size=1GB",
    ...memorySettings(usableMemory()),
    "password_encryption=scram-sha-256",
    "timezone=UTC",
    "log_timezone=UTC",
    ...state.settings,
  ];
}

function failedStart(state: State, child: ChildProcess): IsochronError {
  const how = child.exitCode === null ? "could not be started" : `ended with code ${child.exitCode}`;
  return new IsochronError(
    "store-unavailable",
    `PostgreSQL under ${state.dataDir} ${how}.`,
    `Its last words are in ${logFile(state)}. If the data are damaged, restore a backup or use another data directory.`,
  );
}

/** `ready`: it takes connections; `busy`: it is starting, recovering or stopping; `absent`: nobody answers. */
async function probe(socket: string): Promise<"ready" | "busy" | "absent"> {
  const client = new pg.Client({ host: socket, port: 5432, user: adminLogin, database: "postgres" });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.end();
    return "ready";
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code === "57P03" || code === "57P01" || code === "53300") return "busy";
    if (code === "ENOENT" || code === "ECONNREFUSED" || code === "ECONNRESET" || code === "ENOTDIR")
      return "absent";
    if (/terminated unexpectedly/.test(message)) return "busy";
    if (isRefusal(error)) throw error;
    throw new IsochronError(
      "store-in-use",
      `A server answers on ${socket}, but not as Isochron's: ${message}.`,
      "Choose another data directory.",
      { cause: error },
    );
  }
}

async function settle(state: State, ended: () => boolean): Promise<"ready" | "absent"> {
  const deadline = Date.now() + startMsMax;
  while (Date.now() < deadline) {
    if ((await probe(state.socket)) === "ready") return "ready";
    if (ended()) return "absent";
    await pause(25);
  }
  throw new IsochronError(
    "store-in-use",
    `A PostgreSQL runs on ${state.dataDir} but has taken no connection for ${startMsMax / 1000} s.`,
    `See ${logFile(state)}; wait for its recovery, or end it.`,
  );
}

async function createDatabase(socket: string): Promise<void> {
  const client = new pg.Client({ host: socket, port: 5432, user: adminLogin, database: "postgres" });
  await client.connect();
  try {
    const found = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [database]);
    if (found.rows.length === 0) await client.query(`CREATE DATABASE ${database}`);
  } finally {
    await client.end();
  }
}

async function stopServer(state: State): Promise<void> {
  state.stopped = true;
  await state.ensuring?.catch(() => undefined);
  const child = state.child !== undefined && isOpen(state.child) ? state.child : undefined;
  const pid = child?.pid ?? state.adopted;
  if (pid === undefined || !isAlive(pid)) return;
  process.kill(pid, "SIGINT");
  const deadline = Date.now() + stopMsMax;
  while (child === undefined ? isAlive(pid) : isOpen(child)) {
    if (Date.now() > deadline)
      throw new Error(`PostgreSQL (${pid}) did not stop within ${stopMsMax / 1000} s`);
    await pause(10);
  }
}

function gone(state: State): IsochronError {
  return new IsochronError(
    "store-unavailable",
    `The store under ${state.dataDir} was closed.`,
    "Open it again.",
  );
}
