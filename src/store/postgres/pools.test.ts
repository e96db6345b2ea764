import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { parseDatabaseUrl } from "./database-url.ts";
import { openPools, type Pools } from "./pools.ts";

let db: TestStore;
let pools: Pools;

beforeAll(async () => {
  db = await openTestStore();
  pools = openPools(parseDatabaseUrl(db.url), () => undefined, { tenant: 1, operator: 1 });
});
afterAll(async () => {
  await pools.end();
  await db.close();
});

async function leaveBehind(client: pg.ClientBase): Promise<void> {
  await client.query("SELECT set_config('isochron.claim', 'kept', false)");
  await client.query("SET SESSION search_path = public");
  await client.query("SET SESSION TimeZone = 'Asia/Tokyo'");
  await client.query("PREPARE kept AS SELECT 1");
  await client.query("DECLARE kept CURSOR WITH HOLD FOR SELECT 1");
  await client.query("SELECT pg_advisory_lock(4711)");
  await client.query("LISTEN kept").catch((error: { code: string }) => expect(error.code).toBe("25006"));
}

async function findLeft(client: pg.ClientBase): Promise<unknown> {
  const { rows } = await client.query(
    `SELECT pg_backend_pid() AS pid, coalesce(current_setting('isochron.claim', true), '') AS claim,
            current_setting('search_path') AS path, current_setting('TimeZone') AS zone,
            (SELECT count(*)::integer FROM pg_prepared_statements) AS prepared,
            (SELECT count(*)::integer FROM pg_cursors WHERE is_holdable) AS cursors,
            (SELECT count(*)::integer FROM pg_listening_channels()) AS channels,
            (SELECT count(*)::integer FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()) AS locks`,
  );
  return rows[0];
}

test.each(["tenant", "operator"] as const)(
  "a session of the %s pool hands nothing on to whoever has it next, after a commit as after an error",
  async (pool) => {
    const clean = await pools.transact(pool, "read", findLeft);
    await pools.transact(pool, "read", leaveBehind);
    expect(await pools.transact(pool, "read", findLeft)).toEqual(clean);
    const broken = pools.transact(pool, "read", async (client) => {
      await leaveBehind(client);
      throw new Error("in the middle");
    });
    await expect(broken).rejects.toThrow("in the middle");
    expect(await pools.transact(pool, "read", findLeft)).toEqual(clean);
  },
);
