import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, edition, event, minute, page, project } from "../../../test/drafts.ts";
import type { Attribution } from "../../model/event.ts";
import { instant, type Instant } from "../../model/instant.ts";
import type { RetentionPolicy } from "../../model/retention.ts";
import { domainKey, projectKey, type TenantKey, type TenantRef } from "../../model/tenant.ts";
import type { StorableEvent } from "../event-store.ts";

const dayMs = 86_400_000;
const day = (n: number): number => n * 24 * 60;
const after = (days: number): Instant => instant(minute(0) + days * dayMs);

let db: TestStore;

beforeEach(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
});
afterEach(() => db.close());

function policy(
  days: RetentionPolicy["days"],
  tenants: Readonly<Record<string, RetentionPolicy["days"]>> = {},
  setAsideDays?: number,
): RetentionPolicy {
  return {
    days,
    tenants: new Map(Object.entries(tenants) as [TenantKey, RetentionPolicy["days"]][]),
    ...(setAsideDays === undefined ? {} : { setAsideDays }),
  };
}

/** One whole pass, two events at a time. */
async function expire(given: RetentionPolicy, now: Instant): Promise<{ events: number; editions: number }> {
  const { retention } = db.store;
  const epoch = (await retention.take("test", 60_000))!;
  const sum = { events: 0, editions: 0 };
  for (let done = false; !done;) {
    const batch = await retention.expire(epoch, given, now, 2);
    sum.events += batch.events;
    sum.editions += batch.editions;
    done = batch.done;
  }
  while ((await retention.expireSetAside(epoch, given, now, 2)) === 2);
  await retention.dropEmptyWeeks(epoch, given, now);
  await retention.release(epoch, true);
  return sum;
}

function shared(name: string, at: number, tenants: readonly TenantRef[]): StorableEvent {
  const of = draft(name, at, {
    type: "host.down",
    visibility: "provider",
    subject: { kind: "host", id: "h1" },
  });
  const attribution: Attribution = {
    status: "shared",
    affected: tenants.map((tenant) => ({
      tenant,
      resources: [{ kind: "server", id: `s-${tenant.projectId}` }],
    })),
    evidence: [],
  };
  const notices = tenants.map((tenant) => edition(of, tenant, { notice: true, visibility: "operational" }));
  return { draft: of, attribution, dependsOn: ["host:h1"], editions: notices };
}

const ids = (): Promise<readonly { key: string }[]> => db.sql("SELECT key FROM isochron.event ORDER BY key");
const editionsOf = async (id: string): Promise<number> =>
  (await db.sql("SELECT FROM isochron.tenant_event WHERE tenant_key = $1", [projectKey("default", id)]))
    .length;

test("what is older than its class is kept goes, with all that is known of it, and the rest stays", async () => {
  await db.store.events.append(
    page([
      event(draft("old", 0), project("a")),
      event(draft("old sign-in", 0, { visibility: "security" }), project("a")),
      event(draft("young", day(8)), project("a")),
    ]),
  );
  await db.store.events.append(page([event(draft("old", 0, { summary: "Now otherwise" }), project("a"))]));
  expect(await expire(policy({ operational: 7 }), after(10))).toEqual({ events: 1, editions: 1 });
  expect(await ids()).toEqual([{ key: "old sign-in" }, { key: "young" }]);
  for (const table of ["event_revision", "retraction"])
    expect(await db.sql(`SELECT FROM isochron.${table}`)).toHaveLength(0);
  expect(await db.sql("SELECT FROM isochron.delivery WHERE key = 'old'")).toHaveLength(0);
});

test("a tenant's own word counts before its domain's, and that before everybody's", async () => {
  await db.store.events.append(
    page([
      event(draft("a", 0), project("a")),
      event(draft("b", 0), project("b")),
      event(draft("c", 0), project("c", "domain-2")),
      event(draft("d", 0), project("d", "domain-2")),
    ]),
  );
  const given = policy(
    { operational: 7 },
    {
      [projectKey("default", "a")]: { operational: null },
      [projectKey("default", "b")]: { operational: 30 },
      [projectKey("default", "c")]: { operational: 3 },
      [domainKey("default", "domain-2")]: { operational: 20 },
    },
  );
  await expire(given, after(5));
  expect(await ids()).toEqual([{ key: "a" }, { key: "b" }, { key: "d" }]);
  await expire(given, after(25));
  expect(await ids()).toEqual([{ key: "a" }, { key: "b" }]);
  await expire(given, after(400));
  expect(await ids()).toEqual([{ key: "a" }]);
});

