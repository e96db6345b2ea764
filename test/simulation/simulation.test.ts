import { expect, test } from "vitest";
import { huntMutant, runSideBySide } from "./mutant-hunt.ts";
import { mutants } from "./mutants.ts";
import { runSeeds } from "./seed-task.ts";
import { Tally } from "./tally.ts";

/** The short budget; `npm run simulate` is the long one. Each process is given up to virtual time. */
const histories = 300;
const processes = 2;

async function hashOf(seed: number): Promise<string> {
  const hashes: string[] = [];
  await runSeeds({ from: seed, count: 1, step: 1 }, ({ traceHash }) => void hashes.push(traceHash));
  return hashes.join();
}

test("the same seed is the same history, step by step, and another seed is another one", async () => {
  const [first, again, other] = await runSideBySide([7, 7, 8], processes, hashOf);
  expect(again).toBe(first);
  expect(other).not.toBe(first);
}, 600_000);

test("no history loses, doubles or invents an event, claims too much, or keeps silent about a breach", async () => {
  const tally = new Tally();
  await runSideBySide([0, 1], processes, (lane) =>
    runSeeds({ from: 1 + lane, count: histories - lane, step: processes }, (outcome) => tally.add(outcome)),
  );
  expect(tally.failed.map(({ seed, scenario, faults }) => ({ seed, scenario, faults }))).toEqual([]);
  const all = tally.lines().at(-1);
  expect(all).toMatchObject({ scenario: "all", histories });
  // A world in which nothing happens proves nothing.
  for (const name of ["elements", "claims", "revisions", "breaches", "kills", "sleeps", "setAside"]) {
    expect(Number(all?.[name]), name).toBeGreaterThan(0);
  }
}, 600_000);

test("every mutant is caught", async () => {
  const hunts = await runSideBySide(mutants, processes, (mutant) =>
    huntMutant(mutant, mutant.seed ?? 1, 120),
  );
  const escaped = hunts.filter(({ caughtBy }) => caughtBy === undefined || caughtBy === "error");
  expect(escaped.map(({ mutant }) => mutant.name)).toEqual([]);
}, 600_000);
