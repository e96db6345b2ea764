import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loginAs, openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, event, fact, minute, page, project } from "../../../test/drafts.ts";
import { eventually } from "../../../test/eventually.ts";
import { instant } from "../../model/instant.ts";
import type { ResolvedPage } from "../event-store.ts";
import type { Store } from "../store.ts";

const provider = { kind: "provider" } as const;
let db: TestStore;
let store: Store;

beforeEach(async () => {
  db = await openTestStore();
  store = db.store;
  await store.events.connect(connection);
});
afterEach(() => db.close());

async function listed() {
  const { events } = await store.reader.timeline(provider, {}, { limit: 100, order: "oldest" });
  return events.map(({ event: one }) => one);
}

describe("repeats and revisions", () => {
  test("a replayed page changes nothing and counts every record as repeated", async () => {
    const given = page([event(draft("a", 1), project("p1")), event(draft("b", 2))], {
      facts: [fact("server:s", "runs_on", "host:h", 1)],
    });
    expect(await store.events.append(given)).toMatchObject({ created: 2, repeated: 0, facts: 1 });
    const before = await store.digest();
    expect(await store.events.append(given)).toMatchObject({ created: 0, repeated: 2, revised: 0, facts: 0 });
    expect(await store.digest()).toBe(before);
  });

  test("a record that now says something else is kept as a revision, once, and the event keeps its first words", async () => {
    await store.events.append(page([event(draft("a", 1))]));
    const changed = page([event(draft("a", 1, { summary: "Other words" }))]);
    expect(await store.events.append(changed)).toMatchObject({ created: 0, repeated: 0, revised: 1 });
    expect(await store.events.append(changed)).toMatchObject({ repeated: 1, revised: 0 });
    expect((await listed()).map(({ summary }) => summary)).toEqual(["Server a was created"]);
    const [revision] = await db.sql("SELECT draft FROM isochron.event_revision");
    expect(revision).toMatchObject({ draft: { summary: "Other words" } });
  });

  test("a record that one process's clock called suspect and another's did not says the same", async () => {
    const [sound, suspect] = [{ n: 1 }, { n: 1, time_suspect: true }].map((details) =>
      page([event(draft("a", 1, { details }))]),
    );
    expect(await store.events.append(suspect!)).toMatchObject({ created: 1 });
    expect(await store.events.append(sound!)).toMatchObject({ repeated: 1, revised: 0 });
    expect(await store.events.append(suspect!)).toMatchObject({ repeated: 1, revised: 0 });
    const other = page([event(draft("a", 1, { details: { n: 2, time_suspect: true } }))]);
    expect(await store.events.append(other)).toMatchObject({ repeated: 0, revised: 1 });
  });

  test("an occurrence that comes again under a further source id gains that id and nothing else", async () => {
    await store.events.append(page([event(draft("a", 1))]));
    const again = page([event({ ...draft("a", 1), sourceIds: ["a-second"] })]);
    expect(await store.events.append(again)).toMatchObject({ created: 0, repeated: 1 });
    expect((await listed()).map((one) => "sourceIds" in one && one.sourceIds)).toEqual([["a", "a-second"]]);
  });

  test("one record may tell of several events", async () => {
    const drafts = ["one", "two"].map((key) => event({ ...draft(key, 1), sourceIds: ["record"] }));
    expect(await store.events.append(page(drafts))).toMatchObject({ created: 2 });
    expect(await store.events.append(page(drafts))).toMatchObject({ created: 0, repeated: 2 });
  });

  test("a record that came by another stream is not stored twice", async () => {
    await store.events.append(page([event(draft("a", 1))], { stream: "import" }));
    expect(await store.events.append(page([event(draft("a", 1))], { stream: "live" }))).toMatchObject({
      repeated: 1,
    });
    expect(await listed()).toHaveLength(1);
  });

  test("any order and any repetition of pages ends in the same store", async () => {
    const pages: ResolvedPage[] = [0, 1, 2, 3].map((n) =>
      page(
        [0, 1, 2].map((m) => event(draft(`e${n}-${m}`, n * 7 + m), project(`p${m}`))),
        {
          facts: [
            fact("server:s", "runs_on", `host:${n % 2}`, n, { sourceId: `record-${n}` }),
            fact("server:s", "owned_by", "project:p", 0, { sourceId: `record-${n}` }),
          ],
          rejects: n === 2 ? [reject("line 9")] : [],
        },
      ),
    );
    const digests = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        fc.array(fc.nat({ max: 3 }), { maxLength: 3 }),
        async (order, again) => {
          await db.sql(`TRUNCATE isochron.event, isochron.tenant_event, isochron.delivery, isochron.topology_fact,
            isochron.set_aside, isochron.event_revision, isochron.reattribution_due, isochron.pending_attribution`);
          for (const n of [...order, ...again]) await store.events.append(pages[n]!);
          digests.add(await store.digest());
          expect(digests.size).toBe(1);
        },
      ),
      { numRuns: 12 },
    );
  });
});

