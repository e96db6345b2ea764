import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loginAs, openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, event, minute, page, project } from "../../../test/drafts.ts";
import type { Visibility } from "../../model/event.ts";
import type { Scope } from "../../model/scope.ts";
import { domainKey, exceptKey, projectKey, type TenantKey } from "../../model/tenant.ts";
import { presentClaim } from "./claim.ts";

/**
 * Events of every class of two projects in one domain, each alone and as a storm, and one of each class that both
 * tenants and the provider have lost.
 */

let db: TestStore;
let claimKey: Buffer;
const classes: readonly Visibility[] = ["operational", "billing", "security", "provider"];
const [a, b, domain] = [
  projectKey("default", "a"),
  projectKey("default", "b"),
  domainKey("default", "domain-1"),
];
const request = { limit: 100, order: "oldest" } as const;

beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
  const make = (name: string, at: number, storm: boolean) =>
    ["a", "b"].flatMap((id) =>
      classes.map((visibility, index) => {
        const fields = { visibility, ...(storm ? { kind: "symptom" as const } : {}) };
        return event(
          draft(`${name}-${id}-${visibility}`, at + index, fields),
          project(id),
          storm ? { storm } : {},
        );
      }),
    );
  await db.store.events.append(page([...make("one", 1, false), ...make("storm", 10, true)]));
  await db.store.events.append(page(make("lost", 20, false)));
  await db.sql("DELETE FROM isochron.tenant_event WHERE summary LIKE '%lost-%'");
  await db.sql("DELETE FROM isochron.event WHERE summary LIKE '%lost-%'");
  await db.sql(
    `INSERT INTO isochron.attribution_revision (event_id, occurred_at, recorded_at, attribution)
     SELECT id, occurred_at, recorded_at, attribution FROM isochron.event WHERE summary LIKE '%one-%'`,
  );
  await db.sql(
    `INSERT INTO isochron.event_revision (event_id, content_hash, occurred_at, draft)
     SELECT id, '\\x00', occurred_at, jsonb_build_object('visibility', visibility) FROM isochron.event
      WHERE summary LIKE '%one-%'`,
  );
  claimKey = (await db.sql<{ key: Buffer }>("SELECT key FROM isochron.claim_key"))[0]!.key;
});
afterAll(() => db.close());

const scopeOf = (keys: readonly TenantKey[], sensitiveKeys: readonly TenantKey[] = []): Scope => ({
  kind: "tenant",
  label: "t",
  keys,
  sensitiveKeys,
});

/** The classes, in order, of what a login's direct SQL finds in a table; `how` spells them. */
async function classesIn(client: pg.Client, table: string, how = "visibility"): Promise<readonly string[]> {
  const { rows } = await client.query<{ seen: string }>(
    `SELECT DISTINCT ${how} AS seen FROM isochron.${table} ORDER BY 1`,
  );
  return rows.map(({ seen }) => seen);
}

async function asTenant(
  keys: readonly TenantKey[],
  sensitive: readonly TenantKey[],
  look: (client: pg.Client) => Promise<unknown>,
): Promise<void> {
  const client = await loginAs(db.url, "tenant");
  await client.query("BEGIN");
  await presentClaim(client, claimKey, { keys, sensitive });
  await look(client);
  await client.query("ROLLBACK");
  await client.end();
}

const open = ["billing", "operational"];
const withSecurity = ["billing", "operational", "security"];

