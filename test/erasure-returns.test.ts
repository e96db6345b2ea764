import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestStore, type TestStore } from "./database.ts";
import { connection, draft, edition, event, fact, minute, ownedBy, page, project } from "./drafts.ts";
import { openErasureDesk, type DeskTools } from "../src/pipeline/erasure-desk.ts";
import { runRetention } from "../src/pipeline/retention.ts";
import type { Attribution } from "../src/model/event.ts";
import { duration, instant } from "../src/model/instant.ts";
import { keepEverything, type ErasureTarget } from "../src/model/retention.ts";
import { domainKey, projectKey, type TenantKey, type TenantRef } from "../src/model/tenant.ts";
import type { StorableEvent } from "../src/store/event-store.ts";
import type { ErasureRecord } from "../src/store/retention-store.ts";

/** The ways by which what was deleted could come back, or by which others could lose what is theirs. */

const dayMs = 86_400_000;
const now = instant(minute(0) + 10 * dayMs);
const gone = project("canary-project", "domain-1");
const other = project("other-project", "domain-2");
const neverAborted = new AbortController().signal;
let db: TestStore;

beforeEach(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
});
afterEach(() => db.close());

function tools(fields: Partial<DeskTools> = {}): DeskTools {
  const { retention, audit } = db.store;
  const fixed = {
    policy: keepEverything,
    now: () => now,
    holder: "test",
    identityProviders: [],
    waits: true,
  };
  return { retention, audit, ...fixed, ...fields };
}

const tenant = (...keys: TenantKey[]): ErasureTarget => ({ kind: "tenant", label: "x", keys });
const goneTarget = tenant(projectKey("default", "canary-project"));

/** Carried out, and its notices to open streams forgotten as they are an hour later. */
async function erase(target: ErasureTarget): Promise<ErasureRecord> {
  const asked = { target, why: "w", by: "admin", actor: { id: "admin" } };
  const record = await openErasureDesk(tools()).erase(asked);
  await runRetention(tools({ now: () => instant(now + 3_600_001) }), neverAborted);
  return record;
}

function hold(target: ErasureTarget & { kind: "tenant" }) {
  return db.store.retention.placeHold({ target, why: "w", placedBy: "admin", placedAt: now });
}

const keys = async (): Promise<readonly unknown[]> =>
  (await db.sql("SELECT key FROM isochron.event ORDER BY key")).map((row) => row["key"]);

/** Tables in which the text stands, in rows as text or in bytes. */
async function whereIs(text: string): Promise<readonly string[]> {
  const tables = await db.sql<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'isochron'::regnamespace AND relkind IN ('r', 'p')
        AND NOT relispartition ORDER BY 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const [row] = await db.sql<{ found: boolean }>(
      `SELECT EXISTS (SELECT FROM isochron.${name} t WHERE t::text ~* $1 OR position(encode(convert_to($1, 'UTF8'), 'hex') IN t::text) > 0) AS found`,
      [text],
    );
    if (row?.found === true) found.push(name);
  }
  return found;
}

function shared(
  name: string,
  at: number,
  tenants: readonly TenantRef[],
  fields: Partial<StorableEvent["draft"]> = {},
): StorableEvent {
  const of = draft(name, at, { visibility: "provider", subject: { kind: "host", id: "h1" }, ...fields });
  const attribution: Attribution = {
    status: "shared",
    affected: tenants.map((one) => ({ tenant: one, resources: [] })),
    evidence: [],
  };
  const notices = tenants.map((one) =>
    edition(of, one, { notice: true, visibility: "operational", related: [], details: {} }),
  );
  return { draft: of, attribution, dependsOn: ["host:h1"], editions: notices };
}

test("a hold on a domain keeps its projects from being erased", async () => {
  await db.store.events.append(page([event(draft("a", 1), gone)]));
  await hold({ kind: "tenant", label: "d", keys: [domainKey("default", "domain-1")] });
  expect((await erase(goneTarget)).counts).toMatchObject({ events: 0, held: 1 });
  expect(await keys()).toEqual(["a"]);
});

