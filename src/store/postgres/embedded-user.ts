import { execFile } from "node:child_process";
import { chmod, chown, lstat, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { IsochronError } from "../../errors.ts";
import { binariesIn, copyBinaries, type Binaries } from "./embedded-binaries.ts";

const run = promisify(execFile);
const nobody = 65534;

/** How PostgreSQL's programs are started, since they refuse to run as root and as a user without a name. */
export interface Launch {
  readonly binaries: Binaries;
  /** Words before a program that is waited for. */
  readonly prefix: readonly string[];
  /** Words before the server: it is stopped when this process dies, however it dies. */
  readonly serverPrefix: readonly string[];
  /** Who must own the data, as seen from outside; undefined where we have no choice. */
  readonly owner: Owner | undefined;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

interface Candidate {
  readonly prefix: readonly string[];
  readonly owner: Owner | undefined;
}

/** A user namespace of our own, where we go by the name of nobody: it needs no account and works below a 0700 folder. */
const masked = ["unshare", "--user", `--map-user=${nobody}`, `--map-group=${nobody}`];

/** Chooses a way that works here; throws `store-unavailable` when there is none. */
export async function chooseLaunch(dataDir: string, binaries: Binaries): Promise<Launch> {
  const watched = (await works(["setpriv", "--pdeathsig", "INT", "true"]))
    ? ["setpriv", "--pdeathsig", "INT"]
    : [];
  for (const { prefix, owner } of await listCandidates(dataDir)) {
    if (owner !== undefined && !(await openWay(dataDir, owner))) continue;
    if (prefix.length > 0 && !(await works([...prefix, "id", "-un"]))) continue;
    const usable = await reachBinaries(dataDir, binaries, prefix);
    // The death signal comes last: changing the user or the namespace clears it.
    if (usable !== undefined)
      return { binaries: usable, prefix, serverPrefix: [...prefix, ...watched], owner };
  }
  throw new IsochronError(
    "store-unavailable",
    `PostgreSQL does not run as root, and no other user can reach ${dataDir}.`,
    "Run Isochron as an ordinary user, choose a data directory that others may enter, allow user namespaces, " +
      "or set ISOCHRON_DATABASE_URL.",
  );
}

async function listCandidates(dataDir: string): Promise<readonly Candidate[]> {
  const { uid, gid } = await stat(dataDir);
  if (process.getuid?.() !== 0) {
    const plain = { prefix: [], owner: undefined };
    // In a container with an arbitrary user id there is no account, and initdb asks for one.
    const named = await works(["id", "-un"]);
    const hidden = { prefix: masked, owner: undefined };
    return named ? [plain] : [hidden, plain];
  }
  const as = (owner: Owner): Candidate => ({
    prefix: ["setpriv", `--reuid=${owner.uid}`, `--regid=${owner.gid}`, "--clear-groups"],
    owner,
  });
  // Somebody's own folder stays theirs, also when they once come as root.
  if (uid !== 0) {
    const theirs = as({ uid, gid });
    return [theirs, { prefix: [...theirs.prefix, ...masked], owner: theirs.owner }];
  }
  // In the namespace the server is still root to the kernel, so that comes last: below folders that only root may enter.
  return [as({ uid: nobody, gid: nobody }), { prefix: masked, owner: { uid: 0, gid: 0 } }];
}

/** Whether the owner can get to the data directory; the last door is ours to open, just for passing through. */
async function openWay(dataDir: string, owner: Owner): Promise<boolean> {
  for (let folder = dirname(dataDir); ; folder = dirname(folder)) {
    if (!(await canPass(folder, owner))) return false;
    if (folder === dirname(folder)) break;
  }
  if (!(await canPass(dataDir, owner))) await chmod(dataDir, 0o711);
  return true;
}

async function canPass(folder: string, owner: Owner): Promise<boolean> {
  const { uid, gid, mode } = await stat(folder);
  const bits = uid === owner.uid ? 0o100 : gid === owner.gid ? 0o010 : 0o001;
  return (mode & bits) !== 0;
}

async function reachBinaries(
  dataDir: string,
  binaries: Binaries,
  prefix: readonly string[],
): Promise<Binaries | undefined> {
  if (prefix.length === 0 || (await works([...prefix, binaries.postgres, "--version"]))) return binaries;
  if (!(await works([...prefix, "true"]))) return undefined;
  const copy = binariesIn(await copyBinaries(binaries.root, join(dataDir, "programs")));
  return (await works([...prefix, copy.postgres, "--version"])) ? copy : undefined;
}

async function works(command: readonly string[]): Promise<boolean> {
  const [program, ...args] = command;
  return run(program ?? "true", args, { timeout: 20_000 }).then(
    () => true,
    () => false,
  );
}

/** Hands a file, or a folder and all in it, to `owner`, where it is not theirs already. */
export async function handOver(path: string, owner: Launch["owner"]): Promise<void> {
  if (owner === undefined) return;
  const found = await lstat(path);
  if (found.uid === owner.uid && found.gid === owner.gid) return;
  await chownTree(path, owner);
}

async function chownTree(path: string, owner: Owner): Promise<void> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return;
  if (found.isDirectory()) {
    for (const name of await readdir(path)) await chownTree(join(path, name), owner);
  }
  await chown(path, owner.uid, owner.gid);
}
