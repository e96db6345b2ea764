import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loginAs, openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, edition, event, fact, minute, page, project } from "../../../test/drafts.ts";
import { mutants } from "../../../test/wall-mutants.ts";
import { projectKey, type TenantKey } from "../../model/tenant.ts";
import { testRule } from "../../../test/notify-world.ts";
import { presentClaim, signClaim, type ClaimSeat } from "./claim.ts";

let db: TestStore;
let tenant: pg.Client;
let claimKey: Buffer;
const keyA = projectKey("default", "a");
const keyB = projectKey("default", "b");

beforeAll(async () => {
  db = await openTestStore();
  await fill(db);
  claimKey = (await db.sql<{ key: Buffer }>("SELECT key FROM isochron.claim_key"))[0]!.key;
  tenant = await loginAs(db.url, "tenant");
});
afterAll(async () => {
  await tenant.end();
  await db.close();
});

/**
 * Two events of project a, one of b, one host failure that touches both, one of nobody's, and a storm with two members
 * of a's and one of b's; and two events that a has lost, one that b has.
 */
async function fill({ store, sql }: TestStore): Promise<void> {
  await store.events.connect(connection);
  const failure = draft("host-down", 4, {
    subject: { kind: "host", id: "secret-host" },
    summary: "secret-host is down",
  });
  const notices = ["a", "b"].map((id) =>
    edition(failure, project(id), {
      notice: true,
      subject: { kind: "server", id: `server-of-${id}` },
      summary: "A shared host failed",
      because: "It touches your server.",
    }),
  );
  const affected = ["a", "b"].map((id) => ({ tenant: project(id), resources: [] }));
  const shared = event(failure, undefined, {
    attribution: { status: "shared", affected, evidence: [] },
    editions: notices,
  });
  const own = [
    event(draft("a1", 1), project("a")),
    event(draft("a2", 2), project("a")),
    event(draft("b1", 3), project("b")),
  ];
  const storm = ["a", "a", "b"].map((id, index) =>
    event(draft(`storm-${index}`, 6, { kind: "symptom" }), project(id), { storm: true }),
  );
  await store.events.append(
    page([...own, shared, event(draft("nobody", 5)), ...storm], {
      facts: [fact("server:a", "runs_on", "host:secret-host", 1)],
    }),
  );
  // What each has lost: the first two, and with them the provider nothing.
  const lost = ["a", "a", "b"].map((id, index) => event(draft(`lost-${index}`, 7), project(id)));
  await store.events.append(page(lost));
  await sql("DELETE FROM isochron.tenant_event WHERE summary LIKE '%lost-%'");
  for (const owner of [keyA, keyB, "provider"] as const) {
    const rule = testRule(`of-${owner}`, "https://hooks.example.org/", { owner });
    await store.notifications.decide(rule, "0:");
    const told = { kind: "events", group: "", events: [], more: 0, late: false } as const;
    await store.notifications.enqueue(rule, told, minute(8));
  }
}

/** What a statement gives the tenants' login after `before`, in a transaction that is undone; an error by its code. */
async function attempt(
  client: pg.Client,
  statement: string,
  before?: () => Promise<unknown>,
): Promise<unknown> {
  await client.query("BEGIN");
  try {
    await before?.();
    const result = await client.query(statement);
    return result.rows.length;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.query("ROLLBACK");
  }
}

const everything = "SELECT * FROM isochron.tenant_event";
const members = "SELECT * FROM isochron.storm_member_edition";
const retractions = "SELECT * FROM isochron.retraction";
const deniedCode = "42501";
const unknownRoleCode = "22023";
const claimed = (keys: readonly TenantKey[]) => ({ keys, sensitive: [] });
const claimOf = (keys: readonly TenantKey[], seat: ClaimSeat) => signClaim(claimKey, claimed(keys), seat);
/** Sets a claim made for the transaction that is under way. */
const set = (make: (seat: ClaimSeat) => string) => async () =>
  tenant.query(`SET LOCAL isochron.claim = '${make(await seatOf(tenant))}'`);
const seatOf = async (client: pg.Client): Promise<ClaimSeat> => {
  const { rows } = await client.query<{ pid: number; tx: string }>(
    "SELECT pg_backend_pid() AS pid, (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint::text AS tx",
  );
  return { backendPid: rows[0]!.pid, transactionAt: rows[0]!.tx, nowMs: Date.now() };
};

