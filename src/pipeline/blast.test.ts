import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connection, draft, edition, event, fact, minute, page, project } from "../../test/drafts.ts";
import { openTestStore, type TestStore } from "../../test/database.ts";
import { parseEntityKey } from "../model/entity.ts";
import { duration } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";
import { projectKey, tenantKey } from "../model/tenant.ts";
import { buildTopologyView } from "../resolve/topology-view.ts";
import type { StorableEvent } from "../store/event-store.ts";
import { findBlast, type BlastAnswer, type BlastParts, type BlastQuestion } from "./blast.ts";

const provider: Scope = { kind: "provider" };
const [red, blue] = [project("red"), project("blue", "domain-2")];
const redScope: Scope = { kind: "tenant", label: "red", keys: [tenantKey(red)] };
const host = parseEntityKey("host:h1");
const server = (name: string) => parseEntityKey(`server:${name}`);

let db: TestStore;
let parts: BlastParts;

/** A host with two tenants' servers, one that left before the failure and one that came after it. */
beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
  await db.store.events.append(
    page([hostDown("host-down", 100), hostDown("host-down-still", 101), ...symptoms(), ...redHistory()], {
      facts: [
        fact("server:r1", "runs_on", host, 1),
        fact("server:b1", "runs_on", host, 1),
        fact("server:left", "runs_on", host, 1),
        fact("server:left", "runs_on", "host:h2", 50),
        fact("server:later", "runs_on", "host:h2", 1),
        fact("server:later", "runs_on", host, 130),
        fact("server:deleted", "runs_on", host, 1),
        fact("server:deleted", "removed_from", "component:nova", 60),
        fact("volume:v1", "attached_to", "server:r1", 1),
        fact("port:p1", "attached_to", "server:r1", 1),
        fact("port:gone", "attached_to", "server:r1", 1),
        fact("port:gone", "attached_to", "server:r1", 90, { holds: false }),
        fact("floating_ip:f1", "bound_to", "port:p1", 1),
        fact("server:r1", "made_from", "image:i", 1),
        fact("server:r1", "owned_by", "project:red", 1),
        fact("server:r1", "named", "name:web", 1),
        fact("server:b1", "owned_by", "project:blue", 1),
        fact("port:p1", "owned_by", "project:red", 1),
        fact("project:red", "part_of", "domain:domain-1", 1),
        fact("server:old", "runs_on", "host:h9", 1),
      ],
    }),
  );
  const { reader, topology } = db.store;
  parts = { reader, topology, buildView: buildTopologyView };
});
afterAll(() => db.close());

function hostDown(key: string, at: number): StorableEvent {
  const of = draft(key, at, {
    type: "host.down",
    kind: "symptom",
    severity: "critical",
    subject: host,
    summary: "secret-host is down",
  });
  const part = { role: "place", ref: { kind: "part", id: "part-1" } };
  const notice = (tenant: typeof red, own: string) =>
    edition(of, tenant, {
      notice: true,
      type: "platform.trouble",
      subject: server(own),
      related: [{ role: "affected", ref: server(own) }, part],
      summary: "Trouble with part-1",
    });
  const affected = [
    { tenant: red, resources: [server("r1")] },
    { tenant: blue, resources: [server("b1")] },
  ];
  return {
    draft: of,
    attribution: { status: "shared", affected, evidence: [] },
    dependsOn: [],
    editions: [notice(red, "r1"), notice(blue, "b1")],
  };
}

function symptoms(): StorableEvent[] {
  const alarm = (name: string, at: number, subject: string, severity = "error" as const) =>
    draft(name, at, { kind: "symptom", severity, type: "alert.down", subject: parseEntityKey(subject) });
  return [
    event(alarm("r1-down", 103, "server:r1"), red),
    event(alarm("r1-down-still", 104, "server:r1"), red),
    event(alarm("r1-before", 60, "server:r1"), red),
    event(alarm("b1-much-later", 300, "server:b1"), blue),
  ];
}

/** What the red tenant's own events say of its things. */
function redHistory(): StorableEvent[] {
  const naming = (name: string, at: number, type: string, subject: string, other: string) =>
    event(
      draft(name, at, {
        type,
        phase: "end",
        subject: parseEntityKey(subject),
        related: [{ role: "other", ref: parseEntityKey(other) }],
      }),
      red,
    );
  return [
    naming("attach", 10, "port.create.end", "port:p1", "server:r1"),
    naming("bind", 11, "floatingip.update.end", "floating_ip:f1", "port:p1"),
    naming("plug", 12, "port.create.end", "port:gone", "server:r1"),
    naming("unplug", 90, "port.delete.end", "port:gone", "server:r1"),
    naming("plug-later", 130, "port.create.end", "port:later", "server:r1"),
  ];
}

async function ask(scope: Scope, fields: Partial<BlastQuestion>): Promise<BlastAnswer | undefined> {
  const usual = { events: [], resources: [], windowMs: duration(3_600_000), hops: 4, limit: 200 };
  return findBlast(parts, scope, { ...usual, ...fields });
}

async function idOf(scope: Scope, type: string): Promise<string> {
  const found = await db.store.reader.timeline(scope, { types: [type] }, { limit: 1, order: "oldest" });
  return found.events[0]!.event.id;
}