test("a hold on a project keeps what is its from an erasure of its domain", async () => {
  await db.store.events.append(
    page([event(draft("a", 1), gone), event(draft("b", 1), project("b", "domain-1"))]),
  );
  await hold({ kind: "tenant", label: "p", keys: [projectKey("default", "canary-project")] });
  expect((await erase(tenant(domainKey("default", "domain-1")))).counts).toMatchObject({
    events: 1,
    held: 1,
  });
  expect(await keys()).toEqual(["a"]);
});

test("a hold on a domain keeps its project's part of a shared event from an erasure of the project", async () => {
  await db.store.events.append(page([shared("down", 1, [gone, other])]));
  await hold({ kind: "tenant", label: "d", keys: [domainKey("default", "domain-1")] });
  expect((await erase(goneTarget)).counts).toMatchObject({ changed: 0, held: 1 });
});

test("an event that may be the held tenant's is kept by its hold", async () => {
  const attribution: Attribution = { status: "ambiguous", candidates: [gone, other], evidence: [] };
  await db.store.events.append(page([event(draft("a", 1), undefined, { attribution })]));
  await hold({ kind: "tenant", label: "p", keys: [projectKey("default", "canary-project")] });
  await runRetention(tools({ policy: { days: { operational: 1 }, tenants: new Map() } }), neverAborted);
  expect(await keys()).toEqual(["a"]);
});

test("two erasures and a pass at once are all carried out", async () => {
  await db.store.events.append(page([event(draft("a", 1), gone), event(draft("b", 1), other)]));
  const desk = openErasureDesk(tools());
  const order = (target: ErasureTarget) =>
    desk.erase({ target, why: "w", by: "admin", actor: { id: "admin" } });
  const [first, second] = await Promise.all([
    order(goneTarget),
    order(tenant(projectKey("default", "other-project"))),
    runRetention(tools(), neverAborted),
  ]);
  expect([first?.doneAt, second?.doneAt]).toEqual([now, now]);
  expect(await keys()).toEqual([]);
});

test("an erasure that was broken off is gone on with though no pass is due", async () => {
  await db.store.events.append(page([event(draft("a", 1), gone)]));
  await runRetention(tools(), neverAborted, 3_600_000);
  await db.store.retention.requestErasure({ target: goneTarget, why: "w", by: "admin", at: now });
  await runRetention(tools(), neverAborted, 3_600_000);
  expect(await keys()).toEqual([]);
});

test("a late record that only states the erased as its owner is refused", async () => {
  await erase(goneTarget);
  const stated = { owner: { kind: "project", id: "canary-project" }, path: "payload.tenant_id" } as const;
  const late = draft("late", 1, { stated, details: { tenant_id: "canary-project" } });
  expect(await db.store.events.append(page([event(late)]))).toMatchObject({ created: 0, expired: 1 });
});

test("a late record that mentions the erased beside its subject comes in without them", async () => {
  await db.store.events.append(
    page([], { facts: [fact("server:canary-server", "owned_by", "project:canary-project", 0)] }),
  );
  await erase(goneTarget);
  await erase({ kind: "user", userId: "canary-user", words: [] });
  const late = draft("late", 1, {
    related: [
      { role: "user", ref: { kind: "user", id: "canary-user" }, name: "Canary Person" },
      { role: "ran", ref: { kind: "server", id: "canary-server" }, name: "canary-name" },
      { role: "project", ref: { kind: "project", id: "canary-project" } },
    ],
    details: {
      user: "canary-user",
      at: "Canary Person",
      tenant: "CANARY-PROJECT",
      server: ["canary-server", "canary-name"],
    },
    summary: "canary-user was let into canary-project",
    actor: { userId: "an-admin", projectId: "canary-project" },
  });
  expect(await db.store.events.append(page([event(late, other)]))).toMatchObject({ created: 1 });
  const down = shared("down", 2, [gone, other], { details: { of: "canary-project" } });
  expect(await db.store.events.append(page([down]))).toMatchObject({ created: 1 });
  expect(await whereIs("canary")).toEqual([]);
  const before = await db.store.digest();
  expect(await db.store.events.append(page([event(late, other), down]))).toMatchObject({ repeated: 2 });
  expect(await db.store.digest()).toBe(before);
});

