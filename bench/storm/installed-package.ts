import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const checkout = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Lays this checkout out in `folder` as an installed package and gives its command. A checkout's own command strips the
 * types of its sources at each start, and the stripper alone takes a hundred megabytes that no installation has.
 */
export async function installPackage(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const compiler = join(checkout, "node_modules/.bin/tsc");
  const target = join(folder, "dist");
  const compiled = spawnSync(
    compiler,
    ["--project", join(checkout, "tsconfig.build.json"), "--outDir", target],
    {
      cwd: checkout,
      encoding: "utf8",
    },
  );
  // What is not well typed runs all the same; whoever measures is not the one to check that.
  if (!existsSync(join(target, "cli.js"))) throw new Error(`The sources do not compile:\n${compiled.stdout}`);
  const migrations = "store/postgres/migrations";
  await cp(join(checkout, "src", migrations), join(target, migrations), { recursive: true });
  await cp(join(checkout, "bin"), join(folder, "bin"), { recursive: true });
  await cp(join(checkout, "package.json"), join(folder, "package.json"));
  await symlink(join(checkout, "node_modules"), join(folder, "node_modules"));
  return join(folder, "bin/isochron");
}
