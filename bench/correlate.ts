import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { startEmbedded } from "../src/store/postgres/embedded.ts";
import { memorySettings, usableMemory } from "../src/store/postgres/embedded-memory.ts";
import { openStore } from "../src/store/postgres/open.ts";
import { readOptions } from "../test/command-options.ts";
import { estateBegin, loadEstate } from "./correlate/estate.ts";
import { askAll, type Timing } from "./correlate/questions.ts";

/**
 * How long "what else changed?" and the blast radius take, in an embedded store of so many events, and how the times of the
 * sizes stand to each other: of those given, the last to the first. The estate is made up and loaded by SQL, without the indexes that text search alone needs.
 */
const usage = "npm run bench:correlate -- [--events N]… [--questions N] [--folder DIR] [--json]";

const options = readOptions(usage, {
  events: { type: "string", multiple: true, default: ["1000000", "10000000"] },
  questions: { type: "string", default: "60" },
  /** A folder to keep a store in, by its size, and to find it again. */
  folder: { type: "string" },
  json: { type: "boolean", default: false },
});

interface Measured {
  readonly events: number;
  /** Of the last minute before the questions, and after them: what else the machine did. */
  readonly load: readonly [before: number, after: number];
  readonly postgres: string;
  readonly timings: readonly Timing[];
}

const on = {
  cores: availableParallelism(),
  memoryMegabytes: Math.round(usableMemory() / 2 ** 20),
  node: process.version,
};

const say = (line: string): void => void (options.json === true || console.error(line));

async function measure(events: number): Promise<Measured> {
  const kept = options.folder === undefined ? undefined : join(options.folder, `estate-${events}`);
  const folder = kept ?? (await mkdtemp(join(tmpdir(), "isochron-bench-")));
  const settings = ["max_wal_size=8GB", "full_page_writes=off", "autovacuum=off"];
  const server = await startEmbedded(folder, () => undefined, [
    ...memorySettings(usableMemory()),
    ...settings,
  ]);
  try {
    const open = () => openStore({ dataDir: folder });
    await (await open()).close();
    const sql = new pg.Client(server.admin);
    await sql.connect();
    try {
      const { rows } = await sql.query("SELECT FROM isochron.event LIMIT 1");
      if (rows.length === 0)
        await loadEstate(sql, { events, beginsAt: estateBegin }, (done) =>
          say(`${done} of ${events} events`),
        );
      const version = await sql.query<{ server_version: string }>("SHOW server_version");
      const before = loadavg()[0] ?? 0;
      const timings = await askAll(open, sql, Number(options.questions));
      const postgres = version.rows[0]?.server_version ?? "";
      return { events, load: [before, loadavg()[0] ?? 0], postgres, timings };
    } finally {
      await sql.end();
    }
  } finally {
    await server.stop();
    if (kept === undefined) await rm(folder, { recursive: true, force: true });
  }
}

function print(measured: readonly Measured[]): void {
  const [first] = measured;
  const loads = measured.map(
    ({ events, load }) => `${load.map((one) => one.toFixed(1)).join(" before and ")} after at ${events}`,
  );
  const asked = first?.timings[0]?.asked ?? 0;
  console.log(
    `${asked} questions of each kind after the first few; ${on.cores} cores, ${on.memoryMegabytes} MB; ` +
      `PostgreSQL ${first?.postgres}; load ${loads.join(", ")}\n`,
  );
  const [small, large] = [measured.at(0), measured.at(-1)];
  console.log(
    "| question | " +
      measured.map(({ events }) => `p50, p95 ms at ${events} | pages`).join(" | ") +
      " | p95 ratio | pages ratio |",
  );
  console.log(`|---|${measured.map(() => "---:|---:").join("|")}|---:|---:|`);
  for (const { question } of first?.timings ?? []) {
    const of = (one: Measured | undefined) => one?.timings.find((timing) => timing.question === question);
    const cells = measured.map(
      (one) => `${of(one)?.p50.toFixed(0)}, ${of(one)?.p95.toFixed(0)} | ${of(one)?.pages}`,
    );
    const ratio = (what: "p95" | "pages") => ((of(large)?.[what] ?? 0) / (of(small)?.[what] ?? 1)).toFixed(2);
    console.log(`| ${question} | ${cells.join(" | ")} | ${ratio("p95")} | ${ratio("pages")} |`);
  }
}

const measured: Measured[] = [];
for (const events of options.events) measured.push(await measure(Number(events)));
if (options.json === true) console.log(JSON.stringify({ on, measured }));
else print(measured);
