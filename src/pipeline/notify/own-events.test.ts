import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, event, minute, page, project } from "../../../test/drafts.ts";
import { notifyWorld, Receiver, startRule, testRule, type NotifyWorld } from "../../../test/notify-world.ts";
import { stagesOver } from "../../../test/stages.ts";
import { instant } from "../../model/instant.ts";
import type { Incident, IncidentChange } from "../../model/incident.ts";
import { projectKey } from "../../model/tenant.ts";
import { clean } from "../../normalise/clean.ts";
import type { AuditRecord } from "../../store/audit-store.ts";
import { tellAudit } from "../audit-timeline.ts";
import { withEditions } from "../editions.ts";
import { endMissingType, watchOperationEnds } from "../operation-ends.ts";
import { deliverDue, passAll } from "./notifier.ts";

/** Rules on what Isochron itself appends to the timeline, and what rules themselves append. */

let db: TestStore;
let receiver: Receiver;
let world: NotifyWorld;
const live = new AbortController().signal;
const provider = { kind: "provider" } as const;

beforeEach(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
  receiver = await new Receiver().open();
  world = notifyWorld(db.store);
  Object.assign(world.tools, { incidents: db.store.incidents });
});
afterEach(async () => {
  await world.close();
  await receiver.close();
  await db.close();
  expect(world.errors).toEqual([]);
});

async function round(): Promise<void> {
  await tellAudit({ clean, store: db.store.events }, db.store.audit);
  await passAll(world.tools);
  await deliverDue(world.tools, live);
}
const bodies = () => receiver.received.map(({ body }) => JSON.parse(body));
const incidents = () => db.store.incidents.list(provider, {}, 50);

/** As the routes of incidents tell the audit. */
const audit =
  (details: NonNullable<AuditRecord["details"]>) =>
  ({ id, state, version }: Incident): AuditRecord => ({
    at: world.now,
    action: "incident",
    outcome: "done",
    actor: { id: "somebody" },
    object: `incident:${id}`,
    details: { ...details, state, version },
  });

async function write(id: string, expectedVersion: number, ...changes: IncidentChange[]): Promise<void> {
  const kinds = changes.map(({ kind }) => kind);
  await db.store.incidents.append(id, {
    by: "x",
    at: world.now,
    expectedVersion,
    changes,
    audit: audit({ kinds }),
  });
}

test("an incident that is opened, or comes into another state, is told once; what else is written into it is not", async () => {
  const rule = (name: string, states: readonly Incident["state"][]) =>
    startRule(
      db.store,
      testRule(name, `${receiver.url}/${name}`, { condition: { kind: "incident-state", states } }),
    );
  await rule("drafts", ["draft"]);
  await rule("reviews", ["reviewed"]);
  const { incident } = await db.store.incidents.open({
    origin: "hand",
    by: "x",
    at: world.now,
    changes: [
      { kind: "title", title: "A switch" },
      { kind: "window", from: world.now },
    ],
    audit: audit({ opened: true }),
  });
  await round();
  expect(receiver.received.map(({ path }) => path)).toEqual(["/hook/drafts"]);
  expect(bodies()[0].events[0].summary).toContain(`incident:${incident.id}`);
  await write(incident.id, incident.version, { kind: "note", text: "n" });
  await round();
  expect(receiver.received).toHaveLength(1);
  await write(incident.id, incident.version + 1, { kind: "state", state: "reviewed" });
  await round();
  await write(incident.id, incident.version + 2, { kind: "note", text: "m" });
  await round();
  expect(receiver.received.map(({ path }) => path)).toEqual(["/hook/drafts", "/hook/reviews"]);
});

