import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { IsochronError } from "../../errors.ts";
import { explainRefusal, makeFolder } from "./embedded-data.ts";
import { startEmbedded } from "./embedded.ts";
import { withStartLock } from "./start-lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "isochron-data-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a folder is made with those above it, for its owner alone, and once", async () => {
  const path = join(folder, "a", "b");
  expect(await makeFolder(path)).toBe(true);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
  expect(await makeFolder(path)).toBe(false);
  await writeFile(join(folder, "file"), "");
  await expect(makeFolder(join(folder, "file"))).rejects.toMatchObject({ code: "EEXIST" });
});

test.runIf(process.platform === "linux")("a place that takes no folders is refused at once", async () => {
  const start = startEmbedded("/proc/isochron/data", () => undefined);
  await expect(start).rejects.toMatchObject({ code: "store-unavailable" });
});

test("what the system refuses is explained, and any other error stays as it is", () => {
  for (const code of ["EACCES", "EPERM", "EROFS"]) {
    const explained = explainRefusal("/theirs", Object.assign(new Error("no"), { code }));
    expect(explained).toBeInstanceOf(IsochronError);
    expect((explained as IsochronError).remedy).toContain("--data");
  }
  const bug = new TypeError("a bug");
  expect(explainRefusal("/theirs", bug)).toBe(bug);
});

test.runIf(process.getuid?.() === 0 && process.platform === "linux")(
  "another user's data folder is refused with what to do, without a stack trace",
  async () => {
    await chmod(folder, 0o755);
    const theirs = join(folder, "theirs");
    await mkdir(theirs, { mode: 0o700 });
    const program = `
      import { startEmbedded } from ${JSON.stringify(new URL("./embedded.ts", import.meta.url).pathname)};
      process.setgid(65534); process.setuid(65534);
      await startEmbedded(${JSON.stringify(theirs)}, () => undefined).catch((error) => console.log(error.code, error.remedy));`;
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    expect(stdout).toMatch(/^store-unavailable .*--data/);
  },
);

test("a lock that cannot be read ends the start instead of turning round for ever", async () => {
  const path = join(folder, "start.lock");
  await mkdir(path);
  await expect(withStartLock(path, async () => undefined)).rejects.toMatchObject({ code: "EISDIR" });
});