test("a later answer gives nothing from before the erasure to the erased", async () => {
  await db.store.events.append(page([event(draft("unknown", 1))]));
  await erase(goneTarget);
  const [row] = await db.sql<{ id: string }>("SELECT id FROM isochron.event");
  const answer = {
    eventId: row!.id,
    occurredAt: minute(1),
    dependsOn: [],
    editions: [edition(draft("unknown", 1), gone)],
  };
  await db.store.events.reattributed({ token: { marks: [] }, events: [] }, [
    { ...answer, attribution: ownedBy(gone) },
  ]);
  expect(await db.sql("SELECT attribution FROM isochron.event")).toEqual([
    { attribution: { status: "unresolved", evidence: [] } },
  ]);
  expect(await whereIs("canary")).toEqual([]);
});

test("a twin does not bring back a tenant's part that has gone", async () => {
  const twin = (side: string) => ({ group: "g", side, within: duration(60_000) });
  const one = shared("versioned", 0, [gone, other], { twin: twin("versioned") });
  await db.store.events.append(page([one]));
  const policy = {
    days: {},
    tenants: new Map([[projectKey("default", "canary-project"), { operational: 1 }]]),
  };
  await runRetention(tools({ policy }), neverAborted);
  expect(await db.sql("SELECT FROM isochron.tenant_event")).toHaveLength(1);
  const second = shared("legacy", 0, [gone, other, project("third")], { twin: twin("legacy") });
  await db.store.events.append(page([second]));
  expect(
    (await db.sql("SELECT tenant_key FROM isochron.tenant_event ORDER BY 1")).map((row) => row["tenant_key"]),
  ).not.toContain("project/default/canary-project");
});

test("what nobody could read is not set aside again under another position", async () => {
  const reject = (position: string) => ({
    position,
    bytes: Buffer.from(`{"tenant_id":"canary-project","x":`),
    meta: {},
    receivedAt: minute(0),
    code: "record-invalid",
    reason: "It is broken.",
  });
  await db.store.events.append(page([], { rejects: [reject("1")] }));
  await erase(goneTarget);
  await db.store.events.append(page([], { rejects: [reject("1"), reject("2")] }));
  expect(await whereIs("canary")).toEqual([]);
});

test("a tenant with thousands of things is erased", async () => {
  const ids = Array.from({ length: 6_000 }, (_, n) => `canary-server-${String(n).padStart(22, "0")}`);
  await db.store.events.append(
    page([event(draft("a", 1), gone), event(draft("b", 1, { details: { saw: ids[5_999]! } }), other)], {
      facts: ids.map((id) => fact(`server:${id}`, "owned_by", "project:canary-project", 0)),
    }),
  );
  expect(await erase(goneTarget)).toMatchObject({ doneAt: now, counts: { events: 1, changed: 1 } });
  expect(await whereIs("canary")).toEqual([]);
});

test("places of two erased projects that a source goes on from do not stand in each other's way", async () => {
  await db.store.events.append(page([event(draft("a", 1), gone)]));
  await db.sql(
    "INSERT INTO isochron.connection_cursor (connection, stream, value) VALUES ('nova', 'of canary-project', '{}'), ('nova', 'of canary-second', '{}')",
  );
  const target = tenant(projectKey("default", "canary-project"), projectKey("default", "canary-second"));
  expect(await erase(target)).toMatchObject({ doneAt: now });
  expect(await whereIs("canary")).toEqual([]);
});

test("an event about the erased one's thing that affects others too stays theirs", async () => {
  await db.store.events.append(
    page([shared("down", 1, [gone, other], { subject: { kind: "volume", id: "canary-volume" } })], {
      facts: [fact("volume:canary-volume", "owned_by", "project:canary-project", 0)],
    }),
  );
  await erase(goneTarget);
  expect(await db.sql("SELECT tenant_key FROM isochron.tenant_event")).toEqual([
    { tenant_key: "project/default/other-project" },
  ]);
  expect(await whereIs("canary")).toEqual([]);
});
