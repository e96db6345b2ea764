import { globSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HealthJson, SourcesJson } from "../../src/present/api/contract.ts";
import { eventually } from "../eventually.ts";
import { askIsochron, RunningIsochron, type CommandOptions } from "../isochron-command.ts";

let folder: string;
let data: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isochron-demo-"));
  data = join(folder, "data");
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const options = (): CommandOptions => ({ cwd: folder });

async function startDemo(): Promise<{ demo: RunningIsochron; url: string }> {
  const demo = new RunningIsochron(["demo", "--port", "0", "--data", data], options());
  const [, url = ""] = await demo.printed(/shows a recorded incident at (\S+)/);
  return { demo, url };
}

/** Processes of this machine whose command line or working folder lies in the data folder. */
async function processesIn(path: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    // A process may end while it is being looked at.
    const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (words.includes(path)) found.push(`${pid} ${words.replaceAll("\0", " ")}`);
  }
  return found;
}

async function contents(): Promise<{ digest: string; counts: unknown }> {
  const digest = await askIsochron(["doctor", "--digest", "--data", data], options());
  const sources = JSON.parse(
    await askIsochron(["sources", "-o", "json", "--data", data], options()),
  ) as SourcesJson;
  return { digest, counts: sources.connections.map(({ connection, counts }) => [connection, counts]) };
}

describe("the demo", () => {
  let first: Awaited<ReturnType<typeof contents>>;

  test("starts in an empty folder, answers, and says in three lines what to try", async () => {
    const { demo, url } = await startDemo();
    const health = (await (await fetch(new URL("/api/v1/health", url))).json()) as HealthJson;
    expect(health.status).toBe("ok");
    const { code, stdout } = await demo.end("SIGTERM");
    expect(code).toBe(0);
    expect(stdout.split("\n").filter((line) => /^ {2}\d\. /.test(line))).toHaveLength(3);
  });

  test("leaves no process behind when it is told to end", async () => {
    expect(await processesIn(data)).toEqual([]);
    first = await contents();
    expect(JSON.stringify(first.counts)).toContain("openstack-notifications");
    expect(await processesIn(data)).toEqual([]);
  });

  test("started again, changes nothing", async () => {
    const { demo } = await startDemo();
    const { code } = await demo.end("SIGINT");
    expect(code).toBe(0);
    expect(await contents()).toEqual(first);
  });

  test("takes its database with it when it is killed with -9, and starts again unharmed", async () => {
    const { demo } = await startDemo();
    expect(await processesIn(join(data, "postgres"))).not.toEqual([]);
    await demo.end("SIGKILL");
    await eventually("no process is left", async () => (await processesIn(data)).length === 0);
    const { demo: next } = await startDemo();
    await next.end("SIGTERM");
    expect(await contents()).toEqual(first);
  });

  test("killed while it loads the recording for the first time, ends up the same", async () => {
    const untouched = data;
    data = join(folder, "killed");
    for (const moment of ["postgres.new*/base", "postgres/postmaster.pid"]) {
      const demo = new RunningIsochron(["demo", "--port", "0", "--data", data], options());
      await eventually(`there is ${moment}`, () => {
        if (!demo.running) throw new Error(`ended before there was ${moment}: ${demo.stderr}`);
        return globSync(join(data, moment)).length > 0;
      });
      await demo.end("SIGKILL");
    }
    const { demo } = await startDemo();
    await demo.end("SIGTERM");
    const { digest } = await contents();
    expect(digest).toBe(first.digest);
    data = untouched;
  });
});
