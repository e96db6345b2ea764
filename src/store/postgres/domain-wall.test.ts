import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loginAs, openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, event, page, project } from "../../../test/drafts.ts";
import type { Scope } from "../../model/scope.ts";
import { domainKey, exceptKey, projectKey, type TenantKey } from "../../model/tenant.ts";
import { presentClaim } from "./claim.ts";

/** A project that was moved from domain x to domain y, beside one that stayed in x. */

let db: TestStore;
let tenant: pg.Client;
let claimKey: Buffer;
const [moved, stayed] = [projectKey("default", "moved"), projectKey("default", "stayed")];
const [x, y] = [domainKey("default", "x"), domainKey("default", "y")];

beforeAll(async () => {
  db = await openTestStore();
  const { store, sql } = db;
  await store.events.connect(connection);
  const storm = { storm: true } as const;
  await store.events.append(
    page([
      event(draft("before", 1), project("moved", "x")),
      event(draft("after", 3), project("moved", "y")),
      event(draft("beside", 3), project("stayed", "x")),
      event(draft("unplaced", 4), { controlPlane: "default", projectId: "moved" }),
      event(draft("storm-before", 5, { kind: "symptom" }), project("moved", "x"), storm),
      event(draft("storm-after", 8, { kind: "symptom" }), project("moved", "y"), storm),
      event(draft("lost-before", 2), project("moved", "x")),
      event(draft("lost-after", 4), project("moved", "y")),
    ]),
  );
  await sql("DELETE FROM isochron.tenant_event WHERE summary LIKE '%lost-%'");
  claimKey = (await sql<{ key: Buffer }>("SELECT key FROM isochron.claim_key"))[0]!.key;
  tenant = await loginAs(db.url, "tenant");
});
afterAll(async () => {
  await tenant.end();
  await db.close();
});

/** What direct SQL on the tenants' login shows these keys: editions, members of storms, retractions. */
async function countOf(...keys: readonly TenantKey[]): Promise<readonly number[]> {
  const counts: number[] = [];
  for (const table of ["tenant_event", "storm_member_edition", "retraction"]) {
    await tenant.query("BEGIN");
    await presentClaim(tenant, claimKey, { keys: keys, sensitive: [] });
    counts.push((await tenant.query(`SELECT FROM isochron.${table}`)).rowCount ?? 0);
    await tenant.query("ROLLBACK");
  }
  return counts;
}

const scopeOf = (...keys: TenantKey[]): Scope => ({ kind: "tenant", label: "t", keys });
const summariesOf = async (scope: Scope) => {
  const { events } = await db.store.reader.timeline(scope, {}, { limit: 50, order: "oldest" });
  return events.map(({ event: one }) => (one.details["storm"] === undefined ? one.summary : "a storm"));
};

describe("a project that was moved between domains", () => {
  test("is walled off as of each event, on the tenants' own login", async () => {
    expect(await countOf(moved)).toEqual([5, 2, 2]);
    expect(await countOf(x)).toEqual([3, 1, 1]);
    expect(await countOf(y)).toEqual([2, 1, 1]);
    expect(await countOf(x, y)).toEqual([5, 2, 2]);
    expect(await countOf(domainKey("other", "x"))).toEqual([0, 0, 0]);
  });

  test("can be taken out of its domains by name, and such a key alone opens nothing", async () => {
    expect(await countOf(x, exceptKey(moved))).toEqual([1, 0, 0]);
    expect(await countOf(x, exceptKey(stayed))).toEqual([2, 1, 1]);
    expect(await countOf(exceptKey(moved))).toEqual([0, 0, 0]);
    expect(await summariesOf(scopeOf(exceptKey(moved)))).toEqual([]);
  });

  test("shows its own readers all, and each domain's the part that was its own", async () => {
    const told = (name: string) => `Server ${name} was created`;
    expect(await summariesOf(scopeOf(moved))).toEqual([
      told("before"),
      told("after"),
      told("unplaced"),
      "a storm",
      "a storm",
    ]);
    expect(await summariesOf(scopeOf(x))).toEqual([told("before"), told("beside"), "a storm"]);
    expect(await summariesOf(scopeOf(y))).toEqual([told("after"), "a storm"]);
  });

  test("is found by the index of its domain, by time, by place in the feed and by id", async () => {
    await tenant.query("BEGIN");
    await presentClaim(tenant, claimKey, { keys: [x], sensitive: [] });
    await tenant.query("SET LOCAL enable_seqscan = off");
    for (const rest of [
      "ORDER BY occurred_at DESC, id DESC LIMIT 3",
      "AND (feed_xid, id) > ('1', 'a') ORDER BY feed_xid, id LIMIT 3",
      "AND id = 'evt_a'",
    ]) {
      const { rows } = await tenant.query<{ "QUERY PLAN": string }>(
        `EXPLAIN SELECT * FROM isochron.tenant_event WHERE domain_key = '${x}' ${rest}`,
      );
      const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
      expect(plan).toMatch(/Index Scan .*domain_key.*Index Cond: .*domain_key = 'domain/s);
      expect(plan).not.toContain("Sort");
    }
    await tenant.query("ROLLBACK");
  });

  test("is shown once to whoever has both a project and its domain in scope", async () => {
    const both = await summariesOf(scopeOf(x, moved));
    expect(both).toHaveLength(6);
    const { events } = await db.store.reader.timeline(scopeOf(x, moved), {}, { limit: 2, order: "newest" });
    expect(events.map(({ event: one }) => one.details["storm"] !== undefined)).toEqual([true, true]);
  });

  test("gives members, single events, counts and what mentions a thing by the same wall", async () => {
    const { reader } = db.store;
    const page = { limit: 10, order: "oldest" } as const;
    const all = (await reader.timeline(scopeOf(moved), {}, page)).events.map(({ event: one }) => one);
    const [inX, inY] = all.filter(({ details }) => details["storm"] !== undefined);
    expect((await reader.members(scopeOf(x), inX!.id, page)).events).toHaveLength(1);
    expect(await reader.members(scopeOf(y), inX!.id, page)).toEqual({ events: [], more: false });
    const [member] = (await reader.members(scopeOf(moved), inY!.id, page)).events;
    expect(await reader.event(scopeOf(y), member!.event.id)).toBeDefined();
    for (const id of [inY!.id, member!.event.id, all[1]!.id]) {
      expect([id, await reader.event(scopeOf(x), id)]).toEqual([id, undefined]);
    }
    const span = { from: all[0]!.occurredAt, to: all.at(-1)!.occurredAt };
    const counted = await reader.histogram(scopeOf(y), span, 1);
    expect(counted[0]?.counts.change).toBe(1);
    const resource = { kind: "server", id: "server-of-storm-after" };
    expect((await reader.timeline(scopeOf(y), { resource }, page)).events).toHaveLength(1);
    expect((await reader.timeline(scopeOf(x), { resource }, page)).events).toEqual([]);
  });
});
