import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { SourceDatabase } from "../../../test/sql-source/source-database.ts";
import { insertInto, openSourceDatabase } from "../../../test/sql-source/source-database.ts";
import { TableReader } from "../../../test/sql-source/table-reader.ts";

/** How the reference timeline loses events of these tables, one test each; all on a real PostgreSQL. */

let source: SourceDatabase;
const tables = [
  "activity_log",
  "operational_insights",
  "support_tickets",
  "backup_history",
  "snapshot_records",
  "sla_compliance_monthly",
  "runbook_executions",
  "metering_efficiency",
  "metering_quotas",
  "auth_audit_log",
  "restore_jobs",
  "migration_waves",
];

beforeAll(async () => {
  source = await openSourceDatabase("pf9-mngt");
});
beforeEach(() => source.sql(`TRUNCATE ${tables.join(", ")} RESTART IDENTITY`));
afterAll(() => source.close());

function reader(only: string, config = {}): TableReader {
  return new TableReader(source.url, { preset: "pf9-mngt", only: [only], ...config });
}

describe("nothing of pf9-mngt is lost", () => {
  test("when an earlier backup fails after a later one has completed", async () => {
    await source.insert(
      "backup_history",
      { status: "running", backup_target: "database", started_at: "2026-11-20T01:00:00Z" },
      { status: "completed", started_at: "2026-11-20T01:01:00Z", completed_at: "2026-11-20T01:02:00Z" },
    );
    const backups = reader("backup_history");
    expect(await backups.types()).toEqual(["backup.started", "backup.started", "backup.completed"]);
    await source.sql("UPDATE backup_history SET status = 'failed', completed_at = now() WHERE id = 1");
    expect(await backups.types()).toEqual(["backup.failed"]);
    expect(await backups.types()).toEqual([]);
  });

  test("when ids commit out of order, even after rows beyond them were read", async () => {
    const [first, second] = [await source.session(), await source.session()];
    await first.query("BEGIN");
    await insertInto(first, "activity_log", { action: "create", resource_type: "vm", actor: "early" });
    await insertInto(second, "activity_log", { action: "create", resource_type: "vm", actor: "late" });
    const log = reader("activity_log");
    expect((await log.pass()).drafts.map((draft) => draft.actor?.userName)).toEqual(["late"]);
    expect((await log.pass()).drafts).toEqual([]);
    await first.query("COMMIT");
    expect((await log.pass()).drafts.map((draft) => draft.actor?.userName)).toEqual(["early"]);
    expect((await log.pass()).drafts).toEqual([]);
  });

  test("when a transaction that changes a row by time commits after later ones were read", async () => {
    await source.insert("migration_waves", { status: "planned" }, { status: "planned" });
    const waves = reader("migration_waves");
    expect(await waves.types()).toHaveLength(2);
    const holding = await source.session();
    await holding.query("BEGIN");
    await holding.query("UPDATE migration_waves SET status = 'validating', updated_at = now() WHERE id = 1");
    await source.sql("UPDATE migration_waves SET status = 'validating', updated_at = now() WHERE id = 2");
    expect((await waves.pass()).drafts.map((draft) => draft.subject.id)).toEqual(["2"]);
    await holding.query("COMMIT");
    const { drafts, completeTo } = await waves.pass();
    expect(drafts.map((draft) => draft.subject.id)).toEqual(["1"]);
    // Nothing is called complete as long as a transaction may still add to it.
    expect(completeTo).toBeLessThan(Date.now() - 900_000);
  });

  test("when more rows bear one timestamp than a page holds", async () => {
    await source.sql(
      "INSERT INTO sla_compliance_monthly (tenant_id, month, region_id, breach_fields, computed_at) " +
        "SELECT 'project-' || n, date_trunc('month', now()), 'r', '{uptime}', now() FROM generate_series(1, 1200) AS n",
    );
    const sla = reader("sla_compliance_monthly", { page_size: 500 });
    const { drafts, pages } = await sla.pass();
    expect(pages).toBe(3);
    expect(new Set(drafts.map((draft) => draft.key)).size).toBe(1_200);
    expect((await sla.pass()).drafts).toEqual([]);
  });

  test("when a service level that was at risk is breached, and breached further, in the same month", async () => {
    const row = {
      tenant_id: "project-a",
      month: new Date().toISOString().slice(0, 8) + "01",
      region_id: "r",
    };
    await source.insert("sla_compliance_monthly", { ...row, at_risk_fields: ["uptime"] });
    const sla = reader("sla_compliance_monthly");
    expect(await sla.types()).toEqual(["sla.at_risk"]);
    const upsert = (risk: string[], breach: string[]) =>
      source.sql(
        "UPDATE sla_compliance_monthly SET at_risk_fields = $1, breach_fields = $2, computed_at = now()",
        [risk, breach],
      );
    await upsert([], ["uptime"]);
    expect(await sla.types()).toEqual(["sla.breached"]);
    await upsert([], ["uptime", "rto"]);
    const [further] = (await sla.pass()).drafts;
    expect(further).toMatchObject({
      summary: expect.stringContaining("{uptime,rto}") as string,
      changes: [{ field: "breach_fields", before: "{uptime}", after: "{uptime,rto}" }],
    });
    await upsert([], []);
    expect(await sla.types()).toEqual(["sla.kept"]);
    await upsert([], ["uptime"]);
    expect(await sla.types()).toEqual(["sla.breached"]);
  });

  test("when an insight is escalated under the same id", async () => {
    await source.insert("operational_insights", {
      type: "cpu",
      severity: "medium",
      status: "open",
      title: "busy",
    });
    const insights = reader("operational_insights");
    const [fired] = (await insights.pass()).drafts;
    expect(fired).toMatchObject({ type: "insight.cpu.fired", severity: "warning" });
    await source.sql("UPDATE operational_insights SET severity = 'critical', last_seen_at = now()");
    const [escalated, ...others] = (await insights.pass()).drafts;
    expect(others).toEqual([]);
    expect(escalated).toMatchObject({
      type: "insight.cpu.severity_changed",
      severity: "critical",
      changes: [{ field: "severity", before: "medium", after: "critical" }],
    });
    await source.sql("UPDATE operational_insights SET last_seen_at = now()");
    expect(await insights.types()).toEqual([]);
    await source.sql("UPDATE operational_insights SET status = 'snoozed'");
    expect(await insights.types()).toEqual(["insight.cpu.snoozed"]);
  });

  test("when an insight comes and goes between two passes", async () => {
    const insights = reader("operational_insights");
    await insights.pass();
    await source.insert("operational_insights", {
      type: "cpu",
      severity: "high",
      status: "resolved",
      resolved_at: new Date(),
    });
    const { drafts } = await insights.pass();
    expect(drafts.map((draft) => draft.type)).toEqual(["insight.cpu.fired", "insight.cpu.resolved"]);
    // `high` is a word of theirs, not of ours.
    expect(drafts[0]!.severity).toBe("error");
  });

  test("when a ticket is resolved, reopened and resolved again", async () => {
    const tickets = reader("support_tickets");
    const set = (change: string) => source.sql(`UPDATE support_tickets SET ${change}, updated_at = now()`);
    await source.insert("support_tickets", { status: "open", ticket_ref: "T-1", priority: "high" });
    expect(await tickets.types()).toEqual(["ticket.opened"]);
    await set("status = 'resolved', resolved_at = now()");
    expect(await tickets.types()).toEqual(["ticket.resolved"]);
    await set("status = 'open', resolved_at = NULL");
    expect(await tickets.types()).toEqual(["ticket.reopened"]);
    await set("status = 'assigned', assigned_to = 'alice'");
    expect(await tickets.types()).toEqual(["ticket.assigned"]);
    await set("status = 'open', escalation_count = 1");
    expect(await tickets.types()).toEqual(["ticket.escalated"]);
    await set("status = 'resolved', resolved_at = now()");
    expect(await tickets.types()).toEqual(["ticket.resolved"]);
    await set("status = 'closed', closed_at = now()");
    expect(await tickets.types()).toEqual(["ticket.closed"]);
    await set("customer_name = 'somebody'");
    expect(await tickets.types()).toEqual([]);
  });

  test("when a ticket that had long come to its end is opened again", async () => {
    const long = { created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-02T00:00:00Z" };
    await source.insert("support_tickets", {
      ...long,
      status: "resolved",
      resolved_at: "2026-01-02T00:00:00Z",
    });
    const tickets = reader("support_tickets");
    expect(await tickets.types()).toEqual(["ticket.opened", "ticket.resolved"]);
    await source.sql("UPDATE support_tickets SET status = 'open', resolved_at = NULL, updated_at = now()");
    expect((await tickets.types()).filter((type) => type !== "ticket.opened")).toEqual(["ticket.reopened"]);
  });

  test("when details hold a list among a thousand good rows, in a table that nobody can mend", async () => {
    await source.insert("auth_audit_log", {
      username: "eve",
      action: "login",
      success: true,
      details: '["x"]',
    });
    await source.sql(
      "INSERT INTO auth_audit_log (username, action, success, timestamp, details) " +
        "SELECT 'user-' || n, 'login', n % 2 = 0, now(), '{\"n\": 1}' FROM generate_series(1, 1000) AS n",
    );
    await source.sql(
      "INSERT INTO auth_audit_log (username, action, timestamp, details) VALUES ('x', 'y', 'infinity', '7')",
    );
    const log = reader("auth_audit_log", { page_size: 300 });
    const { drafts, setAside } = await log.pass();
    expect(drafts).toHaveLength(1_001);
    expect(drafts.find((draft) => draft.actor?.userName === "eve")?.details["details"]).toEqual(["x"]);
    expect(setAside).toEqual([expect.stringContaining("infinity")]);
    expect(drafts.filter((draft) => draft.type === "auth.login.failed")).toHaveLength(500);
    await expect(source.sql("DELETE FROM auth_audit_log")).rejects.toThrow("append-only");
    expect(await log.pass()).toMatchObject({ drafts: [], setAside: [] });
  });

  test("when a row has no time, or one that cannot be, where rows are found by their time", async () => {
    await source.sql("ALTER TABLE support_tickets ALTER updated_at DROP NOT NULL");
    await source.insert("support_tickets", { status: "open", updated_at: null }, { status: "open" });
    await source.sql("INSERT INTO support_tickets (status, updated_at) VALUES ('closed', 'infinity')");
    await source.sql("INSERT INTO support_tickets (status, created_at) VALUES ('open', '9999-12-31')");
    const tickets = reader("support_tickets");
    const { drafts, setAside } = await tickets.pass();
    expect(new Set(drafts.map((draft) => draft.subject.id))).toEqual(new Set(["1", "2"]));
    expect(setAside).toHaveLength(2);
    await source.insert("support_tickets", { status: "open" });
    expect((await tickets.pass()).drafts.map((draft) => draft.subject.id)).toEqual(["5"]);
  });

  test("when a snapshot fails, as the program that makes them writes it down", async () => {
    const row = { tenant_id: "p", project_id: "p", volume_id: "v", created_at: "2026-11-20T01:00:00Z" };
    await source.insert(
      "snapshot_records",
      { ...row, action: "failed", status: "ERROR" },
      { ...row, action: "created", status: "OK" },
      { ...row, action: "quota_blocked", status: "QUOTA_BLOCKED" },
    );
    expect(await reader("snapshot_records").types()).toEqual([
      "snapshot.failed",
      "snapshot.created",
      "snapshot.quota_blocked",
    ]);
  });

  test("when a quota was never written, the others still tell, once for as long as they are nearly used up", async () => {
    const full = {
      project_id: "p",
      collected_at: new Date(),
      vcpus_used: 95,
      vcpus_quota: 100,
      storage_used_gb: 99,
    };
    const idle = { ...full, collected_at: new Date(), vcpus_used: 5 };
    const quotas = reader("metering_quotas");
    await source.insert("metering_quotas", full, full);
    expect(await quotas.types()).toEqual(["usage.quota.vcpus"]);
    await source.insert("metering_quotas", full);
    expect(await quotas.types()).toEqual([]);
    await source.insert("metering_quotas", idle, full, { ...full, storage_quota_gb: 100 });
    expect(await quotas.types()).toEqual(["usage.quota.vcpus", "usage.quota.storage"]);
  });

  test("when a server is deleted: whatever the action, its row is told", async () => {
    await source.insert("activity_log", {
      action: "delete",
      resource_type: "server",
      resource_id: "s-1",
      result: "success",
    });
    const [deleted] = (await reader("activity_log").pass()).drafts;
    expect(deleted).toMatchObject({ type: "activity.server.delete", subject: { kind: "server", id: "s-1" } });
  });

  test("when nothing changes, nothing is told again, however often a row is computed", async () => {
    const month = new Date().toISOString().slice(0, 8) + "01";
    await source.insert("sla_compliance_monthly", {
      tenant_id: "p",
      month,
      region_id: "r",
      at_risk_fields: ["rto"],
    });
    const sla = reader("sla_compliance_monthly");
    let told = 0;
    for (let cycle = 0; cycle < 4; cycle += 1) {
      told += (await sla.types()).length;
      await source.sql("UPDATE sla_compliance_monthly SET computed_at = now()");
    }
    expect(told).toBe(1);
  });

  test("when our place is lost, old rows come back as the very same events", async () => {
    await source.insert("activity_log", {
      action: "create",
      resource_type: "vm",
      timestamp: "2019-03-04T05:06:07Z",
    });
    await source.insert("support_tickets", {
      status: "closed",
      resolved_at: new Date(),
      closed_at: new Date(),
    });
    await source.insert("restore_jobs", {
      status: "SUCCEEDED",
      finished_at: new Date(),
      vm_id: "v",
      project_id: "p",
    });
    const all = new TableReader(source.url, { preset: "pf9-mngt" });
    const before = await all.pass();
    expect(before.drafts).toHaveLength(6);
    all.forget();
    expect(await all.pass()).toEqual({ ...before, completeTo: expect.any(Number) as number });
  });
});