test("what was deleted is not brought back by a re-harvest, under whatever further id it comes, and is counted", async () => {
  const records = [event(draft("old", 0), project("a")), event(draft("young", day(8)), project("a"))];
  await db.store.events.append(page(records));
  await expire(policy({ operational: 7 }), after(10));
  const before = await db.store.digest();
  const again = await db.store.events.append(page(records, { reconciling: true }));
  expect(again).toMatchObject({ created: 0, repeated: 1, expired: 1, late: 0 });
  expect([...again.outcomes.values()].sort()).toEqual(["expired", "repeated"]);
  const renamed = draft("old", 0, { sourceIds: ["another id"], summary: "Other words" });
  expect(await db.store.events.append(page([event(renamed, project("a"))]))).toMatchObject({
    created: 0,
    expired: 1,
  });
  expect(await db.store.digest()).toBe(before);
  const { connections } = await db.store.reader.coverage({ kind: "provider" });
  expect(connections[0]?.counts.expired).toBe(2);
});

test("a twin of what was deleted does not bring it back either", async () => {
  const twin = (side: string) => ({ group: "g", side, within: 60_000 as never });
  const records = [
    event(draft("versioned", 0, { twin: twin("versioned") }), project("a")),
    event(draft("legacy", 0, { twin: twin("legacy") }), project("a")),
  ];
  await db.store.events.append(page(records));
  await expire(policy({ operational: 7 }), after(10));
  expect(await db.store.events.append(page([records[1]!]))).toMatchObject({ created: 0, expired: 1 });
  expect(await ids()).toEqual([]);
});

test("one tenant's part of a shared event goes at its own time, and the event with the last part", async () => {
  await db.store.events.append(page([shared("down", 0, [project("a"), project("b")])]));
  const given = policy(
    { operational: 20, provider: 7 },
    { [projectKey("default", "a")]: { operational: 5 } },
  );
  expect(await expire(given, after(10))).toEqual({ events: 0, editions: 1 });
  expect([await editionsOf("a"), await editionsOf("b")]).toEqual([0, 1]);
  expect(await ids()).toEqual([{ key: "down" }]);
  expect(await db.sql("SELECT edition_keys FROM isochron.event")).toEqual([
    { edition_keys: [projectKey("default", "b")] },
  ]);
  expect(await expire(given, after(25))).toEqual({ events: 1, editions: 1 });
  expect(await ids()).toEqual([]);
});

test("an answer that is given anew does not bring back a part that has gone", async () => {
  const down = shared("down", 0, [project("a"), project("b")]);
  await db.store.events.append(page([down]));
  await expire(policy({}, { [projectKey("default", "a")]: { operational: 5 } }), after(10));
  const [{ id } = { id: "" }] = await db.sql<{ id: string }>("SELECT id FROM isochron.event");
  const anew = {
    eventId: id,
    occurredAt: minute(0),
    attribution: { ...down.attribution, evidence: [] } as Attribution,
    dependsOn: [],
    editions: down.editions,
  };
  const third = shared("down", 0, [project("a"), project("b"), project("c")]);
  await db.store.events.reattributed({ token: { marks: [] }, events: [] }, [
    { ...anew, attribution: third.attribution, editions: third.editions },
  ]);
  expect([await editionsOf("a"), await editionsOf("b"), await editionsOf("c")]).toEqual([0, 1, 1]);
});

test("a storm's members go with their fold, once all of its minute is past", async () => {
  const members = [1, 2, 3].map((n) => ({
    ...event(draft(`alert ${n}`, n / 10, { type: "alert.firing", kind: "symptom" }), project("a")),
    storm: true as const,
  }));
  await db.store.events.append(page(members));
  await expire(policy({ operational: 7 }), instant(minute(0) + 7 * dayMs + 30_000));
  expect(await db.sql("SELECT FROM isochron.storm_member")).toHaveLength(3);
  await expire(policy({ operational: 7 }), after(8));
  for (const table of ["event", "tenant_event", "storm_member", "storm_member_edition", "delivery"])
    expect(await db.sql(`SELECT FROM isochron.${table}`), table).toHaveLength(0);
  expect(await db.store.events.append(page(members))).toMatchObject({ created: 0, expired: 3 });
});

test("a record set aside goes at the end of its own retention, and is not set aside again", async () => {
  const reject = (position: string, at: number) => ({
    position,
    bytes: Buffer.from(`bytes of ${position}`),
    meta: {},
    receivedAt: minute(at),
    code: "record-invalid",
    reason: "It is broken.",
  });
  const rejects = [reject("old", 0), reject("held one", 0), reject("young", day(8))];
  await db.store.events.append(page([], { rejects }));
  await hold({ kind: "tenant", label: "x", keys: [projectKey("default", "held one")] });
  await expire(policy({}, {}, 7), after(10));
  await db.store.events.append(page([], { rejects }));
  expect(await db.sql("SELECT position FROM isochron.set_aside ORDER BY 1")).toEqual([
    { position: "held one" },
    { position: "young" },
  ]);
});

