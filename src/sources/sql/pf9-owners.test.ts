import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openTestStore } from "../../../test/database.ts";
import type { TestStore } from "../../../test/database.ts";
import type { SourceDatabase } from "../../../test/sql-source/source-database.ts";
import { openSourceDatabase } from "../../../test/sql-source/source-database.ts";
import { sqlIo, TableReader } from "../../../test/sql-source/table-reader.ts";
import type { EventDraft } from "../../model/event.ts";
import { instant } from "../../model/instant.ts";
import { clean } from "../../normalise/clean.ts";
import { decoders } from "../../normalise/decode.ts";
import { redact } from "../../../test/redact.ts";
import { harvestOnce } from "../../pipeline/harvest.ts";
import type { Stages } from "../../pipeline/ingest.ts";
import { createResolver } from "../../resolve/graph-resolver.ts";
import { buildTopologyView } from "../../resolve/topology-view.ts";
import type { PullSource } from "../source.ts";
import { sql } from "../sql.ts";

/** How the reference timeline gives events to the wrong tenant, or to none; one test each. */

let source: SourceDatabase;
beforeAll(async () => {
  source = await openSourceDatabase("pf9-mngt");
});
beforeEach(() =>
  source.sql(
    "TRUNCATE activity_log, operational_insights, support_tickets, snapshot_records, sla_compliance_monthly, " +
      "metering_efficiency, metering_quotas, auth_audit_log, backup_history RESTART IDENTITY",
  ),
);
afterAll(() => source.close());

async function draftsOf(only: string): Promise<readonly EventDraft[]> {
  return (await new TableReader(source.url, { preset: "pf9-mngt", only: [only] }).pass()).drafts;
}

async function draftOf(only: string, row: Readonly<Record<string, unknown>>): Promise<EventDraft> {
  await source.insert(only, row);
  return (await draftsOf(only))[0]!;
}

const at = new Date();

describe("pf9-mngt's rows state an owner by id only", () => {
  test("two projects of one name in two domains stay two, as names that prove nothing", async () => {
    const spike = { cpu_efficiency: 99, project_name: "prod", collected_at: at };
    await source.insert(
      "metering_efficiency",
      { ...spike, vm_id: "vm-a", domain: "acme" },
      { ...spike, vm_id: "vm-b", domain: "bravo" },
    );
    const drafts = (await draftsOf("metering_efficiency")).filter(
      (draft) => draft.type === "usage.cpu.critical",
    );
    expect(drafts.map(({ subject, related }) => [subject.id, related.at(-1)?.ref.id])).toEqual([
      ["vm-a", "acme/prod"],
      ["vm-b", "bravo/prod"],
    ]);
    for (const draft of drafts) {
      expect(draft.stated).toBeUndefined();
      expect(draft.related.filter(({ role }) => role === "project_name").map(({ ref }) => ref.kind)).toEqual([
        "name",
      ]);
    }
  });

  test("a domain's name is an alias of the domain, because it is one domain's only; a project's is none", async () => {
    const draft = await draftOf("metering_quotas", {
      project_name: "prod",
      domain: "acme",
      instances_quota: 10,
      instances_used: 10,
      collected_at: at,
    });
    expect(draft.stated).toBeUndefined();
    expect(draft.related.filter(({ role }) => role.startsWith("alias"))).toEqual([
      { role: "alias:domain", ref: { kind: "name", id: "acme" } },
    ]);
  });

  test("a project's name in an insight's metadata decides nothing: the server's id does", async () => {
    const draft = await draftOf("operational_insights", {
      type: "cpu",
      severity: "high",
      status: "open",
      entity_type: "vm",
      entity_id: "vm-of-bravo",
      metadata: { project: "prod" },
    });
    expect(draft.subject).toEqual({ kind: "server", id: "vm-of-bravo" });
    expect(draft.stated).toBeUndefined();
    expect(draft.details["metadata"]).toEqual({ project: "prod" });
  });

  test("a failed sign-in at the management portal is nobody's but the provider's, whoever else bears the name", async () => {
    const draft = await draftOf("auth_audit_log", {
      username: "admin",
      action: "login",
      success: false,
      timestamp: at,
    });
    expect(draft).toMatchObject({ platform: true, visibility: "security", actor: { userName: "admin" } });
    expect(draft.stated).toBeUndefined();
    expect(draft.related).toEqual([]);
  });

  test("a column called tenant_id that holds a project's id states the project", async () => {
    const month = `${at.toISOString().slice(0, 8)}01`;
    const sla = await draftOf("sla_compliance_monthly", {
      tenant_id: "project-a",
      month,
      region_id: "r",
      breach_fields: ["rto"],
    });
    expect(sla.stated).toEqual({ owner: { kind: "project", id: "project-a" }, path: "row.tenant_id" });
    const row = { action: "created", status: "OK", volume_id: "v", tenant_id: "project-a", created_at: at };
    const snapshot = await draftOf("snapshot_records", { ...row, project_id: "project-a" });
    expect(snapshot.stated).toEqual({ owner: { kind: "project", id: "project-a" }, path: "row.project_id" });
  });

  test("an insight about a `tenant` names a project or a domain, and states neither", async () => {
    const draft = await draftOf("operational_insights", {
      type: "risk",
      severity: "low",
      status: "open",
      entity_type: "tenant",
      entity_id: "one-of-the-two",
    });
    expect(draft.stated).toBeUndefined();
    expect(draft.subject.kind).toBe("insight");
    expect(draft.related).toEqual([
      { role: "candidate_project", ref: { kind: "project", id: "one-of-the-two" } },
      { role: "candidate_domain", ref: { kind: "domain", id: "one-of-the-two" } },
    ]);
  });

  test("a domain that is empty or only named states nothing; a project's id does", async () => {
    const provisioned = await draftOf("activity_log", {
      action: "provision",
      resource_type: "tenant",
      domain_name: "acme",
    });
    expect(provisioned.stated).toBeUndefined();
    expect(provisioned.related.at(-1)).toEqual({
      role: "domain_name",
      ref: { kind: "name", id: "acme" },
      name: "acme",
    });
    const ticket = await draftOf("support_tickets", {
      status: "open",
      domain_id: "",
      project_id: "project-a",
    });
    expect(ticket.stated?.owner).toEqual({ kind: "project", id: "project-a" });
    await source.insert("support_tickets", { status: "open", domain_id: "" });
    expect(
      (await draftsOf("support_tickets")).find(({ subject }) => subject.id === "2")?.stated,
    ).toBeUndefined();
    const quota = await draftOf("metering_quotas", {
      project_id: "project-a",
      collected_at: at,
      vcpus_used: 9,
      vcpus_quota: 10,
    });
    expect(quota.stated?.owner).toEqual({ kind: "project", id: "project-a" });
  });

  test("backups of the management's own database are the provider's", async () => {
    const draft = await draftOf("backup_history", {
      status: "failed",
      completed_at: at,
      backup_target: "database",
    });
    expect(draft).toMatchObject({ platform: true, visibility: "provider" });
  });

  test("the region of a row is kept beside it, where the row has one", async () => {
    const row = {
      project_id: "p",
      collected_at: at,
      vcpus_used: 9,
      vcpus_quota: 10,
      region_id: "region-two",
    };
    const { related } = await draftOf("metering_quotas", row);
    expect(related).toContainEqual({ role: "region", ref: { kind: "region", id: "region-two" } });
  });
});