describe("direct SQL on the tenants' login", () => {
  test("shows the class security only of the keys whose administrator the claim names", async () => {
    for (const table of ["tenant_event", "storm_member_edition", "retraction"]) {
      const whose = table === "retraction" ? "reader_key" : "tenant_key";
      await asTenant([a, b], [a], async (client) => {
        const seen = await client.query<{ of: string }>(
          `SELECT DISTINCT ${whose} AS of FROM isochron.${table} WHERE visibility = 'security'`,
        );
        expect([table, seen.rows]).toEqual([table, [{ of: a }]]);
        expect([table, await classesIn(client, table)]).toEqual([table, withSecurity]);
      });
      await asTenant([a, b], [], async (client) =>
        expect([table, await classesIn(client, table)]).toEqual([table, open]),
      );
      // An administrator of what is not in the claim is nobody.
      await asTenant([a], [b], async (client) =>
        expect([table, await classesIn(client, table)]).toEqual([table, open]),
      );
    }
  });

  test("shows a domain's administrator the class security of its projects, and not of those that are taken out", async () => {
    await asTenant([domain, exceptKey(b)], [domain], async (client) => {
      for (const table of ["tenant_event", "storm_member_edition"]) {
        expect(await classesIn(client, table)).toEqual(withSecurity);
        expect(await classesIn(client, table, "tenant_key")).toEqual([a]);
      }
      expect(await classesIn(client, "retraction", "tenant_key")).toEqual([a]);
    });
  });

  test("shows no edition of a class that nobody has heard of", async () => {
    await db.sql("UPDATE isochron.tenant_event SET visibility = 'other' WHERE visibility = 'billing'");
    await asTenant([a, b, domain], [a, b, domain], async (client) =>
      expect(await classesIn(client, "tenant_event")).toEqual(["operational", "security"]),
    );
    await db.sql("UPDATE isochron.tenant_event SET visibility = 'billing' WHERE visibility = 'other'");
    await db.sql("DELETE FROM isochron.retraction WHERE occurred_at < $1", [
      new Date(minute(20)).toISOString(),
    ]);
  });

  test("does not tell what a claim holds, nor verifies one for whoever asks", async () => {
    await asTenant([a], [a], async (client) => {
      await expect(client.query("SELECT isochron.verified_claim()")).rejects.toMatchObject({ code: "42501" });
    });
  });
});

describe("direct SQL on the operators' login", () => {
  test("shows nothing of the class security in any table, nor of what belongs to it", async () => {
    const client = await loginAs(db.url, "operator");
    const all = ["billing", "operational", "provider"];
    expect(await classesIn(client, "event")).toEqual(all);
    expect(await classesIn(client, "tenant_event")).toEqual(all);
    expect(await classesIn(client, "storm_member", "draft ->> 'visibility'")).toEqual(all);
    expect(await classesIn(client, "storm_member_edition")).toEqual(all);
    expect(await classesIn(client, "retraction")).toEqual(all);
    expect(await classesIn(client, "event_revision", "draft ->> 'visibility'")).toEqual(all);
    const secret = await db.sql<{ id: string }>(
      `SELECT id FROM isochron.event WHERE visibility = 'security'
       UNION SELECT id FROM isochron.storm_member WHERE draft ->> 'visibility' = 'security'`,
    );
    expect(secret.length).toBeGreaterThan(5);
    for (const table of ["event_revision", "attribution_revision", "delivery"]) {
      const found = await client.query(`SELECT FROM isochron.${table}`);
      const told = await client.query(`SELECT FROM isochron.${table} WHERE event_id = ANY($1)`, [
        secret.map(({ id }) => id),
      ]);
      expect([table, (found.rowCount ?? 0) > 3, told.rowCount]).toEqual([table, true, 0]);
    }
    await client.end();
  });
});

