import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SourceDatabase } from "../../../test/sql-source/source-database.ts";
import { insertInto, openSourceDatabase } from "../../../test/sql-source/source-database.ts";
import { TableReader } from "../../../test/sql-source/table-reader.ts";

/** What is true of pf9-mngt's tables in general, tried on each of those that it concerns; on a real PostgreSQL. */

const early = "2026-11-20T01:00:00Z";

let source: SourceDatabase;
beforeAll(async () => {
  source = await openSourceDatabase("pf9-mngt");
});
afterAll(() => source.close());

interface LateEnd {
  readonly table: string;
  readonly row: Readonly<Record<string, unknown>>;
  readonly end: string;
  readonly type: string;
  /** Another row that tells something as soon as it is there, where the first does not. */
  readonly telling?: Readonly<Record<string, unknown>>;
}

const lateEnds: readonly LateEnd[] = [
  {
    table: "backup_history",
    row: { status: "running", started_at: early },
    end: "status = 'completed', completed_at = clock_timestamp()",
    type: "backup.completed",
  },
  {
    table: "runbook_executions",
    row: { status: "executing", triggered_by: "alice" },
    end: "status = 'failed', completed_at = clock_timestamp()",
    type: "runbook.failed",
  },
  {
    table: "snapshot_records",
    row: { action: "created", status: "creating", volume_id: "v", created_at: early },
    end: "status = 'OK'",
    type: "snapshot.created",
    telling: { action: "created", status: "OK", volume_id: "v", created_at: early },
  },
  {
    table: "restore_jobs",
    row: { status: "RUNNING" },
    end: "status = 'SUCCEEDED', finished_at = clock_timestamp()",
    type: "restore.succeeded",
  },
  {
    table: "operational_insights",
    row: { status: "open", type: "cpu", severity: "high", entity_type: "vm", entity_id: "vm-1" },
    end: "status = 'resolved', resolved_at = clock_timestamp()",
    type: "insight.cpu.resolved",
  },
  {
    table: "support_tickets",
    row: { status: "open" },
    end: "status = 'resolved', resolved_at = clock_timestamp(), updated_at = clock_timestamp()",
    type: "ticket.resolved",
  },
];

const identityOf: Readonly<Record<string, string>> = { restore_jobs: "created_at" };

function firstOf(table: string): string {
  const order = identityOf[table] ?? "id";
  return `ctid = (SELECT ctid FROM ${table} ORDER BY ${order} LIMIT 1)`;
}

describe.each(lateEnds)("a row of $table", ({ table, row, end, type, telling = row }) => {
  beforeEach(() => source.sql(`TRUNCATE ${table}`));

  test("that ends in place after later ones were read to their ends is told to have ended", async () => {
    const reader = new TableReader(source.url, { preset: "pf9-mngt", only: [table] });
    await source.insert(table, row);
    expect(await reader.types()).not.toContain(type);
    await source.insert(table, row);
    await source.sql(`UPDATE ${table} SET ${end} WHERE NOT ${firstOf(table)}`);
    expect((await reader.types()).filter((one) => one === type)).toEqual([type]);
    for (let passes = 0; passes < 2; passes += 1) expect(await reader.types()).toEqual([]);
    await source.sql(`UPDATE ${table} SET ${end} WHERE ${firstOf(table)}`);
    expect(await reader.types()).toEqual([type]);
    expect(await reader.types()).toEqual([]);
  });

  test("that commits after one that began later was read is told all the same", async () => {
    const [first, second] = [await source.session(), await source.session()];
    await first.query("BEGIN");
    await insertInto(first, table, telling);
    await insertInto(second, table, telling);
    const reader = new TableReader(source.url, { preset: "pf9-mngt", only: [table] });
    const told = (await reader.pass()).drafts;
    expect(new Set(told.map(({ key }) => key.split("/")[1])).size).toBe(1);
    await first.query("COMMIT");
    const late = (await reader.pass()).drafts;
    expect(late.map((draft) => draft.type)).toEqual(told.map((draft) => draft.type));
    expect(await reader.types()).toEqual([]);
  });
});

describe.each([
  ["activity_log", "details", { action: "create", resource_type: "vm" }],
  ["operational_insights", "metadata", { status: "open", type: "cpu", severity: "high", entity_type: "vm" }],
  ["runbook_executions", "parameters", { status: "executing" }],
])("%s.%s", (table, column, row) => {
  test.each<[string, unknown]>([
    ['["a", {"b": 1}]', ["a", { b: 1 }]],
    ["7", 7],
    ['"text"', "text"],
    ["true", true],
    ["{}", {}],
  ])("may hold %s where an object was expected", async (text, value) => {
    await source.sql(`TRUNCATE ${table}`);
    await source.insert(table, { ...row, [column]: text });
    const reader = new TableReader(source.url, { preset: "pf9-mngt", only: [table] });
    const { drafts, setAside } = await reader.pass();
    expect(setAside).toEqual([]);
    expect(drafts.map((draft) => draft.details[column])).toEqual(drafts.map(() => value));
    expect(drafts.length).toBeGreaterThan(0);
  });
});

test("a project's name stands beside its domain's in both tables that measure, and states nobody", async () => {
  const full = { project_name: "prod", domain: "acme", collected_at: new Date() };
  await source.insert("metering_quotas", { ...full, project_id: "p", vcpus_used: 99, vcpus_quota: 100 });
  await source.insert("metering_efficiency", { ...full, vm_id: "vm-a", cpu_efficiency: 99 });
  for (const table of ["metering_quotas", "metering_efficiency"]) {
    const { drafts } = await new TableReader(source.url, { preset: "pf9-mngt", only: [table] }).pass();
    const names = drafts.flatMap(({ related }) => related.filter(({ role }) => role === "project_name"));
    expect(names.length, table).toBeGreaterThan(0);
    expect(names.every(({ ref }) => ref.kind === "name" && ref.id === "acme/prod")).toBe(true);
  }
});