describe("in the store", () => {
  let opened: TestStore;
  let stages: Stages;
  beforeAll(async () => {
    opened = await openTestStore();
    stages = {
      decoders,
      clean,
      resolve: createResolver({ providerDomains: new Set() }),
      buildView: buildTopologyView,
      redact,
      store: opened.store.events,
      topology: opened.store.topology,
      now: () => instant(Date.now()),
    };
  });
  afterAll(() => opened.close());

  function harvest(controlPlane: string, url: string, only: string) {
    const connection = { name: `${only}@${controlPlane}`, source: "sql", controlPlane };
    const config = { url: "env:URL", preset: "pf9-mngt", only: [only] };
    const asSource = sql as unknown as PullSource;
    return harvestOnce(stages, { connection, source: asSource, config, io: sqlIo(url), holder: "test" });
  }

  test("two control planes with the same ids stay two, down to the tenant", async () => {
    const other = await openSourceDatabase("pf9-mngt");
    try {
      const row = { status: "open", ticket_ref: "T-1", domain_id: "default", created_at: at, updated_at: at };
      for (const database of [source, other]) await database.insert("support_tickets", row);
      for (const [plane, { url }] of [
        ["one", source],
        ["two", other],
      ] as const) {
        expect(await harvest(plane, url, "support_tickets")).toMatchObject({ created: 1, setAside: 0 });
        expect(await harvest(plane, url, "support_tickets")).toMatchObject({ records: 0 });
      }
      const { events: visible } = await opened.store.reader.timeline(
        { kind: "provider" },
        { from: instant(at.getTime() - 60_000), to: instant(at.getTime() + 60_000) },
        { order: "newest", limit: 10 },
      );
      const events = visible.flatMap((one) => (one.audience === "provider" ? [one.event] : []));
      expect(new Set(events.map((event) => event.id)).size).toBe(2);
      const tenants = events.map(({ attribution }) =>
        attribution.status === "owned" ? attribution.tenant : attribution,
      );
      expect(tenants).toEqual(
        expect.arrayContaining([
          { controlPlane: "one", domainId: "default" },
          { controlPlane: "two", domainId: "default" },
        ]),
      );
    } finally {
      await other.close();
    }
  });

  test("one row with an impossible time is set aside alone", async () => {
    await source.insert("activity_log", { action: "a", resource_type: "vm", timestamp: at });
    await source.sql(
      "INSERT INTO activity_log (action, resource_type, timestamp) VALUES ('b', 'vm', '-infinity')",
    );
    await source.insert("activity_log", {
      action: "c",
      resource_type: "vm",
      timestamp: at,
      details: '"scalar"',
    });
    expect(await harvest("one", source.url, "activity_log")).toMatchObject({
      records: 3,
      created: 2,
      setAside: 1,
    });
    expect(await harvest("one", source.url, "activity_log")).toMatchObject({ records: 0 });
  });
});