test("an operation that is stuck is told to the provider, and to whose it is without what is not theirs", async () => {
  const owner = projectKey("region-1", "p-prod");
  const query = { type: [endMissingType] };
  await startRule(db.store, testRule("p", `${receiver.url}/p`, { query }));
  await startRule(db.store, testRule("own", `${receiver.url}/own`, { query, owner, reach: "operational" }));
  const stranger = projectKey("region-1", "p-other");
  await startRule(
    db.store,
    testRule("other", `${receiver.url}/other`, { query, owner: stranger, reach: "operational" }),
  );
  const begun = instant(Date.UTC(2026, 10, 20, 10));
  const now = instant(begun + 500 * 60_000);
  world.now = now;
  const stages = stagesOver(db.store, now);
  await stages.store.connect({
    name: "cinder",
    source: "openstack-notifications",
    controlPlane: "region-1",
    config: {},
  });
  const tenant = { controlPlane: "region-1", domainId: "d-prod", projectId: "p-prod" };
  const started = draft("backup", 0, {
    occurredAt: begun,
    type: "backup.create.start",
    category: "backup",
    phase: "start",
    subject: { kind: "backup", id: "backup-1" },
    operation: { requestId: "req-1" },
    stated: { owner: { kind: "project", id: "p-prod" }, path: "payload.tenant_id" },
  });
  const told = { at: begun, holds: true, sourceId: "fact" };
  await stages.store.append({
    connection: "cinder",
    controlPlane: "region-1",
    stream: "main",
    events: [
      withEditions(
        {
          draft: started,
          attribution: { status: "owned", tenant, evidence: [] },
          dependsOn: [],
          ownEntities: [],
        },
        stages.redact,
      ),
    ],
    facts: [
      {
        from: { kind: "project", id: "p-prod" },
        relation: "part_of",
        to: { kind: "domain", id: "d-prod" },
        ...told,
      },
      { from: started.subject, relation: "owned_by", to: { kind: "project", id: "p-prod" }, ...told },
    ],
    rejects: [],
    completeTo: now,
  });
  const { reader, operations } = db.store;
  for (let pass = 0; pass < 6; pass += 1)
    await watchOperationEnds({ stages, reader, operations, holder: "one" });
  await round();
  await round();
  const paths = receiver.received.map(({ path }) => path).toSorted();
  expect(paths).toEqual(["/hook/own", "/hook/p"]);
  const own = receiver.received.find(({ path }) => path === "/hook/own");
  expect(own?.body).toContain("the end of something that was begun has not been seen");
  expect(own?.body).toContain("backup-1");
});

test("a rule opens one incident for what it tells together, pins the events, and is in the audit trail", async () => {
  await startRule(db.store, testRule("opens", receiver.url, { opensIncident: true }));
  const names = ["one", "two", "three"];
  await db.store.events.append(
    page(names.map((name, n) => event(draft(name, 50 + n, { summary: name }), project("a")))),
  );
  await round();
  await round();
  const [incident, ...others] = await incidents();
  expect(others).toEqual([]);
  expect(incident).toMatchObject({ title: "opens", origin: "rule", window: { from: minute(50) } });
  const pinned = await Promise.all(
    (incident?.pins ?? []).map(({ event: id }) => db.store.reader.event(provider, id)),
  );
  expect(pinned.map((one) => one?.event.summary)).toEqual(names);
  const { entries } = await db.store.audit.list({ object: `incident:${incident?.id}` }, 10);
  expect(entries).toMatchObject([{ action: "incident", details: { opened: true, state: "draft" } }]);
});

test("a rule that dies between the incident and its messages opens no second one, not even past midnight", async () => {
  await startRule(db.store, testRule("dies", receiver.url, { opensIncident: true }));
  await db.store.events.append(page([event(draft("one", 50), project("a"))]));
  const { store } = world.tools;
  const lost = { ...world.tools, store: { ...store, commit: async () => undefined } };
  await passAll(lost);
  world.now = instant(world.now + 24 * 3_600_000);
  await round();
  expect(await incidents()).toHaveLength(1);
  expect(receiver.received.filter(({ body }) => body.includes("Server one was created"))).toHaveLength(1);
});

test("an incident that a rule opens opens no other, whatever the rule gathers by", async () => {
  await startRule(db.store, testRule("loop", receiver.url, { opensIncident: true, groupBy: ["resource"] }));
  await db.store.events.append(page([event(draft("one", 50), project("a"))]));
  for (let rounds = 0; rounds < 4; rounds += 1) await round();
  expect(await incidents()).toHaveLength(1);
});
