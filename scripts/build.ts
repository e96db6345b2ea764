/**
 * Compiles the code that runs on the server and in the terminal into `dist`, and lays the files beside it
 * that it reads. Installed packages need this because Node strips no types under `node_modules`.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = join(root, "src");
const target = join(root, "dist");

/** Files that the program reads at run time: all but code, tests' fixtures and the web pages' own. */
function isAsset(path: string): boolean {
  if (path.startsWith(join("present", "web"))) return false;
  return !/\.(ts|tsx)$|\.fixture\.|__snapshots__|\.snap$/.test(path);
}

/** Vite owns `dist/web`; everything else is made anew, so that nothing deleted lives on in a package. */
function clearTarget(): void {
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(target)) {
    if (name !== "web") rmSync(join(target, name), { recursive: true, force: true });
  }
}

function compile(): void {
  const compiler = join(root, "node_modules", ".bin", "tsc");
  const run = spawnSync(compiler, ["--project", join(root, "tsconfig.build.json")], {
    cwd: root,
    stdio: "inherit",
  });
  if (run.error !== undefined) throw run.error;
  if (run.status !== 0) process.exit(1);
}

function copyAssets(): void {
  for (const entry of readdirSync(sources, { recursive: true, withFileTypes: true })) {
    const path = relative(sources, join(entry.parentPath, entry.name));
    if (!entry.isFile() || !isAsset(path)) continue;
    cpSync(join(sources, path), join(target, path));
  }
}

clearTarget();
compile();
copyAssets();
