import { expect, test } from "vitest";
import { huntMutant } from "./mutant-hunt.ts";
import { mutants } from "./mutants.ts";
import { runSeeds } from "./seed-task.ts";

/** What histories found in the product, each with a seed that shows it and the mutant that puts it back. */
const regressions = [
  {
    was: "a row whose time moved on during a pass was put off while its time was called complete",
    mutant: "rows that move on are put off",
    seed: 21,
  },
  {
    was: "a long pass of Zabbix's events dated its last id by its beginning and passed later ones by",
    mutant: "marks dated by the pass",
    seed: 16,
  },
  {
    was: "a cluster was called complete to now although its events are written late",
    mutant: "complete to what was heard",
    seed: 1,
  },
];

test.each(regressions)("it is mended that $was", async ({ mutant: name, seed }) => {
  const mutant = mutants.find((one) => one.name === name)!;
  const { caughtBy, seed: first } = await huntMutant(mutant, seed, 100);
  expect(caughtBy).toBeDefined();
  const faults: unknown[] = [];
  const task = { from: first, count: 1, step: 1, kind: mutant.kind };
  await runSeeds(task, (outcome) => void faults.push(...outcome.faults));
  expect(faults).toEqual([]);
});