function told(answer: BlastAnswer | undefined): readonly string[] {
  return answer?.items.map(({ state, ref }) => `${state} ${ref.kind}:${ref.id}`).toSorted() ?? [];
}

describe("what a failure reaches, for the provider", () => {
  it("is what stood there at that moment: not who had left, nor who came later, nor what was deleted", async () => {
    const answer = await ask(provider, { events: [await idOf(provider, "host.down")] });
    expect(told(answer)).toEqual([
      "confirmed server:r1",
      "predicted floating_ip:f1",
      "predicted port:p1",
      "predicted server:b1",
    ]);
  });

  it("is another at another moment", async () => {
    const early = await ask(provider, { resources: [host], at: minute(20) });
    expect(told(early)).toContain("predicted server:left");
    const late = await ask(provider, { resources: [host], at: minute(140) });
    expect(told(late)).toContain("predicted server:later");
    expect(told(late)).not.toContain("predicted server:left");
  });

  it("tells symptoms within the window alone, with the events, never the one that was asked about", async () => {
    const answer = await ask(provider, { events: [await idOf(provider, "host.down")] });
    const [confirmed] = answer!.items;
    expect(confirmed?.symptoms.count).toBe(2);
    expect(confirmed?.symptoms.first.map(({ event: one }) => one.summary)).toEqual([
      "Server r1-down was created",
      "Server r1-down-still was created",
    ]);
    const longer = await ask(provider, {
      events: [await idOf(provider, "host.down")],
      windowMs: duration(4 * 3_600_000),
    });
    expect(longer!.counts).toEqual({ reached: 4, confirmed: 2 });
  });

  it("counts by kind and by tenant, with names, depth, way and likelihood", async () => {
    const answer = await ask(provider, { events: [await idOf(provider, "host.down")] });
    expect(answer!.byKind[0]).toEqual({ kind: "server", reached: 2, confirmed: 1 });
    expect(answer!.byTenant).toMatchObject([
      { tenant: { projectId: "red", domainId: "domain-1" }, reached: 2, confirmed: 1 },
      { tenant: { projectId: "blue" }, reached: 1, confirmed: 0 },
    ]);
    expect(answer!.items[0]).toMatchObject({ name: "web", depth: 1, likelihood: "very likely" });
    const address = answer!.items.find(({ ref }) => ref.kind === "floating_ip");
    expect(address).toMatchObject({ depth: 3, probability: 0.95 * 0.9 * 0.9 });
  });

  it("goes from several things at once", async () => {
    const answer = await ask(provider, { resources: [host, parseEntityKey("host:h2")], at: minute(100) });
    expect(told(answer)).toContain("predicted server:left");
    expect(told(answer)).toContain("confirmed server:r1");
  });

  it("says what nobody knows: a relation that was last seen long before, and a thing without any", async () => {
    const day = 24 * 60;
    const late = await ask(provider, { resources: [parseEntityKey("host:h9")], at: minute(3 * day) });
    expect(late!.items[0]).toMatchObject({ isStale: true });
    expect(late!.unknown.join()).toContain("whether it still held is not known");
    const alone = await ask(provider, { resources: [server("left")], at: minute(100) });
    expect(alone!.items).toEqual([]);
    expect(alone!.unknown.join()).toContain("not certain");
  });

  it("is nothing for what does not exist", async () => {
    expect(await ask(provider, { events: ["evt_none"] })).toBeUndefined();
    expect(await ask(provider, { resources: [server("nobody")], at: minute(100) })).toBeUndefined();
  });
});

describe("what a failure reaches, for a tenant", () => {
  it("is its own part of a shared cause, by its own events, and nothing of the place or of others", async () => {
    const answer = await ask(redScope, { events: [await idOf(redScope, "platform.trouble")] });
    expect(told(answer)).toEqual(["confirmed server:r1", "predicted floating_ip:f1", "predicted port:p1"]);
    // That the platform had trouble once more is no symptom of the server.
    expect(answer!.items[0]?.symptoms.count).toBe(2);
    const whole = JSON.stringify(answer);
    for (const word of ["secret-host", "h1", "b1", "blue"]) expect(whole).not.toContain(word);
    expect(answer!.byTenant).toEqual([]);
  });

  it("does not change with what the provider's topology learns", async () => {
    const asked = { events: [await idOf(redScope, "platform.trouble")] };
    const before = JSON.stringify(await ask(redScope, asked));
    const facts = [fact("server:b2", "runs_on", host, 2), fact("volume:v9", "attached_to", "server:r1", 2)];
    await db.store.events.append(page([], { facts }));
    expect(JSON.stringify(await ask(redScope, asked))).toBe(before);
  });

  it("is not there for another's event, or a resource that none of its own name", async () => {
    const own = projectKey(red.controlPlane, "red");
    const blueScope: Scope = { kind: "tenant", label: "blue", keys: [tenantKey(blue)] };
    const theirs = await idOf(blueScope, "platform.trouble");
    expect(await ask(redScope, { events: [theirs] })).toBeUndefined();
    expect(await ask(redScope, { events: [await idOf(provider, "host.down")] })).toBeUndefined();
    expect(
      await ask({ kind: "tenant", label: "red", keys: [own] }, { resources: [host], at: minute(100) }),
    ).toBeUndefined();
    expect(await ask(redScope, { resources: [server("b1")], at: minute(100) })).toBeUndefined();
  });
});
