import Table from "cli-table3";
import { useTestServer } from "../database.ts";
import { startTestServer } from "../database-server.ts";
import { readOptions } from "../command-options.ts";
import { Counts, type Count, type Part, type Size } from "./report.ts";

const usage = `npm run isolation -- [--short] [--json] [--parts a,b]`;

const values = readOptions(usage, {
  short: { type: "boolean", default: false },
  json: { type: "boolean", default: false },
  parts: { type: "string" },
});

/** Each part with how many it promises to try; fewer is a failure, as a wrong one is. */
const promised: Readonly<Record<string, Readonly<Record<Size, number>>>> = {
  matrix: { short: 5_000, full: 5_000 },
  worlds: { short: 1_500, full: 60_000 },
  interference: { short: 600, full: 30_000 },
  timing: { short: 6_400, full: 60_000 },
  "api-mutants": { short: 10, full: 10 },
  "direct-sql": { short: 3_300, full: 3_300 },
  "wall-mutants": { short: 40, full: 40 },
  pool: { short: 1_000, full: 10_000 },
  "audit-tamper": { short: 900, full: 4_600 },
};

interface Outcome {
  readonly part: string;
  readonly counts: readonly Count[];
  readonly tried: number;
  readonly wrong: number;
  readonly promised: number;
  readonly seconds: number;
  /** Why the part could not be run to its end. */
  readonly failed?: string;
}

async function runPart(part: string, size: Size): Promise<Outcome> {
  const began = performance.now();
  const counts = new Counts();
  let failed: string | undefined;
  try {
    const { run } = (await import(`./${part}.ts`)) as Part;
    await run(counts, size);
  } catch (error) {
    // A part that breaks is told beside the others' counts, and fails the whole.
    failed = error instanceof Error ? (error.stack ?? error.message) : String(error);
  }
  const { all, tried, wrong } = counts;
  const seconds = Math.round((performance.now() - began) / 100) / 10;
  return {
    part,
    counts: all,
    tried,
    wrong,
    promised: promised[part]?.[size] ?? 1,
    seconds,
    ...(failed === undefined ? {} : { failed }),
  };
}

function isWell({ wrong, tried, promised: least, failed }: Outcome): boolean {
  return failed === undefined && wrong === 0 && tried >= least;
}

function print(outcomes: readonly Outcome[]): void {
  const table = new Table({
    head: ["part", "what", "tried", "wrong", "seconds"],
    style: { head: [], border: [] },
  });
  for (const { part, counts, seconds, tried, wrong } of outcomes) {
    table.push([part, "", String(tried), String(wrong), seconds.toFixed(1)]);
    for (const count of counts) table.push(["", count.name, String(count.tried), String(count.wrong), ""]);
  }
  console.log(table.toString());
  for (const outcome of outcomes) {
    for (const { name, detail, wrong } of outcome.counts) {
      if (detail !== undefined)
        console.log(`${wrong === 0 ? "note" : "WRONG"} ${outcome.part}, ${name}: ${detail}`);
    }
    if (outcome.failed !== undefined) console.log(`FAILED ${outcome.part}: ${outcome.failed}`);
    else if (outcome.tried < outcome.promised)
      console.log(`FAILED ${outcome.part}: ${outcome.tried} tried, ${outcome.promised} promised`);
  }
}

async function main(): Promise<number> {
  const names = values.parts?.split(",") ?? Object.keys(promised);
  const unknown = names.filter((name) => promised[name] === undefined);
  if (unknown.length > 0) throw new Error(`there is no part ${unknown.join(", ")}`);
  const server = await startTestServer();
  useTestServer(server);
  const outcomes: Outcome[] = [];
  for (const name of names) {
    if (!values.json) console.error(`# ${name}`);
    outcomes.push(await runPart(name, values.short ? "short" : "full"));
  }
  if (values.json) console.log(JSON.stringify(outcomes, undefined, 2));
  else print(outcomes);
  await server.stop();
  return outcomes.every(isWell) ? 0 : 1;
}

// Connections that a broken part left behind have nobody else to tell that the server is gone.
process.on("uncaughtException", (error: Error & { code?: unknown }) => {
  if (error.code !== "57P01") throw error;
});

process.exit(await main());
