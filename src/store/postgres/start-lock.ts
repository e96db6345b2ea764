import { readFileSync } from "node:fs";
import { link, open, readFile, rename, stat, unlink } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { IsochronError } from "../../errors.ts";

const waitMsMax = 180_000;
const pollMs = 50;
const emptyMsMax = 5_000;
/** Locks of this very process: whoever has one, a file with our process id was left by an earlier life. */
const held = new Set<string>();

/** Runs `action` while holding the lock file at `path`; a lock whose process is gone is taken over. */
export async function withStartLock<T>(path: string, action: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + waitMsMax;
  while (held.has(path)) await pauseUntil(deadline, path);
  held.add(path);
  try {
    while (!(await take(path))) {
      if (!(await removeStale(path))) await pauseUntil(deadline, path);
    }
    try {
      return await action();
    } finally {
      await unlink(path).catch(ignoreMissing);
    }
  } finally {
    held.delete(path);
  }
}

async function pauseUntil(deadline: number, path: string): Promise<void> {
  if (Date.now() > deadline) {
    throw new IsochronError(
      "store-in-use",
      `Another process has been starting the store for ${waitMsMax / 1000} s (${path}).`,
      "End that process, or delete the lock file if it is gone.",
    );
  }
  await pause(pollMs);
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

/** Takes the lock file away when its process is gone. Two may find so at once: only the one it was is taken. */
async function removeStale(path: string): Promise<boolean> {
  // Only a lock that is gone may be taken at once: one that cannot be read would be asked for without end.
  const text = await readFile(path, "utf8").catch(ignoreMissing);
  if (text === undefined) return true;
  if (!(await isStale(path, text))) return false;
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
  } catch (error) {
    ignoreMissing(error as NodeJS.ErrnoException);
    return true;
  }
  if ((await readFile(aside, "utf8")) !== text) await link(aside, path).catch(() => undefined);
  await unlink(aside);
  return true;
}

async function isStale(path: string, text: string): Promise<boolean> {
  const pid = Number(text.trim());
  if (pid === process.pid) return true;
  if (Number.isInteger(pid) && pid > 0) return !isAlive(pid);
  // The file is made and written in two steps: an empty one is stale only when it stays empty.
  const made = await stat(path).catch(() => undefined);
  return made !== undefined && Date.now() - made.mtimeMs > emptyMsMax;
}

/** Whether the process runs; one that has ended and merely waits for its parent to notice does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  try {
    const state = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(state.slice(state.lastIndexOf(")") + 2));
  } catch {
    // No such folder outside Linux.
    return true;
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
