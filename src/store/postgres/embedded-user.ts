import { execFile } from "node:child_process";
import { chown, lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { IsochronError } from "../../errors.ts";
import { binariesIn, copyBinaries, type Binaries } from "./embedded-binaries.ts";

const run = promisify(execFile);
const nobody = 65534;

/** How PostgreSQL's programs are started, since they refuse to run as root. */
export interface Launch {
  readonly binaries: Binaries;
  /** Words before a program that is waited for. */
  readonly prefix: readonly string[];
  /** Words before the server: it is stopped when this process dies, however it dies. */
  readonly serverPrefix: readonly string[];
  /** Who must own the data, as seen from outside; undefined where we have no choice. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

const inNamespace = ["unshare", "--user", `--map-user=${nobody}`, `--map-group=${nobody}`];

/**
 * Chooses a way that works here: as we are; as root in a user namespace of our own (no account needed,
 * works below a 0700 folder); as root with the data handed to `nobody`.
 */
export async function chooseLaunch(dataDir: string, binaries: Binaries): Promise<Launch> {
  const watched = (await works(["setpriv", "--pdeathsig", "INT", "true"]))
    ? ["setpriv", "--pdeathsig", "INT"]
    : [];
  if (process.getuid?.() !== 0) return { binaries, prefix: [], serverPrefix: watched, owner: undefined };
  if (await works([...inNamespace, binaries.postgres, "--version"])) {
    // The namespace comes first: entering it clears the death signal.
    const owner = { uid: 0, gid: 0 };
    return { binaries, prefix: inNamespace, serverPrefix: [...inNamespace, ...watched], owner };
  }
  return dropPrivileges(dataDir, binaries, watched);
}

async function dropPrivileges(dataDir: string, found: Binaries, watched: readonly string[]): Promise<Launch> {
  const owner = await stat(join(dataDir, "postgres")).catch(() => undefined);
  const uid = owner === undefined || owner.uid === 0 ? nobody : owner.uid;
  const gid = owner === undefined || owner.gid === 0 ? nobody : owner.gid;
  const prefix = ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
  let binaries = found;
  if (!(await works([...prefix, binaries.postgres, "--version"]))) {
    binaries = binariesIn(await copyBinaries(found.root, join(dataDir, "programs")));
    if (!(await works([...prefix, binaries.postgres, "--version"]))) {
      throw new IsochronError(
        "store-unavailable",
        `PostgreSQL does not run as root, and no other user can reach ${dataDir}.`,
        "Run Isochron as an ordinary user, choose a data directory that others may enter, allow user " +
          "namespaces, or set ISOCHRON_DATABASE_URL.",
      );
    }
  }
  return { binaries, prefix, serverPrefix: [...prefix, ...watched], owner: { uid, gid } };
}

async function works(command: readonly string[]): Promise<boolean> {
  const [program, ...args] = command;
  return run(program ?? "true", args, { timeout: 20_000 }).then(
    () => true,
    () => false,
  );
}

/** Hands a folder and all in it to `owner`, where it is not theirs already. */
export async function handOver(path: string, owner: Launch["owner"]): Promise<void> {
  if (owner === undefined) return;
  const found = await lstat(path);
  if (found.uid === owner.uid && found.gid === owner.gid) return;
  await chownTree(path, owner);
}

async function chownTree(path: string, owner: { uid: number; gid: number }): Promise<void> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return;
  if (found.isDirectory()) {
    for (const name of await readdir(path)) await chownTree(join(path, name), owner);
  }
  await chown(path, owner.uid, owner.gid);
}
