import { execFile } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { plainEnvironment, RunningIsochron, type CommandOptions } from "../isochron-command.ts";

const run = promisify(execFile);
const checkout = fileURLToPath(new URL("../../", import.meta.url));
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

let folder: string;
let command: string;

/** Packs the checkout and installs the package where every user may read it. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isochron-package-"));
  await chmod(folder, 0o755);
  await run("npm", ["pack", "--pack-destination", folder], { cwd: checkout, env: plainEnvironment() });
  const archive = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  const place = join(folder, "place");
  await mkdir(place);
  await writeFile(join(place, "package.json"), "{}");
  const install = ["install", "--no-audit", "--no-fund", "--prefer-offline", join(folder, archive ?? "")];
  await run("npm", install, { cwd: place, env: plainEnvironment() });
  command = join(place, "node_modules/.bin/isochron");
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs the installed command as the given user, in a home of that user's own. */
async function asUser(
  user: "root" | "ordinary",
): Promise<{ options: CommandOptions; prefix: readonly string[] }> {
  const home = join(folder, `home-${user}`);
  await mkdir(home, { recursive: true, mode: 0o700 });
  const options = { cwd: home, env: { HOME: home } };
  if (user === "root" || !isRoot) return { options: { ...options, command }, prefix: [] };
  await chown(home, nobody, nobody);
  const prefix = [`--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", command];
  return { options: { ...options, command: "setpriv" }, prefix };
}

const users = isRoot ? (["root", "ordinary"] as const) : (["ordinary"] as const);

describe.each(users)("the installed package, run by the %s user", (user) => {
  test("tells its version", async () => {
    const { options, prefix } = await asUser(user);
    const { code, stdout, stderr } = await new RunningIsochron([...prefix, "--version"], options).finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("serves the demo with its web pages", async () => {
    const { options, prefix } = await asUser(user);
    const demo = new RunningIsochron([...prefix, "demo", "--port", "0"], options);
    const [, url = ""] = await demo.printed(/shows a recorded incident at (\S+)/);
    const page = await (await fetch(url)).text();
    expect(page).toContain("<script");
    const health = (await (await fetch(new URL("/api/v1/health", url))).json()) as { status: string };
    expect(health.status).toBe("ok");
    const { code } = await demo.end("SIGTERM");
    expect(code).toBe(0);
  });
});

test("the package holds what runs, and no tests or sources", async () => {
  const place = join(folder, "place/node_modules/isochron");
  const files = await readdir(place, { recursive: true });
  expect(files).toContain("dist/cli.js");
  expect(files).toContain("dist/web/index.html");
  expect(files.filter((name) => /\.test\.|^src\/|^test\//.test(name))).toEqual([]);
});