describe("what is read through the store", () => {
  test("holds the class security for a tenant's administrator in every answer, and for its readers in none", async () => {
    const { reader } = db.store;
    const span = { from: minute(0), to: minute(60) };
    const [admin, reading] = [scopeOf([a], [a]), scopeOf([a])];
    const summaries = async (scope: Scope) =>
      (await reader.timeline(scope, {}, request)).events.map(({ event: one }) => one);
    const ofAdmin = await summaries(admin);
    const ofReader = await summaries(reading);
    expect([ofAdmin.length, ofReader.length]).toEqual([6, 4]);
    const known = new Set(ofReader.map(({ id }) => id));
    const hidden = ofAdmin.filter(({ id }) => !known.has(id));
    expect(hidden.map(({ occurredAt }) => occurredAt)).toEqual([minute(3), minute(12)]);
    for (const { id } of hidden) {
      expect(await reader.event(admin, id)).toBeDefined();
      expect(await reader.event(reading, id)).toBeUndefined();
      expect(await reader.standsInFeed(admin, id)).toBe(true);
      expect(await reader.standsInFeed(reading, id)).toBe(false);
    }
    const fold = hidden[1]!;
    expect((await reader.members(admin, fold.id, request)).events).toHaveLength(1);
    expect((await reader.members(reading, fold.id, request)).events).toEqual([]);
    const count = async (scope: Scope) =>
      (await reader.histogram(scope, span, 1)).map(({ counts }) => counts.change + counts.symptom);
    expect([await count(admin), await count(reading)]).toEqual([[6], [4]]);
  });

  test("tells of a loss only whoever could see what is lost", async () => {
    const { reader } = db.store;
    const retracted = async (scope: Scope) =>
      (await reader.feed(scope, { mark: "0:" }, 100)).retracted.length;
    expect(await retracted(scopeOf([a], [a]))).toBe(3);
    expect(await retracted(scopeOf([a]))).toBe(2);
    expect(await retracted({ kind: "provider" })).toBe(8);
    expect(await retracted({ kind: "provider", security: "withheld" })).toBe(6);
  });

  test("holds nothing of the class security for an operator, and all for whom it is not withheld from", async () => {
    const { reader } = db.store;
    const [operator, auditor]: [Scope, Scope] = [
      { kind: "provider", security: "withheld" },
      { kind: "provider" },
    ];
    const shown = async (scope: Scope) => (await reader.timeline(scope, {}, request)).events;
    expect([(await shown(operator)).length, (await shown(auditor)).length]).toEqual([12, 16]);
    const secret = (await shown(auditor)).filter(
      (one) => one.audience === "provider" && one.event.visibility === "security",
    );
    expect(secret).toHaveLength(4);
    for (const { event: one } of secret) {
      expect(await reader.event(operator, one.id)).toBeUndefined();
      expect(await reader.attributionHistory(operator, one.id)).toEqual([]);
      expect(await reader.members(operator, one.id, request)).toEqual({ events: [], more: false });
    }
    const span = { from: minute(0), to: minute(60) };
    const rates = async (scope: Scope) =>
      (await reader.typeRates(scope, ["compute.instance.create.end"], span.from, span.to))[0]?.count;
    expect([await rates(operator), await rates(auditor)]).toEqual([12, 16]);
  });

  test("is found by its text in no class that is withheld, and literally, with an index as without", async () => {
    const [operator, auditor]: Scope[] = [{ kind: "provider", security: "withheld" }, { kind: "provider" }];
    const found = async (scope: Scope, text: string) =>
      (await db.store.reader.timeline(scope, { text }, request)).events.length;
    const texts = [
      "one-a-security",
      "one-a-sec%",
      "one_a_security",
      "one-a-billing",
      "ONE-A-BILL",
      "a-",
      "nobody's",
    ];
    const expected = [
      [0, 1],
      [0, 0],
      [0, 0],
      [1, 1],
      [1, 1],
      [6, 8],
      [0, 0],
    ];
    const all = () =>
      Promise.all(texts.map(async (text) => [await found(operator!, text), await found(auditor!, text)]));
    expect(await all()).toEqual(expected);
    await db.sql("DROP INDEX isochron.event_by_text");
    expect(await all()).toEqual(expected);
  });

  test("tells of a class that narrows only those whom it shuts out", async () => {
    const scratch = await openTestStore();
    await scratch.store.events.connect(connection);
    await scratch.store.events.append(page([event(draft("narrowed", 1), project("a"))]));
    for (const table of ["tenant_event", "event"])
      await scratch.sql(`UPDATE isochron.${table} SET visibility = 'security'`);
    const lost = async (scope: Scope) =>
      (await scratch.store.reader.feed(scope, { mark: "0:" }, 10)).retracted.length;
    expect(await lost(scopeOf([a]))).toBe(1);
    expect(await lost(scopeOf([a], [a]))).toBe(0);
    expect(await lost({ kind: "provider", security: "withheld" })).toBe(1);
    expect(await lost({ kind: "provider" })).toBe(0);
    // What is lost as security afterwards is news for administrators alone, and the first loss stays told.
    await scratch.sql("DELETE FROM isochron.tenant_event");
    expect(await lost(scopeOf([a]))).toBe(1);
    expect(await lost(scopeOf([a], [a]))).toBe(1);
    await scratch.close();
  });
});
