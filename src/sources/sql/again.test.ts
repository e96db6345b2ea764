import { afterAll, beforeAll, expect, test } from "vitest";
import type { SourceDatabase } from "../../../test/sql-source/source-database.ts";
import { openSourceDatabase } from "../../../test/sql-source/source-database.ts";
import { TableReader } from "../../../test/sql-source/table-reader.ts";
import { instant } from "../../model/instant.ts";

/** Reading pf9-mngt's tables again beside the place of their connection, on a real PostgreSQL. */

let source: SourceDatabase;
beforeAll(async () => {
  source = await openSourceDatabase("pf9-mngt");
});
afterAll(() => source.close());

const config = { preset: "pf9-mngt" };
const hour = 3_600_000;

/** What `again` tells from that moment on, in the zone that the connection has. */
async function keysSince(at: number, zone = "UTC"): Promise<readonly string[]> {
  const again = new TableReader(source.url, { ...config, zone });
  again.startAt(instant(at));
  return (await again.pass()).drafts.map(({ key }) => key);
}

/** Rows of seven tables at the beginning of what happens to them. */
async function insertLives(): Promise<void> {
  await source.insert(
    "backup_history",
    { status: "running", backup_target: "database", started_at: "2026-11-20T01:00:00Z" },
    { status: "completed", started_at: "2026-11-20T01:01:00Z", completed_at: "2026-11-20T01:02:00Z" },
  );
  await source.insert("operational_insights", {
    type: "cpu",
    severity: "medium",
    entity_type: "vm",
    entity_id: "vm-1",
    entity_name: "web",
    title: "busy",
    message: "busy",
  });
  await source.insert("support_tickets", { title: "slow", status: "open" });
  await source.insert("migration_waves", { status: "planned" });
  await source.insert("snapshot_records", {
    action: "failed",
    status: "ERROR",
    created_at: "2026-11-20T01:00:00Z",
  });
  await source.insert("activity_log", { action: "create", resource_type: "vm", actor: "early" });
  await source.insert("operational_insights", { type: "disk", severity: "high", status: "open" });
  await source.insert("snapshot_records", { action: "created", status: "OK", created_at: null });
  const month = `${new Date().toISOString().slice(0, 8)}01`;
  await source.insert("sla_compliance_monthly", {
    tenant_id: "p",
    month,
    region_id: "r",
    breach_fields: ["uptime"],
  });
}

test("rows that went through their lives while they were read give the same keys again, and no others", async () => {
  await insertLives();
  const main = new TableReader(source.url, config);
  const told = new Set<string>();
  const readOn = async () => {
    for (const { key } of (await main.pass()).drafts) told.add(key);
  };
  await readOn();
  for (const change of [
    "UPDATE operational_insights SET severity = 'critical', last_seen_at = clock_timestamp() WHERE type = 'cpu'",
    "UPDATE operational_insights SET status = 'snoozed', last_seen_at = clock_timestamp() WHERE type = 'cpu'",
    "UPDATE support_tickets SET status = 'assigned', escalation_count = 1, updated_at = clock_timestamp()",
    "UPDATE migration_waves SET status = 'validating', updated_at = clock_timestamp()",
    "UPDATE backup_history SET status = 'failed', completed_at = clock_timestamp() WHERE id = 1",
    "UPDATE operational_insights SET status = 'resolved', resolved_at = clock_timestamp() WHERE type = 'cpu'",
    "UPDATE support_tickets SET status = 'resolved', resolved_at = clock_timestamp(), updated_at = clock_timestamp()",
    "UPDATE support_tickets SET status = 'open', resolved_at = NULL, updated_at = clock_timestamp()",
    // These states go on, and the columns that dated them move.
    "UPDATE operational_insights SET status = 'snoozed', last_seen_at = clock_timestamp() WHERE type = 'disk'",
    "UPDATE operational_insights SET last_seen_at = clock_timestamp() WHERE type = 'disk'",
    "UPDATE sla_compliance_monthly SET computed_at = clock_timestamp()",
    "UPDATE migration_waves SET status = 'complete', completed_at = clock_timestamp(), updated_at = clock_timestamp()",
  ]) {
    await source.sql(change);
    await readOn();
  }
  const again = await keysSince(Date.parse("2026-01-01"));
  expect(again.filter((key) => !told.has(key))).toEqual([]);
  expect(again.map((key) => key.split("/").slice(0, 3).join("/")).toSorted()).toEqual([
    "activity_log/1/done",
    "backup_history/1/failed",
    "backup_history/1/started",
    "backup_history/2/completed",
    "backup_history/2/started",
    "migration_waves/1/complete",
    "migration_waves/1/planned",
    "operational_insights/1/fired",
    "operational_insights/1/resolved",
    "operational_insights/2/fired",
    "snapshot_records/1/failed",
    "support_tickets/1/escalated:1",
    "support_tickets/1/opened",
  ]);
});

test("what began long before and ended since is read again by its end, in every zone of the connection", async () => {
  await source.sql("TRUNCATE backup_history RESTART IDENTITY");
  const at = Date.now() - hour;
  await source.insert(
    "backup_history",
    ...[at - 20 * hour, at - 1_000, at + 1_000].map((completed) => ({
      status: "completed",
      created_at: new Date(at - 30 * hour).toISOString(),
      started_at: new Date(at - 29 * hour).toISOString(),
      completed_at: new Date(completed).toISOString(),
    })),
  );
  for (const zone of ["UTC", "Asia/Kolkata", "America/New_York"]) {
    const ids = (await keysSince(at, zone))
      .filter((key) => key.startsWith("backup"))
      .map((key) => key.split("/")[1]);
    expect(new Set(ids)).toEqual(new Set(["3"]));
  }
});

test("a good snapshot whose row is marked as deleted long after it was passed is found by reading again", async () => {
  await source.sql("TRUNCATE snapshot_records RESTART IDENTITY");
  await source.insert("snapshot_records", {
    action: "created",
    status: "OK",
    created_at: new Date(Date.now() - 30 * 24 * hour).toISOString(),
  });
  const main = new TableReader(source.url, { ...config, only: ["snapshot_records"] });
  expect(await main.types()).toEqual(["snapshot.created"]);
  await source.sql(
    "UPDATE snapshot_records SET action = 'deleted', status = 'DELETED', deleted_at = clock_timestamp()",
  );
  expect(await main.types()).toEqual([]);
  const keys = (await keysSince(Date.now() - hour)).filter((key) => key.startsWith("snapshot_records"));
  expect(keys).toEqual([expect.stringMatching(/^snapshot_records\/1\/deleted\//)]);
});

test("a row with an impossible time is the same record whenever it is read, so that it is set aside once", async () => {
  await source.insert("auth_audit_log", { username: "far", action: "login", timestamp: "infinity" });
  const far = async (at: number) => {
    const again = new TableReader(source.url, { ...config, only: ["auth_audit_log"] });
    again.startAt(instant(at));
    const { records } = await again.page();
    return records.map(({ position, bytes }) => [position, new TextDecoder().decode(bytes)]);
  };
  const first = await far(Date.now() - hour);
  expect(first).toHaveLength(1);
  expect(await far(Date.now())).toEqual(first);
});
