import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { loadConfig } from "../src/config.ts";
import { createLog } from "../src/log.ts";
import { openIsochron } from "../src/main.ts";
import { readOptions } from "../test/command-options.ts";

/**
 * How fast a recording is imported: read, cleaned, attributed, indexed and stored once, as a ratio to PostgreSQL's own
 * `COPY` of the very event rows that come out, into a plain table of the same server in the same run.
 * Usage: `npm run bench:ingest -- --data DIR [--rounds N]`, where DIR has `notifications.jsonl.gz`.
 */

/** One round: seconds, and what they were for. */
interface Round {
  readonly records: number;
  readonly events: number;
  readonly importSeconds: number;
  readonly againSeconds: number;
  readonly copySeconds: number;
}

const copiesPerRound = 5;

async function measure(path: string): Promise<Round> {
  const data = await mkdtemp(join(tmpdir(), "isochron-bench-"));
  const config = loadConfig({ env: {}, flags: { data, log_level: "error" } });
  const log = createLog({ level: "error", format: "json", colour: false });
  const isochron = await openIsochron(config, log, { version: "bench" });
  try {
    const source = "openstack-notifications";
    const take = () => isochron.importFile({ source, connection: source, controlPlane: "default", path });
    const first = await timed(take);
    const again = await timed(take);
    const copy = await measureCopy(data);
    return {
      records: first.result.records,
      events: copy.events,
      importSeconds: first.seconds,
      againSeconds: again.seconds,
      copySeconds: copy.seconds,
    };
  } finally {
    await isochron.close();
    await rm(data, { recursive: true, force: true });
  }
}

/** Copies the stored events from a file into a table without index or policy, and gives the median time of it. */
async function measureCopy(data: string): Promise<{ events: number; seconds: number }> {
  const client = new pg.Client({ host: join(data, "run"), user: "isochron_admin", database: "isochron" });
  await client.connect();
  try {
    // The server's own folder is where it may write for certain.
    const file = client.escapeLiteral(join(data, "postgres", "events.copy"));
    const written = await client.query(`COPY (SELECT * FROM isochron.event) TO ${file}`);
    const times: number[] = [];
    for (let copy = 0; copy < copiesPerRound; copy++) {
      await client.query("CREATE TABLE public.plain (LIKE isochron.event)");
      times.push((await timed(() => client.query(`COPY public.plain FROM ${file}`))).seconds);
      await client.query("DROP TABLE public.plain");
    }
    return { events: written.rowCount ?? 0, seconds: median(times) };
  } finally {
    await client.end();
  }
}

async function timed<T>(act: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const began = performance.now();
  const result = await act();
  return { result, seconds: (performance.now() - began) / 1000 };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

function printResults(rounds: readonly Round[]): void {
  const { records, events } = rounds[0]!;
  const middle = (pick: (round: Round) => number) => median(rounds.map(pick));
  const copyRate = middle((round) => events / round.copySeconds);
  const lines: readonly (readonly [string, number, number])[] = [
    ["`COPY` of the event rows into a plain table", events, copyRate],
    ["import into an empty store", events, middle((round) => events / round.importSeconds)],
    ["the same import again, which changes nothing", events, middle((round) => events / round.againSeconds)],
  ];
  console.log(`${records} records, ${events} events, median of ${rounds.length} rounds\n`);
  console.log("| what | events | events/s | ratio to COPY |\n|---|---:|---:|---:|");
  for (const [what, count, rate] of lines) {
    console.log(`| ${what} | ${count} | ${Math.round(rate)} | ${(rate / copyRate).toFixed(3)} |`);
  }
}

const usage = "npm run bench:ingest -- --data DIR [--rounds N]";

async function main(): Promise<number> {
  const values = readOptions(usage, { data: { type: "string" }, rounds: { type: "string", default: "3" } });
  const rounds = Number(values.rounds);
  const path = join(values.data ?? "", "notifications.jsonl.gz");
  if (values.data === undefined || !Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
    console.error(`Usage: ${usage}`);
    return 2;
  }
  if (!existsSync(path)) {
    console.error(`${values.data} holds no notifications.jsonl.gz`);
    return 2;
  }
  const results: Round[] = [];
  for (let round = 0; round < rounds; round++) results.push(await measure(path));
  printResults(results);
  return 0;
}

process.exitCode = await main();
