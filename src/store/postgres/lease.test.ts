import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import type { EventStore } from "../event-store.ts";
import { parseDatabaseUrl } from "./database-url.ts";
import { openPools } from "./pools.ts";

let db: TestStore;
let store: EventStore;
const connection = { name: "nova", source: "numbers", controlPlane: "cloud" };

beforeEach(async () => {
  db = await openTestStore();
  store = db.store.events;
  await store.connect({ ...connection, config: {} });
});

afterEach(() => db.close());

/** Moves what the database remembers of the connection into the past, as if so much time had gone by. */
async function age(seconds: number): Promise<void> {
  await db.sql(
    `UPDATE isochron.connection SET lease_until = lease_until - $1 * interval '1 second',
       passed_at = passed_at - $1 * interval '1 second'`,
    [seconds],
  );
}

const emptyPage = {
  connection: "nova",
  stream: "main",
  controlPlane: "cloud",
  events: [],
  facts: [],
  rejects: [],
};

describe("a lease", () => {
  test("is one worker's until it is released or over, and each one has an epoch of its own", async () => {
    const first = await store.lease("nova", "worker-1", 15_000);
    expect(await store.lease("nova", "worker-2", 15_000)).toBeUndefined();
    await store.release("nova", first!);
    const second = await store.lease("nova", "worker-2", 15_000);
    expect(second).toBe(first! + 1);
    expect(await store.lease("nova", "worker-1", 15_000)).toBeUndefined();
    await age(16);
    expect(await store.lease("nova", "worker-1", 15_000)).toBe(second! + 1);
  });

  test("lasts on while it is renewed", async () => {
    const epoch = await store.lease("nova", "worker-1", 15_000);
    await age(14);
    expect(await store.renew("nova", epoch!)).toBe(true);
    await age(14);
    expect(await store.lease("nova", "worker-2", 15_000)).toBeUndefined();
  });

  test("that was over but that nobody took is renewed, and one that passed on or was released is not", async () => {
    const epoch = await store.lease("nova", "worker-1", 15_000);
    await age(60);
    expect(await store.renew("nova", epoch!)).toBe(true);
    await age(60);
    const next = await store.lease("nova", "worker-2", 15_000);
    expect(await store.renew("nova", epoch!)).toBe(false);
    await store.release("nova", next!);
    expect(await store.renew("nova", next!)).toBe(false);
  });

  test("is renewed without waiting for a page that is being stored", async () => {
    const epoch = await store.lease("nova", "worker-1", 15_000);
    await db.sql("BEGIN");
    await db.sql("SELECT FROM isochron.connection WHERE name = 'nova' FOR UPDATE");
    expect(await store.renew("nova", epoch!)).toBe(true);
    expect(await store.lease("nova", "worker-2", 15_000)).toBeUndefined();
    await db.sql("ROLLBACK");
  });

  test("of a pass that could not hand it back does not keep the same worker waiting, and fences that pass", async () => {
    const lost = await store.lease("nova", "worker-1", 15_000);
    expect(await store.waitFor("nova", "worker-1", 0)).toBe(0);
    const next = await store.lease("nova", "worker-1", 15_000);
    expect(next).toBe(lost! + 1);
    await expect(store.append({ ...emptyPage, epoch: lost! })).rejects.toMatchObject({ code: "fenced" });
  });
});

describe("a rest", () => {
  test("holds for every worker, but not for who asks at once", async () => {
    const epoch = await store.lease("nova", "worker-1", 15_000, 60_000);
    await store.release("nova", epoch!, 60_000);
    expect(await store.lease("nova", "worker-1", 15_000, 60_000)).toBeUndefined();
    expect(await store.lease("nova", "worker-2", 15_000, 60_000)).toBeUndefined();
    const wait = await store.waitFor("nova", "worker-2", 60_000);
    expect(wait).toBeGreaterThan(50_000);
    expect(wait).toBeLessThanOrEqual(60_000);
    expect(await store.lease("nova", "worker-2", 15_000)).toBe(epoch! + 1);
  });

  test("is over after its time, and at once where the interval was shortened", async () => {
    const epoch = await store.lease("nova", "worker-1", 15_000, 60_000);
    await store.release("nova", epoch!, 60_000);
    await age(30);
    expect(await store.lease("nova", "worker-2", 15_000, 40_000)).toBeUndefined();
    const next = await store.lease("nova", "worker-2", 15_000, 20_000);
    expect(next).toBe(epoch! + 1);
    await store.release("nova", next!);
    await age(31);
    expect(await store.waitFor("nova", "worker-1", 60_000)).toBe(0);
    expect(await store.lease("nova", "worker-1", 15_000, 60_000)).toBe(epoch! + 2);
  });

  test("does not begin when a worker dies or stops in the middle", async () => {
    const first = await store.lease("nova", "worker-1", 15_000, 60_000);
    expect(await store.waitFor("nova", "worker-2", 60_000)).toBeLessThanOrEqual(15_000);
    await age(15);
    const second = await store.lease("nova", "worker-2", 15_000, 60_000);
    expect(second).toBe(first! + 1);
    await store.release("nova", second!);
    expect(await store.lease("nova", "worker-1", 15_000, 60_000)).toBe(second! + 1);
  });
});

describe("lanes", () => {
  test("share a stream and have a cursor each", async () => {
    const epoch = await store.lease("nova", "worker-1", 15_000);
    await store.append({ ...emptyPage, epoch: epoch!, cursor: 1 });
    await store.append({ ...emptyPage, epoch: epoch!, cursor: 2, lane: "live" });
    expect(await store.cursor("nova", "main")).toBe(1);
    expect(await store.cursor("nova", "live")).toBe(2);
    await store.endLane("nova", "live", epoch!);
    expect(await store.cursor("nova", "live")).toBeUndefined();
    expect(await store.cursor("nova", "main")).toBe(1);
  });

  test("end under the lease alone", async () => {
    const epoch = await store.lease("nova", "worker-1", 15_000);
    await store.append({ ...emptyPage, epoch: epoch!, cursor: 2, lane: "live" });
    await age(60);
    await store.lease("nova", "worker-2", 15_000);
    await expect(store.endLane("nova", "live", epoch!)).rejects.toMatchObject({ code: "fenced" });
    expect(await store.cursor("nova", "live")).toBe(2);
  });
});

describe("a worker that stands still or is gone without a word", () => {
  test("is cut off by the server before its lease is over", async () => {
    const pools = openPools(parseDatabaseUrl(db.url), () => undefined);
    try {
      for (const pool of ["ingest", "lease"] as const) {
        // What the session asked for; over a Unix socket the TCP settings read 0, because nothing can get lost there.
        const { rows } = await pools.transact(pool, "write", (client) =>
          client.query<{ name: string; ms: number }>(
            `SELECT name, reset_val::float8 * CASE unit WHEN 's' THEN 1000 ELSE 1 END AS ms FROM pg_settings
            WHERE name LIKE 'tcp%' OR name LIKE '%timeout'`,
          ),
        );
        const limits = Object.fromEntries(rows.map(({ name, ms }) => [name, ms]));
        expect(limits).toMatchObject({ idle_in_transaction_session_timeout: 10_000, lock_timeout: 5_000 });
        expect(limits["statement_timeout"]).toBe(pool === "lease" ? 4_000 : 30_000);
        expect(limits["tcp_user_timeout"]).toBe(12_000);
        const probes = limits["tcp_keepalives_interval"]! * limits["tcp_keepalives_count"]!;
        expect(limits["tcp_keepalives_idle"]! + probes).toBeLessThan(15_000);
      }
    } finally {
      await pools.end();
    }
  });
});
