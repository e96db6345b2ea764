import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type pg from "pg";
import { loginAs, openTestStore, type TestStore } from "../../../test/database.ts";
import { minute } from "../../../test/drafts.ts";
import { verifyExport } from "../audit-export.ts";
import { createSigner } from "../audit-chain.ts";
import type { AuditRecord } from "../audit-store.ts";
import { writeAudit } from "./audit-writes.ts";

let db: TestStore;
beforeAll(async () => void (db = await openTestStore()));
afterAll(() => db.close());

const record = (n: number, fields: Partial<AuditRecord> = {}): AuditRecord => ({
  at: minute(n),
  action: "sign-in",
  outcome: "done",
  actor: { id: `user-${n}`, name: `Somebody ${n}`, address: "192.0.2.1" },
  object: "session",
  ...fields,
});

async function linesOf(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line.trimEnd());
  return all;
}

test("what is appended is told in its order, verifies, and verifies as a file", async () => {
  const { audit } = db.store;
  await audit.append([record(1), record(2, { why: "to see", details: { b: 1, a: [1.5, null, "ü"] } })]);
  await audit.append([record(3, { count: 4 })]);
  const { entries, more } = await audit.list({}, 2);
  expect(entries.map(({ sequence }) => sequence)).toEqual([3, 2]);
  expect(more).toBe(true);
  expect(entries[1]?.personal["why"]?.value).toBe("to see");
  expect(await audit.verify()).toMatchObject({ ok: true, entries: 3, erased: 0 });
  const lines = await linesOf(audit.exportLines());
  expect(lines).toHaveLength(5);
  expect(await verifyExport(lines)).toMatchObject({ ok: true, entries: 3 });
});

test("erasing somebody leaves keyed hashes, says so, and keeps the chain whole", async () => {
  const { audit } = db.store;
  await audit.append([record(7, { personal: { reason: "canary-7" } }), record(8), record(7)]);
  const erased = await audit.eraseActor("user-7", record(9, { object: "person", actor: { id: "admin" } }));
  expect(erased).toBe(2);
  expect(await audit.verify()).toMatchObject({ ok: true, erased: 2 });
  const text = (await linesOf(audit.exportLines())).join("\n");
  expect(text).not.toMatch(/user-7|Somebody 7|canary-7/);
  expect(text).toContain("Somebody 8");
  const dump = await db.sql("SELECT * FROM isochron.audit_entry e, isochron.audit_personal p");
  expect(JSON.stringify(dump)).not.toMatch(/user-7|Somebody 7|canary-7/);
  expect(await audit.eraseActor("nobody", record(9, { actor: { id: "admin" } }))).toBe(0);
  expect(await audit.verify()).toMatchObject({ ok: true });
});

test("twenty writers in four processes' stead leave one trail without a gap or a fork", async () => {
  const stores = [db.store, ...(await Promise.all([db.reopen(), db.reopen(), db.reopen()]))];
  const before = (await db.store.audit.head()).sequence;
  const writers = Array.from({ length: 20 }, async (_, writer) => {
    const { audit } = stores[writer % stores.length]!;
    for (let n = 0; n < 10; n += 1) await audit.append([record(writer), record(n)]);
  });
  await Promise.all(writers);
  for (const store of stores.slice(1)) await store.close();
  expect(await db.store.audit.verify()).toMatchObject({ ok: true, entries: before + 400 });
});

test("a refusal is counted, and written when the store is closed", async () => {
  const own = await openTestStore();
  for (let n = 0; n < 30; n += 1)
    await own.store.audit.append([
      record(1, { action: "denied", outcome: "refused", object: `GET /${n % 3}` }),
    ]);
  expect(own.store.audit.state()).toEqual({ waiting: 1, failures: 0 });
  const next = await own.reopen();
  await own.store.close();
  const { entries } = await next.audit.list({}, 10);
  expect(entries).toMatchObject([{ action: "denied", count: 30 }]);
  await next.close();
  await own.close();
});

test("a process that dies before the commit leaves no half entry, and the next one goes on", async () => {
  const before = await db.store.audit.head();
  const dying = await loginAs(db.url, "ingest");
  dying.on("error", () => undefined);
  await dying.query("BEGIN");
  await writeAudit(dying, createSigner(Buffer.alloc(32, 3)), [record(1), record(2)]);
  const { rows } = await dying.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  await db.sql("SELECT pg_terminate_backend($1)", [rows[0]?.pid]);
  await db.store.audit.append([record(3)]);
  expect(await db.store.audit.verify()).toMatchObject({ ok: true, entries: before.sequence + 1 });
  await dying.end().catch(() => undefined);
});

describe("below the query", () => {
  const denied = ["42501", "P0001"];

  async function attempt(client: pg.Client, statement: string): Promise<unknown> {
    await client.query("BEGIN");
    try {
      const { rowCount } = await client.query(statement);
      return rowCount;
    } catch (error) {
      return (error as { code?: string }).code;
    } finally {
      await client.query("ROLLBACK");
    }
  }

  test("no login changes, deletes or truncates anything of the trail, nor skips or repeats a number", async () => {
    const tables = ["audit_entry", "audit_personal", "audit_tail", "audit_key"];
    for (const login of ["ingest", "provider", "operator", "tenant"] as const) {
      const client = await loginAs(db.url, login);
      for (const table of tables) {
        for (const statement of [
          `DELETE FROM isochron.${table}`,
          `TRUNCATE isochron.${table}`,
          `UPDATE isochron.${table} SET ${table === "audit_key" ? "id = id" : table === "audit_personal" ? "value = 'x'" : "hash = hash"}`,
        ])
          expect([login, statement, denied.includes(String(await attempt(client, statement)))]).toEqual([
            login,
            statement,
            true,
          ]);
      }
      const copy = `INSERT INTO isochron.audit_entry SELECT 1, store_id, now(), 'a', 'done', 'o', 1, '{}', '{}', hash, hash, 'k', hash FROM isochron.audit_tail`;
      const blind = `INSERT INTO isochron.audit_entry VALUES (99999, gen_random_uuid(), now(), 'a', 'done', 'o', 1, '{}', '{}', '', '', 'k', '')`;
      const about = `INSERT INTO isochron.audit_personal VALUES (1, 'actor.id', '', 'somebody else')`;
      const erase = "SELECT isochron.erase_audit(1, ARRAY[1, 2, 3]::bigint[])";
      for (const statement of [copy, blind, about, erase])
        expect([login, statement, denied.includes(String(await attempt(client, statement)))]).toEqual([
          login,
          statement,
          true,
        ]);
      await client.end();
    }
  });

  test("the trail is read by the provider's login alone, and not by the one of operators", async () => {
    const reads: Record<string, unknown> = {};
    for (const login of ["ingest", "provider", "operator", "tenant"] as const) {
      const client = await loginAs(db.url, login);
      reads[login] = await attempt(client, "SELECT FROM isochron.audit_entry LIMIT 1");
      await client.end();
    }
    expect(reads).toEqual({ ingest: "42501", provider: 1, operator: "42501", tenant: "42501" });
  });

  test("not even the owner changes an entry", async () => {
    await expect(db.sql("UPDATE isochron.audit_entry SET object = 'x'")).rejects.toThrow("not changed");
    await expect(db.sql("DELETE FROM isochron.audit_entry")).rejects.toThrow("not changed");
    await expect(db.sql("TRUNCATE isochron.audit_entry")).rejects.toThrow("not changed");
    await expect(db.sql("UPDATE isochron.audit_personal SET value = 'x'")).rejects.toThrow("not changed");
  });
});
