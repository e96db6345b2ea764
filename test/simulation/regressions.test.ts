import { expect, test } from "vitest";
import { runSeeds } from "./seed-task.ts";
import type { Site } from "./site.ts";

/** What histories found, each with a seed that shows it once the mutant of that name is put back. */
const regressions: readonly {
  readonly was: string;
  readonly kind: string;
  readonly seed: number;
  readonly sites?: readonly Site[];
}[] = [
  {
    was: "a row whose time moved on during a pass was put off while its time was called complete",
    kind: "sql by time",
    seed: 7,
  },
  {
    was: "a long pass of Zabbix's events dated its last id by its beginning and passed later ones by",
    kind: "zabbix",
    seed: 32,
  },
  {
    was: "a cluster was called complete to now although its events are written late",
    kind: "kubernetes-events",
    seed: 11,
  },
  {
    was: "a gap was dated by a clock from long before the snapshot, and closed before its last chance",
    kind: "sql by serial",
    seed: 122,
    sites: ["slow calls", "held commits", "bursts", "rollbacks"],
  },
  {
    was: "a worker whose clock was off by an hour called Zabbix complete by it",
    kind: "zabbix",
    seed: 1,
    sites: ["clock error", "held commits", "bursts"],
  },
  {
    was: "a worker whose clock was off by an hour made a revision of each event that it read again",
    kind: "zabbix",
    seed: 2,
    sites: ["clock error", "second worker", "ties"],
  },
  {
    was: "a sign-in page with status 200 was taken for a watch in which nothing happened",
    kind: "kubernetes-events",
    seed: 977,
    sites: ["source outage", "held commits", "comparisons"],
  },
];

test.each(regressions)(
  "it is mended that $was",
  async ({ kind, seed, sites }) => {
    const faults: unknown[] = [];
    const task = { from: seed, count: 1, step: 1, kind, ...(sites === undefined ? {} : { sites }) };
    await runSeeds(task, (outcome) => void faults.push(...outcome.faults));
    expect(faults).toEqual([]);
  },
  600_000,
);
