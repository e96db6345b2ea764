import { open, readFile, stat, unlink } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { IsochronError } from "../../errors.ts";

const waitMsMax = 180_000;
const pollMs = 50;
/** Locks of this very process: a file that names our process id but is not here was left by an earlier life. */
const held = new Set<string>();

/** Runs `action` while holding the lock file at `path`; a lock whose process is gone is taken over. */
export async function withStartLock<T>(path: string, action: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + waitMsMax;
  while (!(await take(path))) {
    if (await isStale(path)) {
      await unlink(path).catch(ignoreMissing);
      continue;
    }
    if (Date.now() > deadline) {
      throw new IsochronError(
        "store-in-use",
        `Another process has been starting the store for ${waitMsMax / 1000} s (${path}).`,
        "End that process, or delete the lock file if it is gone.",
      );
    }
    await pause(pollMs);
  }
  held.add(path);
  try {
    return await action();
  } finally {
    held.delete(path);
    await unlink(path).catch(ignoreMissing);
  }
}

async function take(path: string): Promise<boolean> {
  try {
    const file = await open(path, "wx", 0o600);
    await file.writeFile(`${process.pid}\n`);
    await file.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function isStale(path: string): Promise<boolean> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return false;
  const pid = Number(text.trim());
  if (pid === process.pid) return !held.has(path);
  if (Number.isInteger(pid) && pid > 0) return !isAlive(pid);
  // The file is made and written in two steps: an empty one is stale only when it stays empty.
  const made = await stat(path).catch(() => undefined);
  return made !== undefined && Date.now() - made.mtimeMs > 5_000;
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
