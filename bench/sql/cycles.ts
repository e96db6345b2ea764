import type pg from "pg";

/** What happened in the tables so far, and what is still to come. */
export interface Workload {
  readonly seed: number;
  readonly cycles: number;
  readonly perCycle: number;
  readonly random: () => number;
  /** Every state that a row came to, as `table/id|transition`. */
  readonly happened: Set<string>;
  /** The rows of each table that came to their end. */
  readonly completed: Map<string, Set<number>>;
  /** What ends in a later cycle. */
  readonly ending: { readonly cycle: number; readonly flow: Flow; readonly id: number }[];
  /** Transitions of a transaction that is still open. */
  held: readonly string[];
}

/** A workflow: how its row begins and ends, and the transitions that each of the two is. */
interface Flow {
  readonly table: string;
  readonly insert: string;
  readonly began: readonly string[];
  readonly end: string;
  readonly ended: string;
}

const flows: readonly Flow[] = [
  {
    table: "backup_history",
    insert:
      "INSERT INTO backup_history (status, backup_type, backup_target, started_at) VALUES ('running', 'scheduled', 'database', now())",
    began: ["started"],
    end: "UPDATE backup_history SET status = 'completed', completed_at = now() WHERE id = $1",
    ended: "completed",
  },
  {
    table: "runbook_executions",
    insert:
      "INSERT INTO runbook_executions (runbook_name, status, triggered_by, started_at) VALUES ('vm_health', 'executing', 'operator', now())",
    began: ["triggered", "started"],
    end: "UPDATE runbook_executions SET status = 'completed', completed_at = now() WHERE id = $1",
    ended: "completed",
  },
  {
    table: "snapshot_records",
    insert:
      "INSERT INTO snapshot_records (action, status, volume_id, project_id, created_at) VALUES ('created', 'CREATING', 'volume-1', 'project-a', now())",
    began: [],
    end: "UPDATE snapshot_records SET status = 'OK' WHERE id = $1",
    ended: "created",
  },
  {
    table: "operational_insights",
    insert:
      "INSERT INTO operational_insights (type, severity, entity_type, entity_id, title, status) VALUES ('cpu', 'high', 'vm', 'vm-a', 'Busy', 'open')",
    began: ["fired"],
    end: "UPDATE operational_insights SET status = 'resolved', resolved_at = now() WHERE id = $1",
    ended: "resolved",
  },
  {
    table: "support_tickets",
    insert:
      "INSERT INTO support_tickets (ticket_ref, title, status, opened_by) VALUES ('T', 'Slow', 'open', 'operator')",
    began: ["opened"],
    end: "UPDATE support_tickets SET status = 'resolved', resolved_at = now(), resolved_by = 'operator', updated_at = now() WHERE id = $1",
    ended: "resolved",
  },
];

export const tables = [
  ...flows.map(({ table }) => table),
  "activity_log",
  "metering_efficiency",
  "sla_compliance_monthly",
];

const cycles = 20;

/** Rounds in which nothing new begins, so that all that was begun can end and be read. */
export const cyclesAfter = 5;

/** Rows of one timestamp, more than the reference reads at a time. */
const ties = 1200;

/** In these cycles a transaction of `activity_log` is left open until the next. */
const heldEvery = 3;

/** A small generator of seeded numbers (mulberry32), so that a run can be had again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function startWorkload(seed: number, workflows: number): Workload {
  return {
    seed,
    cycles,
    perCycle: Math.ceil(workflows / cycles),
    random: seeded(seed),
    happened: new Set(),
    completed: new Map(),
    ending: [],
    held: [],
  };
}

/** What happens between two passes. `holding` is the session whose transaction may stay open until the next cycle. */
export async function runCycle(
  workload: Workload,
  cycle: number,
  client: pg.Client,
  holding: pg.Client,
): Promise<void> {
  if (cycle < workload.cycles) {
    for (const flow of flows) await beginFlows(workload, cycle, flow, client);
    await measure(workload, client);
  }
  await endFlows(workload, cycle, client);
  await writeActivity(workload, cycle, client, holding);
  if (cycle === 2) await tie(workload, client);
}