function reject(position: string) {
  return {
    position,
    bytes: new TextEncoder().encode("{broken \0 bytes"),
    meta: { routing_key: "x" },
    receivedAt: minute(3),
    code: "record-invalid",
    reason: "It is cut short.",
  };
}

describe("one transaction", () => {
  test("a page of a lease that has passed on is refused whole", async () => {
    const first = await store.events.lease("nova", "worker-1", 0);
    const second = await store.events.lease("nova", "worker-2", 60_000);
    expect(second).toBe(first! + 1);
    const before = await store.digest();
    const late = page([event(draft("a", 1))], { epoch: first!, cursor: "late" });
    await expect(store.events.append(late)).rejects.toMatchObject({ code: "fenced" });
    expect(await store.digest()).toBe(before);
    expect(await store.events.cursor("nova", "main")).toBeUndefined();
    await expect(store.events.append(page([event(draft("a", 1))], { epoch: second! }))).resolves.toBeTruthy();
  });

  test("a session that is killed half-way leaves nothing, and the page can be sent again", async () => {
    const before = await store.digest();
    await db.sql("BEGIN");
    await db.sql("LOCK TABLE isochron.set_aside IN ACCESS EXCLUSIVE MODE");
    const given = page([event(draft("a", 1))], { rejects: [reject("line 2")], cursor: 7 });
    const outcome = store.events.append(given).catch((error: unknown) => error);
    await killWaiting();
    expect(await outcome).toMatchObject({ code: "store-unavailable" });
    await db.sql("ROLLBACK");
    expect(await store.digest()).toBe(before);
    expect(await store.events.cursor("nova", "main")).toBeUndefined();
    expect(await store.events.append(given)).toMatchObject({ created: 1, setAside: 1 });
    expect(await store.events.cursor("nova", "main")).toBe(7);
  });

  /** A login may end sessions of its own. */
  async function killWaiting(): Promise<void> {
    const killer = await loginAs(db.url, "ingest");
    await eventually("a session waits for the lock", async () => {
      const { rows } = await killer.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND usename = current_user AND wait_event_type = 'Lock'`,
      );
      return rows.length > 0;
    });
    await killer.end();
  }

  test("the connection's counts and place move with the page", async () => {
    await store.events.append(
      page([event(draft("a", 1)), event(draft("b", 9))], {
        rejects: [reject("line 3")],
        completeTo: minute(10),
      }),
    );
    await store.events.append(page([event(draft("a", 1))], { completeTo: minute(5) }));
    const { connections, completeTo } = await store.reader.coverage(provider);
    expect(connections).toMatchObject([
      {
        connection: "nova",
        completeTo: minute(10),
        lastEventAt: minute(9),
        counts: { events: 2, repeated: 1, setAside: 1 },
      },
    ]);
    expect(completeTo).toBe(minute(10));
  });

  test("a connection stays with its source and its control plane", async () => {
    await expect(store.events.connect({ ...connection, source: "alertmanager" })).rejects.toMatchObject({
      code: "connection-mismatch",
    });
    await expect(store.events.append(page([], { connection: "unknown" }))).rejects.toMatchObject({
      code: "source-unknown",
    });
  });

  test("a connection that failed says so until it succeeds again", async () => {
    await store.events.report("nova", "The source answered \0 with something else.");
    expect((await store.reader.coverage(provider)).connections).toMatchObject([{ state: "failing" }]);
    await store.events.report("nova", undefined);
    expect((await store.reader.coverage(provider)).connections).toMatchObject([{ state: "idle" }]);
  });
});

describe("bad records", () => {
  test("a record set aside twice is kept once, whole, and is gone after a good replay", async () => {
    await store.events.append(page([], { rejects: [reject("line 2")] }));
    await store.events.append(page([], { rejects: [reject("line 2")] }));
    const [record, ...others] = await store.events.setAside("nova", 10);
    expect(others).toEqual([]);
    expect(record).toMatchObject({
      position: "line 2",
      source: connection.source,
      meta: { routing_key: "x" },
    });
    expect(new TextDecoder().decode(record!.bytes)).toBe("{broken \0 bytes");
    await store.events.replayed(record!.id, {
      ok: false,
      code: "record-invalid",
      reason: "Still cut short.",
    });
    expect(await store.events.setAside("nova", 10)).toMatchObject([
      { attempts: 2, reason: "Still cut short." },
    ]);
    expect(await store.events.setAside("nova", 10, record!.id)).toEqual([]);
    expect(await store.reader.setAside(provider, 10)).toMatchObject([{ id: record!.id }]);
    await store.events.replayed(record!.id, { ok: true });
    expect(await store.events.setAside("nova", 10)).toEqual([]);
    expect(await store.reader.setAside(provider, 10)).toEqual([]);
  });

  test.each([
    ["NUL in its summary", { summary: "a\0b" }],
    ["a lone surrogate in its details", { details: { text: "\ud800" } }],
    ["a number beyond all bounds", { precision: 1e300 as never }],
    ["a time before 1970", { occurredAt: instant(-1) }],
    ["no time at all", { occurredAt: Number.NaN as never }],
    ["a key too long for an index", { key: incompressible(5_000) }],
  ])("a record with %s is set aside whole and stops no other", async (_, fields) => {
    const others = [0, 1, 2, 3, 4].map((n) => event(draft(`good-${n}`, n)));
    const bad = event(draft("bad", 2, fields));
    const origin = { ...reject("delivery 88"), receivedAt: minute(4) };
    const given = page([...others.slice(0, 3), bad, ...others.slice(3)], {
      origins: new Map([["bad", origin]]),
      facts: [fact("server:s", "runs_on", "host:h", 1, { sourceId: "bad" })],
      cursor: "moved",
    });
    expect(await store.events.append(given)).toMatchObject({ created: 5, setAside: 1, facts: 0 });
    expect(await store.events.setAside("nova", 10)).toMatchObject([
      { position: "delivery 88", code: "record-invalid" },
    ]);
    expect(await store.events.cursor("nova", "main")).toBe("moved");
    expect(await store.events.append(given)).toMatchObject({ created: 0, repeated: 5, setAside: 1 });
    expect(await store.events.setAside("nova", 10)).toHaveLength(1);
  });

  test("are looked for under the lease, which nobody else takes over meanwhile", async () => {
    const epoch = (await store.events.lease("nova", "worker-1", 1_000))!;
    const bad = { precision: 1e300 as never };
    const drafts = Array.from({ length: 400 }, (_, n) => draft(`k${n}`, n, n % 2 === 0 ? bad : {}));
    const stored = store.events.append(
      page(
        drafts.map((one) => event(one)),
        { epoch },
      ),
    );
    let over = false;
    const taking = (async () => {
      while (!over) expect(await store.events.lease("nova", "worker-2", 60_000)).toBeUndefined();
    })();
    expect(await stored.finally(() => (over = true))).toMatchObject({ created: 200, setAside: 200 });
    await taking;
  });
});

function incompressible(length: number): string {
  let state = 1;
  return Array.from({ length }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return String.fromCharCode(33 + (state % 90));
  }).join("");
}

describe("partitions", () => {
  test("each week gets its own when its first event comes, from 1970 on", async () => {
    await store.events.append(
      page([event(draft("now", 0)), event(draft("old", 0, { occurredAt: instant(5) }))]),
    );
    const names = await db.sql(
      "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'isochron.event'::regclass ORDER BY 1",
    );
    expect(names.map(({ name }) => name as string)).toEqual([
      "isochron.event_19691229",
      "isochron.event_20261116",
    ]);
    expect(await listed()).toHaveLength(2);
  });

  test("retention drops whole weeks with all that is known of their events, and the writer goes on", async () => {
    const week = 7 * 24 * 60;
    await store.events.append(
      page([event(draft("old", 0), project("p")), event(draft("new", week), project("p"))]),
    );
    const epoch = (await store.retention.take("test", 60_000))!;
    const policy = { days: { operational: 1 }, tenants: new Map() };
    const now = instant(minute(week));
    await store.retention.expire(epoch, policy, now, 100);
    expect(await store.retention.dropEmptyWeeks(epoch, policy, now)).toBe(2);
    expect((await listed()).map(({ summary }) => summary)).toEqual(["Server new was created"]);
    expect(await store.events.append(page([event(draft("late", 1), project("p"))]))).toMatchObject({
      created: 1,
    });
    expect(await listed()).toHaveLength(2);
  });
});
