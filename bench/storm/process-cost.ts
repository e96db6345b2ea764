import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

const ticksPerSecond = 100;

/** The most memory that a process ever held (`VmHWM`), in MiB. */
export async function peakMibOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024;
}

/** Seconds of processor time that a process has used, with those of its children that still run and those that ended. */
export async function cpuSecondsOf(pid: number): Promise<number> {
  let ticks = 0;
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const fields = await fieldsOf(name);
    // proc(5): parent, and own and waited-for children's time in user and kernel mode.
    const [parent, user = 0, kernel = 0, children = 0, childrenKernel = 0] = [1, 11, 12, 13, 14].map(
      (field) => Number(fields[field]),
    );
    if (Number(name) === pid) ticks += user + kernel + children + childrenKernel;
    else if (parent === pid) ticks += user + kernel;
  }
  return ticks / ticksPerSecond;
}

/** What follows the name in `stat`; nothing for a process that has ended meanwhile. */
async function fieldsOf(pid: string): Promise<readonly string[]> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}

/** The server process of the embedded database that lies somewhere below `folder`. */
export async function databasePid(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true });
  const file = files.find((path) => path.endsWith("postmaster.pid"));
  if (file === undefined) throw new Error(`No database runs in ${folder}.`);
  return Number((await readFile(join(folder, file), "utf8")).split("\n")[0]);
}
