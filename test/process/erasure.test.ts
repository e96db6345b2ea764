import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { EventJson } from "../../src/present/api/contract.ts";
import { eventually } from "../eventually.ts";
import { askIsochron, RunningIsochron } from "../isochron-command.ts";
import { embeddedStore, externalStore, type TestStore } from "../outside-store.ts";
import { readRecording, recording } from "./broken-lines.ts";

/** A server of ISOCHRON_TEST_DATABASE_URL is dumped by its own tools; the embedded one brings none that could. */
const server = process.env["ISOCHRON_TEST_DATABASE_URL"];
const pgDump = process.env["PG_DUMP"] ?? "/usr/lib/postgresql/15/bin/pg_dump";

let folder: string;
let data: string;
let store: TestStore;
let args: readonly string[];
/** All that any process printed. */
let printed = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "isochron-erasure-"));
  if (server === undefined) {
    const embedded = await embeddedStore();
    ({ data } = embedded);
    store = embedded;
  } else {
    data = folder;
    store = await externalStore(server, `isochron_erasure_${process.pid}`);
  }
  ({ args } = store);
});

afterAll(async () => {
  await store.remove();
  await rm(folder, { recursive: true, force: true });
});

function ask(...command: readonly string[]): Promise<string> {
  return askIsochron([...command, ...args], { cwd: folder });
}

async function eventsOf(...options: readonly string[]): Promise<readonly EventJson[]> {
  const text = await ask("events", "--all", "-o", "ndjson", ...options);
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as EventJson]));
}

/** The id that stands most often after one of the names in the recording. */
function mostNamed(pattern: RegExp): string {
  const counts = new Map<string, number>();
  for (const line of readRecording())
    for (const [, id = ""] of line.matchAll(pattern)) counts.set(id, (counts.get(id) ?? 0) + 1);
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  if (most === undefined) throw new Error(`the recording has nothing like ${pattern}`);
  return most[0];
}

/** The whole database as text: as it is dumped, else every row of every table of the catalogue. */
async function dump(client: pg.Client): Promise<string> {
  if (server !== undefined) {
    const url = args[args.indexOf("--database-url") + 1] ?? "";
    const options = { maxBuffer: 500_000_000 };
    return (await promisify(execFile)(pgDump, ["--inserts", url], options)).stdout;
  }
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'm') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${name} t`);
    texts.push(...rows.map(({ row }) => row));
  }
  return texts.join("\n");
}

/** Files beside the database's own, and PostgreSQL's log. */
async function filesOf(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  const cluster = join(path, "postgres");
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(cluster))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** With a server that runs, and with it its database. */
async function whileServing<Result>(act: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const serving = new RunningIsochron(["serve", "--port", "0", ...args], { cwd: folder });
  try {
    await serving.printed(/Isochron listens on \S+/);
    const client = await store.connect();
    try {
      return await act(client);
    } finally {
      await client.end();
    }
  } finally {
    const { stdout, stderr } = await serving.end("SIGTERM");
    printed += stdout + stderr;
  }
}

/** Until then what told open streams names the erased. */
async function letAnHourPass(): Promise<void> {
  await whileServing(async (client) => {
    await client.query("UPDATE isochron.erasure SET done_at = done_at - interval '2 hours'");
    await client.query("UPDATE isochron.retention_state SET passed_at = NULL");
  });
  await whileServing((client) =>
    eventually("a pass has been made", async () => {
      const { rows } = await client.query(
        "SELECT FROM isochron.erasure WHERE done_at IS NULL OR cardinality(reader_keys) > 0",
      );
      return rows.length === 0;
    }),
  );
}

/** Of what is given, what still stands anywhere: in the database, in its bytes as hex, in files, in what was printed. */
async function leftOf(words: readonly string[]): Promise<readonly string[]> {
  const places = new Map([["the database", (await whileServing(dump)).toLowerCase()]]);
  places.set("what was printed", printed);
  for (const file of await filesOf(data)) places.set(file, (await readFile(file)).toString("latin1"));
  return [...places].flatMap(([place, content]) =>
    words
      .filter((word) => content.includes(word) || content.includes(Buffer.from(word).toString("hex")))
      .map((word) => `${word} in ${place}`),
  );
}

test("whom an erasure was of stands in no table, dump, record set aside, search, export, file or log, also when all is told again", async () => {
  const projectId = mostNamed(/tenant_id\\+": \\+"([0-9a-f]{32})/g);
  const userId = mostNamed(/[^a-z]user_id\\+": \\+"([0-9a-f]{32})/g);
  const spoilt = join(folder, "spoilt.jsonl");
  const takeIn = async (): Promise<void> => {
    await writeFile(
      spoilt,
      `{"body": "{\\"tenant_id\\": \\"${projectId}\\", \\"user_id\\": \\"${userId}\\"\n`,
    );
    for (const path of [recording, spoilt]) await ask("import", "--source", "openstack-notifications", path);
    await rm(spoilt);
  };
  await takeIn();
  const before = await eventsOf();
  const owned = JSON.parse(await ask("erase", "--project", projectId, "--dry-run", "-o", "json")) as {
    events: number;
    set_aside: number;
  };
  expect(owned.events).toBeGreaterThan(10);
  expect(owned.set_aside).toBe(1);
  const servers = new Set(
    before.flatMap(({ subject, attribution }) =>
      subject.kind === "server" &&
      attribution?.status === "owned" &&
      JSON.stringify(attribution).includes(projectId)
        ? [subject.id]
        : [],
    ),
  );
  expect(servers.size).toBeGreaterThan(0);
  const words = [projectId, userId, ...servers];
  expect((await leftOf(words)).length).toBeGreaterThanOrEqual(words.length);

  for (const target of [
    ["--project", projectId],
    ["--user", userId],
  ])
    printed += await ask("erase", ...target, "--why", "they asked for it", "-o", "json");
  await letAnHourPass();
  expect(await leftOf(words)).toEqual([]);

  await takeIn();
  expect(await leftOf(words)).toEqual([]);
  const after = await eventsOf();
  expect(after.length).toBeGreaterThan(0);
  expect(await eventsOf("--query", projectId)).toEqual([]);
  const exported = await ask("export", "--project", projectId, "-o", "-");
  expect(exported).not.toMatch(/"event":/);
  expect(JSON.stringify(after)).not.toContain(projectId);
}, 280_000);