test("weeks that hold nothing any more are dropped, and made again for what comes later", async () => {
  await db.store.events.append(page([event(draft("old", 0), project("a"))]));
  await expire(policy({ operational: 1 }), after(30));
  const weeks = await db.sql("SELECT FROM pg_inherits WHERE inhparent = 'isochron.event'::regclass");
  expect(weeks).toHaveLength(0);
  await db.store.events.append(page([event(draft("late", 1), project("a"))]));
  expect(await ids()).toEqual([{ key: "late" }]);
});

function hold(target: Parameters<typeof db.store.retention.placeHold>[0]["target"], fields: object = {}) {
  return db.store.retention.placeHold({
    target,
    why: "a court asked for it",
    placedBy: "admin",
    placedAt: minute(0),
    ...fields,
  });
}

test("while a hold stands on a tenant nothing of it is deleted, and everything after it was lifted", async () => {
  await db.store.events.append(
    page([
      event(draft("a", 0), project("a")),
      event(draft("b", 0), project("b")),
      shared("down", 0, [project("a"), project("b")]),
    ]),
  );
  const held = await hold({ kind: "tenant", label: "a", keys: [projectKey("default", "a")] });
  const given = policy({ operational: 1, provider: 1 });
  await expire(given, after(10));
  expect(await ids()).toEqual([{ key: "a" }, { key: "down" }]);
  expect([await editionsOf("a"), await editionsOf("b")]).toEqual([2, 0]);
  const lifted = await db.store.retention.liftHold(held.id, {
    by: "admin",
    why: "it is over",
    at: minute(1),
  });
  expect(lifted).toMatchObject({ lifted: { why: "it is over" } });
  expect(await db.store.retention.liftHold(held.id, { by: "x", why: "y", at: minute(2) })).toBeUndefined();
  await expire(given, after(10));
  expect(await ids()).toEqual([]);
});

test("a hold on a resource keeps what mentions it in its span, a storm's member too", async () => {
  const subject = { kind: "server", id: "held" };
  await db.store.events.append(
    page([
      event(draft("in span", day(1), { subject }), project("a")),
      event(draft("beside", day(1), { related: [{ role: "peer", ref: subject }] }), project("a")),
      event(draft("too early", 0, { subject }), project("a")),
      event(draft("other", day(1)), project("a")),
      ...[1, 2].map((n) => ({
        ...event(
          draft(`alert ${n}`, day(1), {
            type: "alert.firing",
            kind: "symptom",
            ...(n === 1 ? { subject } : {}),
          }),
          project("a"),
        ),
        storm: true as const,
      })),
    ]),
  );
  await hold(
    { kind: "resource", controlPlane: "default", entityKey: "server:held" },
    { from: minute(day(1) - 5), to: minute(day(1) + 5) },
  );
  await expire(policy({ operational: 1 }), after(10));
  const kept = (await ids()).map(({ key }) => key.replace(/^storm.*/, "storm"));
  expect(kept).toEqual(["beside", "in span", "storm"]);
});

test("a hold that is placed while a pass runs wins over what the pass has not come to", async () => {
  await db.store.events.append(page([1, 2, 3, 4].map((n) => event(draft(`e${n}`, n), project("a")))));
  const { retention } = db.store;
  const epoch = (await retention.take("test", 60_000))!;
  await retention.expire(epoch, policy({ operational: 1 }), after(10), 2);
  await hold({ kind: "tenant", label: "a", keys: [projectKey("default", "a")] });
  await retention.expire(epoch, policy({ operational: 1 }), after(10), 2);
  expect(await ids()).toEqual([{ key: "e3" }, { key: "e4" }]);
});

test("a batch of a lease that has passed on changes nothing, and another goes on from where it was", async () => {
  await db.store.events.append(page([1, 2, 3].map((n) => event(draft(`e${n}`, n), project("a")))));
  const { retention } = db.store;
  const first = (await retention.take("first", 0))!;
  await retention.expire(first, policy({ operational: 1 }), after(10), 1);
  await db.sql("UPDATE isochron.retention_state SET lease_until = now() - interval '1 second'");
  const second = (await retention.take("second", 60_000))!;
  await expect(retention.expire(first, policy({ operational: 1 }), after(10), 1)).rejects.toMatchObject({
    code: "fenced",
  });
  expect(await retention.take("third", 60_000)).toBeUndefined();
  expect(await retention.expire(second, policy({ operational: 1 }), after(10), 5)).toMatchObject({
    looked: 2,
  });
  await retention.release(second, true);
  expect(await retention.take("third", 60_000, 3_600_000)).toBeUndefined();
});

test("under another key nothing is taken in, since what was deleted could come back unseen", async () => {
  await db.store.events.append(page([event(draft("old", 0), project("a"))]));
  await expire(policy({ operational: 1 }), after(10));
  await db.sql("UPDATE isochron.retention_state SET key_check = sha256('another')");
  await expect(
    db.store.events.append(page([event(draft("new", day(9)), project("a"))])),
  ).rejects.toMatchObject({ code: "erasure-unready" });
});
