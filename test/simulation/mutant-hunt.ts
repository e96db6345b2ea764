import type { FaultKind } from "./history-outcome.ts";
import type { Mutant } from "./mutants.ts";
import { runSeeds } from "./seed-task.ts";

/** How a mutant fared. */
export interface Hunt {
  readonly mutant: Mutant;
  /** What it was caught by; undefined where it got away. */
  readonly caughtBy: FaultKind | undefined;
  readonly says: string;
  readonly seed: number;
  readonly histories: number;
}

/** Runs histories of the mutant's scenario until one goes wrong. A mutant's timing may also be caught by an error. */
export async function huntMutant(mutant: Mutant, from: number, historiesMax: number): Promise<Hunt> {
  let hunt: Hunt = { mutant, caughtBy: undefined, says: "", seed: from, histories: 0 };
  const task = { from, count: historiesMax, step: 1, mutant: mutant.name, untilFault: true };
  await runSeeds(task, ({ seed, faults }) => {
    const [fault] = faults;
    hunt = {
      mutant,
      caughtBy: fault?.kind,
      says: fault?.says ?? "",
      seed,
      histories: hunt.histories + 1,
    };
  });
  return hunt;
}

/** Runs the jobs, so many at a time, and gives their results in the jobs' order. */
export async function runSideBySide<Job, Result>(
  jobs: readonly Job[],
  lanes: number,
  run: (job: Job) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  const work = async () => {
    while (next < jobs.length) {
      const place = next;
      next += 1;
      results[place] = await run(jobs[place]!);
    }
  };
  await Promise.all(Array.from({ length: lanes }, work));
  return results;
}