describe("direct SQL on the tenants' login", () => {
  test("a valid claim shows the claimed tenant's rows and no others", async () => {
    expect(await attempt(tenant, everything, () => presentClaim(tenant, claimKey, claimed([keyA])))).toBe(4);
    expect(await attempt(tenant, everything, () => presentClaim(tenant, claimKey, claimed([keyB])))).toBe(3);
    expect(
      await attempt(tenant, everything, () => presentClaim(tenant, claimKey, claimed([keyA, keyB]))),
    ).toBe(7);
    expect(await attempt(tenant, members, () => presentClaim(tenant, claimKey, claimed([keyA])))).toBe(2);
    expect(await attempt(tenant, members, () => presentClaim(tenant, claimKey, claimed([keyB])))).toBe(1);
    expect(await attempt(tenant, everything, () => presentClaim(tenant, claimKey, claimed([])))).toBe(0);
    expect(await attempt(tenant, retractions, () => presentClaim(tenant, claimKey, claimed([keyA])))).toBe(2);
    expect(await attempt(tenant, retractions, () => presentClaim(tenant, claimKey, claimed([keyB])))).toBe(1);
    const foreign = `${everything} WHERE tenant_key = '${keyB}'`;
    expect(await attempt(tenant, foreign, () => presentClaim(tenant, claimKey, claimed([keyA])))).toBe(0);
  });

  test("without a claim, and after the transaction that had one, there are no rows", async () => {
    expect(await attempt(tenant, everything)).toBe(0);
    await attempt(tenant, everything, () => presentClaim(tenant, claimKey, claimed([keyA])));
    expect(await attempt(tenant, everything)).toBe(0);
  });

  test("a claim that is forged, swapped, another session's or expired shows nothing and says nothing", async () => {
    const good = (seat: ClaimSeat) => claimOf([keyA], seat);
    const claims: Record<string, (seat: ClaimSeat) => string> = {
      "another key's": (seat) => signClaim(Buffer.alloc(32, 7), claimed([keyA]), seat),
      swapped: (seat) => `${good(seat).slice(0, 64)}${claimOf([keyB], seat).slice(64)}`,
      cut: (seat) => good(seat).slice(0, -2),
      "another session's": (seat) => claimOf([keyA], { ...seat, backendPid: seat.backendPid + 1 }),
      "another transaction's": (seat) =>
        claimOf([keyA], { ...seat, transactionAt: `${seat.transactionAt}1` }),
      expired: (seat) => claimOf([keyA], { ...seat, nowMs: seat.nowMs - 61_000 }),
      "a plain key": () => keyA,
      "a list": () => `{${keyA}}`,
      empty: () => "",
      "no hex": () => "zz",
      "a signature of nothing": (seat) => `${good(seat).slice(0, 64)}.`,
    };
    for (const [name, claim] of Object.entries(claims)) {
      expect([name, await attempt(tenant, everything, set(claim))]).toEqual([name, 0]);
    }
    expect(await attempt(tenant, everything, set(good))).toBe(4);
  });

  test("a claim that another transaction of the same session showed opens nothing, and cannot be overheard", async () => {
    let overheard = "";
    await attempt(tenant, everything, async () => {
      await presentClaim(tenant, claimKey, claimed([keyB]));
      const { rows } = await tenant.query<{ claim: string }>(
        "SELECT current_setting('isochron.claim') AS claim",
      );
      overheard = rows[0]!.claim;
      const seen = await tenant.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE $1", [
        `%${overheard.slice(0, 32)}%`,
      ]);
      expect(seen.rows).toEqual([]);
    });
    expect(
      await attempt(
        tenant,
        everything,
        set(() => overheard),
      ),
    ).toBe(0);
  });

  test("setting a plain value by an injected statement shows nothing", async () => {
    const injected = [
      `SELECT set_config('isochron.claim', '${keyB}', false)`,
      `SELECT set_config('isochron.keys', '{${keyB}}', false)`,
      `SELECT set_config('role', 'isochron_owner', true)`,
    ];
    for (const statement of injected) {
      const given = await attempt(tenant, everything, () => tenant.query(statement));
      expect([0, deniedCode]).toContain(given);
    }
  });

  test("no other role can be taken on, nor row-level security switched off", async () => {
    const roles = [
      "isochron_owner",
      "isochron_provider",
      "isochron_ingest",
      "isochron_admin",
      "postgres",
      "pg_read_all_data",
    ];
    for (const role of roles) {
      const given = await attempt(tenant, everything, () => tenant.query(`SET LOCAL ROLE ${role}`));
      expect([role, [deniedCode, unknownRoleCode].includes(String(given))]).toEqual([role, true]);
    }
    expect(await attempt(tenant, everything, () => tenant.query("SET LOCAL row_security = off"))).toBe(
      deniedCode,
    );
    expect(await attempt(tenant, everything, () => tenant.query("RESET ROLE"))).toBe(0);
  });

  test("nothing else of ours can be read, changed or called, whatever the claim", async () => {
    const objects = await db.sql<{ name: string }>(
      `SELECT c.oid::regclass::text AS name FROM pg_class c
        WHERE c.relnamespace = 'isochron'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')`,
    );
    expect(objects.length).toBeGreaterThan(14);
    const claim = () => presentClaim(tenant, claimKey, claimed([keyA]));
    for (const { name } of objects) {
      const read = await attempt(tenant, `SELECT * FROM ${name}`, claim);
      const shown: Record<string, number> = {
        "isochron.tenant_event": 4,
        "isochron.storm_member_edition": 2,
        "isochron.retraction": 2,
        "isochron.incident_edition": 0,
        // Its administrators', whose claim names the tenant as sensitive too.
        "isochron.notification_rule": 0,
        "isochron.notification_standing": 0,
        "isochron.notification_delivery": 0,
      };
      expect([name, read]).toEqual([name, shown[name] ?? deniedCode]);
      for (const statement of [
        `DELETE FROM ${name}`,
        `TRUNCATE ${name}`,
        `INSERT INTO ${name} DEFAULT VALUES`,
        `COPY ${name} FROM STDIN`,
      ]) {
        expect([statement, await attempt(tenant, statement, claim)]).toEqual([statement, deniedCode]);
      }
    }
    const calls = [
      "isochron.make_partition('event', '2026-11-16')",
      "isochron.drop_empty_weeks(now())",
      "isochron.scrub_words('x', '{}')",
      "isochron.hmac_block('x', 1)",
    ];
    for (const call of calls)
      expect([call, await attempt(tenant, `SELECT ${call}`, claim)]).toEqual([call, deniedCode]);
    for (const statement of [
      "CREATE TABLE isochron.x ()",
      "CREATE TEMP TABLE x ()",
      "CREATE FUNCTION isochron.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ]) {
      expect([statement, await attempt(tenant, statement, claim)]).toEqual([statement, deniedCode]);
    }
  });

  test("rules and their messages are shown to whose administrator asks, and nobody else's with them", async () => {
    for (const table of ["notification_rule", "notification_standing", "notification_delivery"]) {
      const read = (sensitive: readonly TenantKey[], keys: readonly TenantKey[]) =>
        attempt(tenant, `SELECT * FROM isochron.${table}`, () =>
          presentClaim(tenant, claimKey, { keys, sensitive }),
        );
      expect([table, await read([keyA], [keyA])]).toEqual([table, 1]);
      expect([table, await read([keyA], [keyA, keyB])]).toEqual([table, 1]);
      expect([table, await read([], [keyA, keyB])]).toEqual([table, 0]);
      expect([table, await read([keyA, keyB], [keyA, keyB])]).toEqual([table, 2]);
    }
  });

  test("the claim is verified once a query, and the index finds the tenant's rows", async () => {
    await tenant.query("BEGIN");
    await presentClaim(tenant, claimKey, claimed([keyA]));
    await tenant.query("SET LOCAL enable_seqscan = off");
    const { rows } = await tenant.query<{ "QUERY PLAN": string }>(
      `EXPLAIN ${everything} WHERE tenant_key = '${keyA}' ORDER BY occurred_at DESC, id DESC LIMIT 3`,
    );
    await tenant.query("ROLLBACK");
    const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
    expect(plan).toContain("InitPlan");
    expect(plan).toMatch(/Index Scan .*Index Cond: .*tenant_key = 'project/s);
  });
});