async function beginFlows(workload: Workload, cycle: number, flow: Flow, client: pg.Client): Promise<void> {
  for (let count = 0; count < workload.perCycle; count++) {
    const { rows } = await client.query<{ id: string }>(`${flow.insert} RETURNING id`);
    const id = Number(rows[0]!.id);
    for (const began of flow.began) workload.happened.add(`${flow.table}/${id}|${began}`);
    // Half of them end before they are read for the first time.
    const later = workload.random() < 0.5 ? 0 : 1 + Math.floor(workload.random() * 3);
    workload.ending.push({ cycle: cycle + later, flow, id });
  }
}

async function endFlows(workload: Workload, cycle: number, client: pg.Client): Promise<void> {
  for (const { flow, id } of workload.ending.filter((one) => one.cycle === cycle)) {
    await client.query(flow.end, [id]);
    workload.happened.add(`${flow.table}/${id}|${flow.ended}`);
    const completed = workload.completed.get(flow.table) ?? new Set();
    workload.completed.set(flow.table, completed.add(id));
  }
}

/** Names alone tell nothing: projects and servers of two domains are called alike. */
async function measure(workload: Workload, client: pg.Client): Promise<void> {
  for (const domain of ["a", "b"]) {
    // One measurement is too high and the next is not, so that each high one is news.
    for (const load of [97, 10]) {
      const { rows } = await client.query<{ id: string }>(
        `INSERT INTO metering_efficiency (vm_id, vm_name, project_name, domain, cpu_efficiency, region_id)
         VALUES ($1, 'web', 'production', 'acme', $2, 'region-1') RETURNING id`,
        [`vm-${domain}`, load],
      );
      if (load < 95) continue;
      for (const name of ["cpu_high", "cpu_critical"]) {
        workload.happened.add(`metering_efficiency/${rows[0]!.id}|${name}`);
      }
    }
  }
}

/** Some rows commit only after later ones were read, some are rolled back, some hold what no mapping expects. */
async function writeActivity(
  workload: Workload,
  cycle: number,
  client: pg.Client,
  holding: pg.Client,
): Promise<void> {
  if (workload.held.length > 0) {
    const isKept = workload.random() < 0.7;
    await holding.query(isKept ? "COMMIT" : "ROLLBACK");
    if (isKept) for (const transition of workload.held) workload.happened.add(transition);
    workload.held = [];
  }
  if (cycle >= workload.cycles) return;
  if (cycle % heldEvery === 0) {
    await holding.query("BEGIN");
    workload.held = await actOf(holding, ["{}", "{}"]);
  }
  const odd = ["[1, 2]", '"word"', "null", '{"nested": {"deep": [[[]]]}}', '{"__proto__": {"x": 1}}'];
  for (const transition of await actOf(client, ["{}", ...odd, "{}"])) workload.happened.add(transition);
}

async function actOf(client: pg.Client, details: readonly string[]): Promise<readonly string[]> {
  const told: string[] = [];
  for (const detail of details) {
    const { rows } = await client.query<{ id: number }>(
      `INSERT INTO activity_log (actor, action, resource_type, resource_id, domain_id, details, result)
       VALUES ('operator', 'update', 'server', 'vm-a', 'domain-a', $1, 'success') RETURNING id`,
      [detail],
    );
    told.push(`activity_log/${rows[0]!.id}|done`);
  }
  return told;
}

async function tie(workload: Workload, client: pg.Client): Promise<void> {
  await client.query(
    `INSERT INTO sla_compliance_monthly (tenant_id, month, region_id, breach_fields, computed_at)
     SELECT 'project-' || n, date_trunc('month', now()), 'region-1', '{uptime}', now() FROM generate_series(1, $1::integer) AS n`,
    [ties],
  );
  for (let number = 1; number <= ties; number++) {
    workload.happened.add(`sla_compliance_monthly/project-${number}|breached`);
  }
}
