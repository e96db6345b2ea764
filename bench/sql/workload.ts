import type pg from "pg";
import { instant } from "../../src/model/instant.ts";
import { parseEntityKey } from "../../src/model/entity.ts";
import type { Laboratory } from "./foreign-database.ts";
import { connection, controlPlane, openLaboratory } from "./foreign-database.ts";
import { readByRule, rules, type RulePlace } from "./reference-rule.ts";
import { cyclesAfter, runCycle, startWorkload, tables, type Workload } from "./cycles.ts";
import { readOptions } from "../../test/command-options.ts";

/**
 * Workflows of which half finish in a later cycle, ties, transactions that commit late and out of order, poison rows
 * and equal names in every domain, all in tables of pf9-mngt on a real PostgreSQL. After each cycle the `sql` preset
 * makes one pass, and beside it the reference timeline's own rule reads the same tables. What each stored is compared
 * with what happened.
 * Usage: `npm run bench:workload -- [--workflows N] [--seed S]`.
 */

interface Count {
  expected: number;
  stored: number;
  lost: number;
  duplicate: number;
  extra: number;
}

const usage = "npm run bench:workload -- [--workflows N] [--seed S]";

async function main(): Promise<number> {
  const values = readOptions(usage, {
    workflows: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
  });
  const [workflows, seed] = [Number(values.workflows), Number(values.seed)];
  if (!Number.isInteger(workflows) || workflows < 20 || workflows > 100_000 || !Number.isInteger(seed)) {
    console.error(`Usage: ${usage}`);
    return 2;
  }
  const laboratory = await openLaboratory(tables);
  try {
    await stateOwners(laboratory);
    const workload = startWorkload(seed, workflows);
    const places = new Map<string, RulePlace>();
    const holding = await laboratory.session();
    for (let cycle = 0; cycle < workload.cycles + cyclesAfter; cycle++) {
      await runCycle(workload, cycle, laboratory.foreign, holding);
      await laboratory.isochron.harvestOnce(connection, {});
      for (const rule of rules) await readByRule(rule, laboratory.foreign, places);
    }
    const counts = compare(workload, await storedTransitions(laboratory.store));
    const wrong = await wrongTenants(laboratory.store);
    print(workload, counts, places, wrong);
    const faults = [...counts.values()].reduce(
      (sum, one) => sum + one.lost + one.duplicate + one.extra,
      wrong.wrong,
    );
    return faults === 0 ? 0 : 1;
  } finally {
    await laboratory.close();
  }
}

/** Two domains with projects and servers of equal names; their ids alone tell them apart. */
async function stateOwners({ isochron }: Laboratory): Promise<void> {
  const at = instant(Date.now() - 86_400_000);
  const name = "owners";
  await isochron.store.events.connect({ name, source: "openstack-inventory", controlPlane, config: {} });
  const facts = ["a", "b"].flatMap((domain) =>
    [
      [`server:vm-${domain}`, "owned_by", `project:project-${domain}`],
      [`project:project-${domain}`, "part_of", `domain:domain-${domain}`],
    ].map(([from, relation, to]) => ({
      from: parseEntityKey(from!),
      relation: relation as "owned_by" | "part_of",
      to: parseEntityKey(to!),
      at,
      holds: true,
      sourceId: "owners",
    })),
  );
  await isochron.store.events.append({
    connection: name,
    stream: "main",
    controlPlane,
    events: [],
    facts,
    rejects: [],
  });
}

/** How often each transition was stored, by `table/id|transition`: as an event of its own, or as a storm's member. */
async function storedTransitions(store: pg.Client): Promise<ReadonlyMap<string, number>> {
  const { rows } = await store.query<{ transition: string; times: number }>(
    `WITH told AS (
       SELECT string_to_array(key, '/') AS part FROM isochron.event WHERE connection = $1 AND key NOT LIKE 'storm/%'
        UNION ALL
       SELECT string_to_array(key, '/') FROM isochron.storm_member WHERE connection = $1)
     SELECT part[1] || '/' || part[2] || '|' ||
            split_part(CASE part[1] WHEN 'sla_compliance_monthly' THEN part[5] ELSE part[3] END, ':', 1) AS transition,
            count(*)::integer AS times
       FROM told GROUP BY 1`,
    [connection],
  );
  return new Map(rows.map(({ transition, times }) => [transition, times]));
}

function compare(workload: Workload, stored: ReadonlyMap<string, number>): ReadonlyMap<string, Count> {
  const counts = new Map<string, Count>();
  const of = (transition: string): Count => {
    const table = transition.slice(0, transition.indexOf("/"));
    const count = counts.get(table) ?? { expected: 0, stored: 0, lost: 0, duplicate: 0, extra: 0 };
    counts.set(table, count);
    return count;
  };
  for (const transition of workload.happened) {
    const times = stored.get(transition) ?? 0;
    const count = of(transition);
    count.expected += 1;
    if (times === 0) count.lost += 1;
    else count.stored += 1;
    count.duplicate += Math.max(0, times - 1);
  }
  for (const [transition, times] of stored) {
    if (!workload.happened.has(transition)) of(transition).extra += times;
  }
  return counts;
}

/** Measurements bear names only, and every name is there twice. */
async function wrongTenants(store: pg.Client): Promise<{ owned: number; wrong: number; waiting: number }> {
  const { rows } = await store.query<{ owned: number; wrong: number; waiting: number }>(
    `SELECT count(*) FILTER (WHERE attribution_status = 'owned')::integer AS owned,
            count(*) FILTER (WHERE attribution_status = 'owned'
                               AND owner_project_id <> replace(subject_id, 'vm-', 'project-'))::integer AS wrong,
            count(*) FILTER (WHERE attribution_status <> 'owned')::integer AS waiting
       FROM isochron.event WHERE connection = $1 AND subject_kind = 'server' AND key LIKE 'metering_efficiency/%'`,
    [connection],
  );
  return rows[0]!;
}

function print(
  workload: Workload,
  counts: ReadonlyMap<string, Count>,
  places: ReadonlyMap<string, RulePlace>,
  { owned, wrong, waiting }: { owned: number; wrong: number; waiting: number },
): void {
  console.log(
    `${workload.cycles} cycles, seed ${workload.seed}; a transition is one state that one row came to\n`,
  );
  console.log(
    "| table | transitions | Isochron | lost | twice | extra | completions | the reference's rule |",
  );
  console.log("|---|---:|---:|---:|---:|---:|---:|---:|");
  const share = (part: number, whole: number) => `${((100 * part) / whole).toFixed(1)} %`;
  for (const [table, { expected, stored, lost, duplicate, extra }] of counts) {
    const rule = rules.find((one) => one.table === table);
    const seen = places.get(table)?.seen;
    const ends = workload.completed.get(table)?.size ?? 0;
    const byRule = rule === undefined || seen === undefined ? "" : `${seen.size} = ${share(seen.size, ends)}`;
    const cells = [
      `\`${table}\``,
      expected,
      share(stored, expected),
      lost,
      duplicate,
      extra,
      ends || "",
      byRule,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
  const ends = rules.map(({ table }) => workload.completed.get(table)?.size ?? 0);
  const found = rules.map(({ table }) => places.get(table)?.seen.size ?? 0);
  const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
  console.log(
    `\nCompletions found by the reference's rule: ${sum(found)} of ${sum(ends)} = ${share(sum(found), sum(ends))}`,
  );
  console.log(
    `Measurements under equal names: ${owned} owned, ${wrong} by the wrong tenant, ${waiting} waiting`,
  );
}

process.exitCode = await main();