test.each(Object.entries(mutants))("the probes above see it when %s", async (_, statements) => {
  const scratch = await openTestStore();
  await fill(scratch);
  expect(await leaks(scratch)).toBe(false);
  for (const statement of statements) await scratch.sql(statement);
  expect(await leaks(scratch)).toBe(true);
  await scratch.close();
});

/** Reads everything that can be named, without a claim and with a forged one. */
async function leaks(scratch: TestStore): Promise<boolean> {
  const client = await loginAs(scratch.url, "tenant");
  const forged = signClaim(Buffer.alloc(32), claimed([keyA, keyB]), await seatOf(client));
  const relations = await scratch.sql<{ name: string }>(
    "SELECT c.oid::regclass::text AS name FROM pg_class c WHERE c.relnamespace = 'isochron'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')",
  );
  let seen = 0;
  for (const { name } of relations) {
    for (const claim of ["", forged]) {
      const rows = await attempt(client, `SELECT * FROM ${name}`, () =>
        client.query(`SET LOCAL isochron.claim = '${claim}'`),
      );
      seen += typeof rows === "number" ? rows : 0;
    }
  }
  await client.end();
  return seen > 0;
}

describe("what a tenant reads through the store", () => {
  const scope = (...keys: TenantKey[]) => ({ kind: "tenant", label: "t", keys }) as const;
  const request = { limit: 50, order: "oldest" } as const;

  test("is its own editions and notices, under ids that other tenants cannot relate", async () => {
    const ids: Record<string, string[]> = {};
    for (const key of [keyA, keyB]) {
      const { events } = await db.store.reader.timeline(scope(key), {}, request);
      expect(events.every(({ audience }) => audience === "tenant")).toBe(true);
      expect(JSON.stringify(events)).not.toContain("secret-host");
      ids[key] = events.map(({ event: one }) => one.id);
    }
    expect(ids[keyA]).toHaveLength(4);
    expect(ids[keyB]).toHaveLength(3);
    const provider = await db.store.reader.timeline({ kind: "provider" }, {}, request);
    const shared = provider.events
      .map(({ event: one }) => one)
      .find(({ summary }) => summary === "secret-host is down");
    for (const id of [...ids[keyA]!, shared!.id]) {
      expect([id, await db.store.reader.event(scope(keyB), id)]).toEqual([id, undefined]);
    }
    expect(await db.store.reader.event(scope(keyA), ids[keyA]![0]!)).toMatchObject({ audience: "tenant" });
  });

  test("is never another's, however many ask at once over the same few connections", async () => {
    const asked = Array.from({ length: 120 }, (_, n) => (n % 3 === 0 ? keyB : keyA));
    const counts = await Promise.all(
      asked.map(async (key) => (await db.store.reader.timeline(scope(key), {}, request)).events.length),
    );
    expect(counts).toEqual(asked.map((key) => (key === keyA ? 4 : 3)));
  });

  test("is the members of its own folds, counted without anybody else's, and no other's by any id", async () => {
    const { reader } = db.store;
    const foldOf = async (key: TenantKey) =>
      (await reader.timeline(scope(key), { kinds: ["symptom"] }, request)).events
        .map(({ event: one }) => one)
        .find(({ details }) => details["storm"] !== undefined)!;
    const [foldA, foldB] = [await foldOf(keyA), await foldOf(keyB)];
    expect([foldA, foldB].map(({ details }) => details)).toMatchObject([
      { storm: { count: 2, subjects: 2 } },
      { storm: { count: 1, subjects: 1 } },
    ]);
    const own = await reader.members(scope(keyA), foldA.id, request);
    expect(own.events.map(({ event: one }) => one.summary)).toHaveLength(2);
    for (const id of [foldA.id, ...own.events.map(({ event: one }) => one.id)]) {
      expect(await reader.event(scope(keyA), id)).toMatchObject({ audience: "tenant", event: { id } });
      expect(await reader.event(scope(keyB), id)).toBeUndefined();
      expect(await reader.members(scope(keyB), id, request)).toEqual({ events: [], more: false });
    }
  });

  test("is nothing when its scope holds no keys", async () => {
    const { reader, topology } = db.store;
    const empty = scope();
    expect(await reader.timeline(empty, {}, request)).toEqual({ events: [], more: false });
    expect(await reader.extent(empty)).toBeUndefined();
    expect(await reader.coverage(empty)).toEqual({ connections: [], holes: [] });
    expect((await reader.feed(empty, undefined, 10)).events).toEqual([]);
    expect(await topology.about(empty, "default", { kind: "server", id: "a" })).toEqual([]);
  });

  test("never holds what is the provider's alone", async () => {
    const { reader, topology } = db.store;
    expect(await reader.quarantine(scope(keyA), 10)).toEqual({ groups: [], more: false });
    expect(await reader.setAside(scope(keyA), 10)).toEqual([]);
    expect((await reader.coverage(scope(keyA))).connections).toEqual([]);
    const [own] = (await reader.timeline(scope(keyA), {}, request)).events;
    expect(await reader.attributionHistory(scope(keyA), own!.event.id)).toEqual([]);
    expect(await topology.about(scope(keyA), "default", { kind: "server", id: "a" })).toEqual([]);
    expect(await topology.about(scope(keyA), "default", { kind: "host", id: "secret-host" })).toEqual([]);
    const filtered = { connections: ["nova"], from: minute(0) };
    expect((await reader.timeline(scope(keyA), filtered, request)).events).toEqual([]);
  });
});
