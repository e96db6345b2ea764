import Table from "cli-table3";
import { readOptions } from "../command-options.ts";
import type { HistoryOutcome } from "./history-outcome.ts";
import type { Hunt } from "./mutant-hunt.ts";
import { huntMutant, runSideBySide } from "./mutant-hunt.ts";
import type { Mutant } from "./mutants.ts";
import { mutants } from "./mutants.ts";
import type { Site } from "./site.ts";
import { runSeeds, type SeedTask } from "./seed-task.ts";
import { Tally } from "./tally.ts";

const usage = `npm run simulate -- [--seed S] [--histories N] [--mutants] [--kind SCENARIO] [--sites a,b] [--minutes M]
                    [--processes P] [--trace]`;

const values = readOptions(usage, {
  seed: { type: "string" },
  histories: { type: "string", default: "1000" },
  mutants: { type: "boolean", default: false },
  kind: { type: "string" },
  sites: { type: "string" },
  minutes: { type: "string" },
  processes: { type: "string", default: "2" },
  trace: { type: "boolean", default: false },
});

const seed = Number(values.seed ?? "1");
const histories = Number(values.histories);
const processes = Number(values.processes);

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function settings(): Pick<SeedTask, "kind" | "sites" | "busyMs"> {
  return {
    ...(values.kind === undefined ? {} : { kind: values.kind }),
    ...(values.sites === undefined ? {} : { sites: values.sites.split(",").filter(Boolean) as Site[] }),
    ...(values.minutes === undefined ? {} : { busyMs: Number(values.minutes) * 60_000 }),
  };
}

async function runAll(): Promise<void> {
  const tally = new Tally();
  const begun = performance.now();
  const lanes = Array.from({ length: Math.min(processes, histories) }, (_one, lane) => lane);
  await runSideBySide(lanes, lanes.length, async (lane) => {
    const task = { from: seed + lane, count: histories - lane, step: lanes.length, ...settings() };
    await runSeeds({ ...task, trace: values.trace }, (outcome) => {
      tally.add(outcome);
      if (values.trace) say(outcome.trace.join("\n"));
    });
  });
  const seconds = (performance.now() - begun) / 1000;
  const lines = tally.lines();
  const names = Object.keys(lines[0] ?? {});
  const table = new Table({ head: ["", ...lines.map(({ scenario }) => String(scenario))] });
  for (const name of names.slice(1)) table.push([name, ...lines.map((line) => String(line[name]))]);
  say(table.toString());
  say(
    `${histories} histories in ${seconds.toFixed(1)} s: ${Math.round((histories / seconds) * 60)} a minute.`,
  );
  for (const outcome of tally.failed.slice(0, 5)) await explain(outcome);
  if (tally.failed.length > 0) process.exitCode = 1;
}

/** How to see a failure again, with as few sites of trouble and as short as it still fails. */
async function explain(outcome: HistoryOutcome): Promise<void> {
  const [fault] = outcome.faults;
  say(`\nSeed ${outcome.seed} (${outcome.scenario}): ${fault?.kind}: ${fault?.says}`);
  say(`  npm run simulate -- --seed ${outcome.seed} --histories 1 --trace`);
  const fails = async (sites: readonly Site[], busyMs: number): Promise<boolean> => {
    let isFailing = false;
    const task = { from: outcome.seed, count: 1, step: 1, kind: outcome.scenario, sites, busyMs };
    await runSeeds(task, ({ faults }) => (isFailing = faults.some(({ kind }) => kind === fault?.kind)));
    return isFailing;
  };
  let kept = outcome.sites;
  let minutes = 7;
  for (const site of outcome.sites) {
    const fewer = kept.filter((one) => one !== site);
    if (await fails(fewer, minutes * 60_000)) kept = fewer;
  }
  for (const fewer of [5, 3, 2, 1]) if (await fails(kept, fewer * 60_000)) minutes = fewer;
  const smaller = `--kind "${outcome.scenario}" --sites "${kept.join()}" --minutes ${minutes}`;
  say(`  the same, smaller: npm run simulate -- --seed ${outcome.seed} --histories 1 --trace ${smaller}`);
}

async function runMutants(): Promise<void> {
  // Where no seed is given, each from the one on that caught it before.
  const fromOf = ({ seed: known }: Mutant): number => (values.seed === undefined ? (known ?? seed) : seed);
  const hunts = await runSideBySide(mutants, processes, (one) => huntMutant(one, fromOf(one), histories));
  const table = new Table({
    head: ["mutant", "promise", "scenario", "caught by", "first seed", "histories"],
  });
  for (const { mutant, caughtBy, seed: first, histories: count } of hunts) {
    table.push([
      mutant.name,
      mutant.promise,
      mutant.kind,
      caughtBy ?? "NOTHING",
      String(first),
      String(count),
    ]);
  }
  say(table.toString());
  const caught = hunts.filter(({ caughtBy }: Hunt) => caughtBy !== undefined).length;
  say(`${caught} of ${hunts.length} mutants caught.`);
  if (caught < hunts.length) process.exitCode = 1;
}

/** A slip of the pen must not pass for a run in which nothing was lost. */
const areCounts = [histories, processes, Number(values.minutes ?? "1")].every((count) => count > 0);

if (!areCounts || !Number.isSafeInteger(seed)) {
  process.stderr.write(`${usage}\n`);
  process.exitCode = 2;
} else await (values.mutants ? runMutants() : runAll());
