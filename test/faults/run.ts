import { appendFileSync } from "node:fs";
import { readOptions } from "../command-options.ts";
import type { FaultKind, Outcome } from "./fault-kind.ts";
import { faultKinds } from "./fault-kinds.ts";
import { mutants } from "./kill-points.ts";
import { Lab } from "./lab.ts";
import { patience } from "./patience.ts";
import { postgresInstalled } from "./private-postgres.ts";
import { hasFailed, RunSummary } from "./run-summary.ts";
import { SeededRandom } from "./seeded-random.ts";

const usage = `npm run faults -- [--seed S] [--kinds a,b] [--minutes M] [--jobs N] [--short] [--log FILE] [--mutant NAME]
                  [--list]`;

const values = readOptions(usage, {
  seed: { type: "string", default: "1" },
  kinds: { type: "string" },
  minutes: { type: "string", default: "0" },
  jobs: { type: "string", default: "3" },
  short: { type: "boolean", default: false },
  log: { type: "string" },
  mutant: { type: "string" },
  list: { type: "boolean", default: false },
});

/** A short run begins no further kind after this long. */
const shortMsMax = 150_000;

/** No kind may take longer, whatever goes wrong. */
const kindMsMax = 1_800_000 * patience;

interface Task {
  readonly kind: FaultKind;
  readonly round: number;
}

function chooseKinds(): readonly FaultKind[] {
  const named =
    values.kinds?.split(",") ?? (values.mutant === undefined ? undefined : mutants[values.mutant]?.kinds);
  const unknown = (named ?? []).filter((name) => !faultKinds.some((kind) => kind.name === name));
  if (unknown.length > 0) throw new Error(`there is no kind ${unknown.join(", ")}`);
  if (named !== undefined) return faultKinds.filter(({ name }) => named.includes(name));
  return values.short ? faultKinds.filter(({ short }) => short) : faultKinds;
}

function* tasks(kinds: readonly FaultKind[]): Generator<Task> {
  const began = performance.now();
  const until = began + Number(values.minutes) * 60_000;
  for (let round = 1; round === 1 || performance.now() < until; round += 1) {
    for (const kind of kinds) {
      if (round > 1 && performance.now() >= until) return;
      if (values.short && values.kinds === undefined && performance.now() - began > shortMsMax) return;
      yield { kind, round };
    }
  }
}

function print(line: string): void {
  console.log(line);
  if (values.log !== undefined) appendFileSync(values.log, `${line}\n`);
}

/** The seed of a kind's round is its own, so that it can be had again without the others. */
async function runOne(lab: Lab, { kind, round }: Task, summary: RunSummary): Promise<void> {
  const seed = round === 1 ? values.seed : `${values.seed}.${round}`;
  const began = performance.now();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`took longer than ${kindMsMax / 1000} s`)), kindMsMax);
  });
  let outcome: Outcome | Error;
  try {
    const random = new SeededRandom(`${seed} ${kind.name}`);
    outcome = await Promise.race([kind.run(lab, random, { short: values.short, round }), late]);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    outcome = error;
  } finally {
    clearTimeout(timer);
  }
  print(JSON.stringify(summary.add(kind.name, seed, outcome, performance.now() - began)));
  if (hasFailed(outcome)) {
    const mutant = values.mutant === undefined ? "" : ` --mutant ${values.mutant}`;
    print(
      `# again: npm run faults -- --seed ${seed} --kinds ${kind.name}${values.short ? " --short" : ""}${mutant}`,
    );
  }
}

async function main(): Promise<number> {
  if (values.list) {
    for (const { name, says } of faultKinds) console.log(`${name.padEnd(24)} ${says}`);
    return 0;
  }
  if (values.mutant !== undefined && mutants[values.mutant] === undefined)
    throw new Error(`there is no mutant ${values.mutant}; there are ${Object.keys(mutants).join(", ")}`);
  if (!postgresInstalled()) throw new Error("PostgreSQL 15 is not installed: apt-get install postgresql-15");
  const summary = new RunSummary();
  const lab = await Lab.open({ mutant: values.mutant });
  const stop = () => void lab.close().finally(() => process.exit(130));
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    const queue = tasks(
      chooseKinds().filter((kind) => {
        const missing = kind.missing?.();
        if (missing !== undefined) print(`# left out: ${kind.name}, ${missing}`);
        return missing === undefined;
      }),
    );
    await Promise.all(
      Array.from({ length: Number(values.jobs) }, async () => {
        for (const task of queue) await runOne(lab, task, summary);
      }),
    );
  } finally {
    await lab.close();
  }
  for (const line of summary.lines(values.seed)) print(line);
  return summary.failed ? 1 : 0;
}

process.exit(await main());
