import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { IsochronError } from "../../errors.ts";
import { exists } from "./embedded-binaries.ts";
import { handOver, type Launch } from "./embedded-user.ts";
import { isAlive } from "./start-lock.ts";

const run = promisify(execFile);
/** Major version of the cluster that the binaries package can open. */
const serverMajor = "18";
/** sockaddr_un holds 104 bytes on macOS and 108 on Linux. */
const socketPathBytesMax = 100;
export const adminLogin = "isochron_admin";
const draftPrefix = "postgres.new";

/** What the system says to who may not write there. */
const refusals: ReadonlySet<string | undefined> = new Set(["EACCES", "EPERM", "EROFS"]);

/** Whether an error tells that this user may not. */
export function isRefusal(error: unknown): boolean {
  return refusals.has((error as NodeJS.ErrnoException | undefined)?.code);
}

/** The error to throw for one that came up under `dataDir`: another user's folder is no bug of ours. */
export function explainRefusal(dataDir: string, error: unknown): unknown {
  if (!isRefusal(error)) return error;
  return new IsochronError(
    "store-unavailable",
    `This user may not use the data directory ${dataDir}: ${(error as Error).message}.`,
    "Run Isochron as the user whose it is, or choose another with --data or ISOCHRON_DATA.",
    { cause: error },
  );
}

/**
 * Makes a folder and those above it; gives whether it is new. Node's own recursive way goes on for ever where the
 * folder above is there and yet takes none, as /proc.
 */
export async function makeFolder(path: string): Promise<boolean> {
  try {
    return await makeOneFolder(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
  }
  await makeFolder(dirname(path));
  return makeOneFolder(path);
}

async function makeOneFolder(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !(await stat(path)).isDirectory()) throw error;
    return false;
  }
}

/** Makes the cluster in DIR/postgres unless it stands already. Throws `store-unavailable` on foreign data. */
export async function prepareCluster(dataDir: string, launch: Launch): Promise<void> {
  const cluster = join(dataDir, "postgres");
  await forgetDrafts(dataDir);
  const version = await readFile(join(cluster, "PG_VERSION"), "utf8").catch(() => undefined);
  if (version !== undefined) {
    if (version.trim() !== serverMajor) {
      throw new IsochronError(
        "store-unavailable",
        `${cluster} was made by PostgreSQL ${version.trim()}, but this Isochron brings PostgreSQL ${serverMajor}.`,
        "Use the Isochron that made it, or an empty data directory.",
      );
    }
    await handOver(cluster, launch.owner);
    return;
  }
  const strangers = await readdir(cluster).catch(() => []);
  if (strangers.length > 0) {
    throw new IsochronError(
      "store-unavailable",
      `${cluster} holds files, but no PostgreSQL data.`,
      "Choose another data directory, or move those files away.",
    );
  }
  await makeCluster(dataDir, cluster, launch);
}

/** What interrupted starts have left; a killed one's initdb may still be writing, then it stays for the next start. */
async function forgetDrafts(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith(draftPrefix)) continue;
    try {
      await rm(join(dataDir, name), { recursive: true, force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY") throw error;
    }
  }
}

/**
 * Made beside its place and renamed into it, so that an interrupted start leaves nothing half-made; in a folder
 * that no other start has used, because the initdb of a killed one outlives it for a moment.
 */
async function makeCluster(dataDir: string, cluster: string, launch: Launch): Promise<void> {
  const draft = await mkdtemp(join(dataDir, draftPrefix));
  await handOver(draft, launch.owner);
  const [program, ...args] = [
    ...launch.prefix,
    launch.binaries.initdb,
    `--pgdata=${draft}`,
    "--locale-provider=builtin",
    // The C library's own C.UTF-8 is missing on some systems; the server's built-in one never is.
    "--locale=C",
    "--builtin-locale=C.UTF-8",
    "--encoding=UTF8",
    `--username=${adminLogin}`,
    "--auth=trust",
    "--no-instructions",
  ];
  try {
    await run(program ?? "", args);
  } catch (cause) {
    const says = String((cause as { stderr?: unknown }).stderr ?? cause).trim();
    throw new IsochronError(
      "store-unavailable",
      `The database could not be made in ${cluster}: ${says}`,
      "Free space or mend permissions, or choose another data directory.",
      { cause },
    );
  }
  await rm(cluster, { recursive: true, force: true });
  await rename(draft, cluster);
}

/** The folder of the server's socket: DIR/run, or a short private one where that path is too long for a socket. */
export async function socketFolder(dataDir: string, launch: Launch | undefined): Promise<string> {
  const near = join(dataDir, "run");
  if (Buffer.byteLength(join(near, ".s.PGSQL.5432.lock")) <= socketPathBytesMax) {
    await makeFolder(near);
    if (launch !== undefined) await handOver(near, launch.owner);
    return near;
  }
  const note = join(dataDir, "socket-folder");
  const noted = (await readFile(note, "utf8").catch(() => "")).trim();
  if (noted !== "" && (await exists(noted))) return noted;
  const far = await mkdtemp(join(Buffer.byteLength(tmpdir()) > 60 ? "/tmp" : tmpdir(), "isochron-"));
  if (launch !== undefined) await handOver(far, launch.owner);
  await writeFile(note, `${far}\n`, { mode: 0o600 });
  return far;
}

/**
 * The server that DIR/postgres/postmaster.pid speaks of, if that process is alive and is a PostgreSQL:
 * after a crash the number may have gone to any other process, in a container even to ourselves.
 */
export async function runningServer(dataDir: string): Promise<number | undefined> {
  const text = await readFile(join(dataDir, "postgres", "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number(text.split("\n")[0]?.trim());
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid || !isAlive(pid)) return undefined;
  return (await commandOf(pid)).includes("postgres") ? pid : undefined;
}

/** The kernel's user id of the server under DIR: 0 is root in a user namespace. Undefined where /proc does not tell. */
export async function serverUid(dataDir: string): Promise<number | undefined> {
  const pid = await runningServer(dataDir);
  if (pid === undefined) return undefined;
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const uid = /^Uid:\s+(\d+)/m.exec(status)?.[1];
  return uid === undefined ? undefined : Number(uid);
}

async function commandOf(pid: number): Promise<string> {
  const fromProc = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => undefined);
  if (fromProc !== undefined) return fromProc;
  return run("ps", ["-o", "comm=", "-p", String(pid)]).then(
    ({ stdout }) => stdout,
    () => "",
  );
}

/** Which of our processes started the server: its successor may stop it once that one is gone. */
export async function readStarter(dataDir: string): Promise<number | undefined> {
  const pid = Number(await readFile(join(dataDir, "starter.pid"), "utf8").catch(() => ""));
  return Number.isInteger(pid) && pid > 0 ? pid : undefined;
}

export async function writeStarter(dataDir: string): Promise<void> {
  await writeFile(join(dataDir, "starter.pid"), `${process.pid}\n`, { mode: 0o600 });
}

export async function forgetServer(dataDir: string): Promise<void> {
  await rm(join(dataDir, "postgres", "postmaster.pid"), { force: true });
}
