import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const launcher = fileURLToPath(new URL("../bin/isochron", import.meta.url));
/** Folders of the shell's own tools, without any Node. */
const tools = "/usr/bin:/bin";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "isochron-bin-"));
});
afterEach(() => rmSync(root, { recursive: true }));

/** A stand-in for Node that tells who it is and what it was given. */
function putNode(folder: string, version: string, name: string): void {
  mkdirSync(folder, { recursive: true });
  const script = `#!/bin/sh\nif [ "$1" = --version ]; then echo v${version}; else echo ${name} "$@"; fi\n`;
  writeFileSync(join(folder, "node"), script);
  chmodSync(join(folder, "node"), 0o755);
}

function putNpmNode(folder: string, version: string, name: string): void {
  putNode(join(folder, "node_modules/node/bin"), version, name);
  writeFileSync(
    join(folder, "node_modules/node/package.json"),
    `{\n  "name": "node",\n  "version": "${version}"\n}`,
  );
}

function putPackage(folder: string, entry: string): string {
  mkdirSync(join(folder, "bin"), { recursive: true });
  cpSync(launcher, join(folder, "bin/isochron"));
  mkdirSync(join(folder, entry, ".."), { recursive: true });
  writeFileSync(join(folder, entry), "");
  return join(folder, "bin/isochron");
}

function start(command: string, path: string, cwd = root) {
  // A tool folder may hold a Node of its own, so an old one goes before it.
  const run = spawnSync("/bin/sh", [command, "events", "two words"], {
    cwd,
    env: { PATH: path },
    encoding: "utf8",
  });
  return { status: run.status, stdout: run.stdout.trim(), stderr: run.stderr.trim() };
}

describe("bin/isochron", () => {
  test("works from the checkout, through symbolic links, from another folder", () => {
    mkdirSync(join(root, "a"));
    symlinkSync(launcher, join(root, "a/inner"));
    symlinkSync("a/inner", join(root, "isochron"));
    putNode(join(root, "old"), "18.20.0", "old");
    const run = spawnSync(join(root, "isochron"), ["--version"], {
      cwd: root,
      env: { PATH: `${join(root, "old")}:${tools}` },
      encoding: "utf8",
    });
    expect(run).toMatchObject({ status: 0, stderr: "" });
    expect(run.stdout).toMatch(/^\d+\.\d+\.\d+/);
  });

  test("an installed package runs its compiled program on the Node that npm hoisted", () => {
    const folder = join(root, "app/node_modules/isochron");
    putPackage(folder, "dist/cli.js");
    putNpmNode(join(root, "app"), "26.1.0", "hoisted");
    mkdirSync(join(root, "app/node_modules/.bin"));
    symlinkSync("../isochron/bin/isochron", join(root, "app/node_modules/.bin/isochron"));
    putNode(join(root, "old"), "18.20.0", "old");
    const run = start(join(root, "app/node_modules/.bin/isochron"), `${join(root, "old")}:${tools}`);
    const entry = join(folder, "dist/cli.js");
    expect(run.stdout).toBe(`hoisted --disable-warning=ExperimentalWarning ${entry} events two words`);
  });

  test("an old Node that another package brought is passed over", () => {
    const command = putPackage(join(root, "app/package"), "src/cli.ts");
    putNpmNode(join(root, "app/package"), "18.0.0", "too-old");
    putNpmNode(root, "24.2.0", "further-up");
    putNode(join(root, "old"), "18.20.0", "old");
    expect(start(command, `${join(root, "old")}:${tools}`).stdout).toMatch(
      /^further-up .*package\/src\/cli\.ts/,
    );
  });

  test("a Node on PATH will do where it is recent enough", () => {
    const command = putPackage(join(root, "package with space"), "src/cli.ts");
    putNode(join(root, "new"), "24.0.0", "path");
    expect(start(command, `${join(root, "new")}:${tools}`).stdout).toMatch(
      /^path .*package with space\/src\/cli\.ts/,
    );
  });

  test("an old Node alone, or a missing program, ends with what to do", () => {
    const command = putPackage(join(root, "package"), "src/cli.ts");
    putNode(join(root, "old"), "20.9.0", "old");
    const old = start(command, `${join(root, "old")}:${tools}`);
    expect(old).toMatchObject({ status: 1, stdout: "" });
    expect(old.stderr).toMatch(/Node v20\.9\.0 on PATH is too old\. Run `npm ci`/);
    rmSync(join(root, "package/src/cli.ts"));
    putNode(join(root, "new"), "24.0.0", "path");
    expect(start(command, `${join(root, "new")}:${tools}`).stderr).toContain("the program is missing");
  });

  test("links that lead in a circle end", () => {
    const command = putPackage(join(root, "package"), "src/cli.ts");
    rmSync(command);
    symlinkSync("other", command);
    symlinkSync("isochron", join(root, "package/bin/other"));
    const run = spawnSync("/bin/sh", ["-c", `. "${launcher}"`, command], {
      env: { PATH: tools },
      encoding: "utf8",
    });
    expect(run.status).toBe(1);
    expect(run.stderr).toContain("too many symbolic links");
  });
});
