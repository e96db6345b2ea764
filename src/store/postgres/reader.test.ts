import fc from "fast-check";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, edition, event, minute, page, project } from "../../../test/drafts.ts";
import { duration, instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import { projectKey } from "../../model/tenant.ts";
import type { EventFilter, FeedPosition, Keyset } from "../event-reader.ts";
import type { Store } from "../store.ts";

const provider: Scope = { kind: "provider" };
const tenantOf = (...ids: string[]): Scope => ({
  kind: "tenant",
  label: "t",
  keys: ids.map((id) => projectKey("default", id)),
});

describe("filters", () => {
  let db: TestStore;
  beforeAll(async () => {
    db = await openTestStore();
    await db.store.events.connect(connection);
    await db.store.events.connect({ ...connection, name: "other", source: "alertmanager" });
    const shared = draft("shared", 6, { type: "compute.host.down", severity: "critical", kind: "symptom" });
    await db.store.events.append(
      page([
        event(draft("plain", 1, { severity: "info", type: "compute.instance.create.end" }), project("a")),
        event(
          draft("percent", 2, { severity: "warning", summary: "Disk 100% full_now", subjectName: "Größe" }),
          project("b", "domain-2"),
        ),
        event(
          draft("percents", 3, {
            severity: "error",
            summary: "Disk 100 and full now",
            type: "compute.instance.delete.end",
          }),
        ),
        event(
          draft("asked", 4, {
            severity: "critical",
            category: "storage",
            type: "volume.create",
            subject: { kind: "volume", id: "v:1" },
            related: [
              { role: "server", ref: { kind: "server", id: "s9" }, name: "Backslash \\ and quote '" },
            ],
            operation: { requestId: "req-1" },
          }),
          project("a"),
        ),
        event(shared, undefined, {
          attribution: {
            status: "shared",
            affected: [{ tenant: project("b", "domain-2"), resources: [] }],
            evidence: [],
          },
          editions: [edition(shared, project("b", "domain-2"), { notice: true })],
        }),
      ]),
    );
    await db.store.events.append(page([event(draft("elsewhere", 5))], { connection: "other" }));
  });
  afterAll(() => db.close());

  async function found(filter: EventFilter, scope: Scope = provider): Promise<string[]> {
    const { events } = await db.store.reader.timeline(scope, filter, { limit: 50, order: "oldest" });
    return events.map(({ event: one }) => new Date(one.occurredAt).getUTCMinutes()).map((n) => names[n - 1]!);
  }
  const names = ["plain", "percent", "percents", "asked", "elsewhere", "shared"];

  test.each<[string, EventFilter, string[]]>([
    ["nothing asked", {}, names],
    ["from a moment on", { from: minute(3) }, ["percents", "asked", "elsewhere", "shared"]],
    ["before a moment, itself excluded", { to: minute(3) }, ["plain", "percent"]],
    ["this severity and above", { severity: "error" }, ["percents", "asked", "shared"]],
    ["a kind", { kinds: ["symptom", "human"] }, ["shared"]],
    ["a category", { categories: ["storage"] }, ["asked"]],
    ["an exact type", { types: ["volume.create"] }, ["asked"]],
    ["a type by prefix", { types: ["compute.instance.*"] }, ["plain", "percent", "percents", "elsewhere"]],
    ["types, exact and by prefix", { types: ["volume.create", "compute.host.*"] }, ["asked", "shared"]],
    ["no type at all", { types: [] }, []],
    ["a connection", { connections: ["other"] }, ["elsewhere"]],
    ["an attribution", { attribution: ["unresolved"] }, ["percents", "elsewhere"]],
    ["a project that owns", { projectId: "a" }, ["plain", "asked"]],
    ["a project that owns or is affected", { projectId: "b" }, ["percent", "shared"]],
    ["a domain", { domainId: "domain-2" }, ["percent", "shared"]],
    ["a resource that is the subject", { resource: { kind: "volume", id: "v:1" } }, ["asked"]],
    ["a resource that is related", { resource: { kind: "server", id: "s9" } }, ["asked"]],
    ["a request", { resource: { kind: "request", id: "req-1" } }, ["asked"]],
    ["a resource whose id merely begins so", { resource: { kind: "server", id: "s" } }, []],
    ["text with % taken literally", { text: "100%" }, ["percent"]],
    ["text with _ taken literally", { text: "full_" }, ["percent"]],
    ["text without regard to case", { text: "GRÖSSE".replace("SS", "ß") }, ["percent"]],
    ["text with a backslash and a quote", { text: "\\ and quote '" }, ["asked"]],
    ["text in an id", { text: "V:1" }, ["asked"]],
    ["text that is nowhere", { text: "'; DROP TABLE isochron.event; --" }, []],
    [
      "several at once",
      { severity: "warning", types: ["compute.*"], to: minute(5) },
      ["percent", "percents"],
    ],
  ])("a filter finds exactly what it asks for: %s", async (_, filter, expected) => {
    expect(await found(filter)).toEqual(expected);
  });

  test.each<[string, EventFilter, string[]]>([
    ["all of its own", {}, ["percent", "shared"]],
    ["its own by owner", { attribution: ["owned"] }, ["percent"]],
    ["what merely touches it", { attribution: ["shared"] }, ["shared"]],
    ["no connection, since it knows of none", { connections: ["nova"] }, []],
    ["text", { text: "100%" }, ["percent"]],
    ["another's project", { projectId: "a" }, []],
  ])("a tenant finds %s", async (_, filter, expected) => {
    expect(await found(filter, tenantOf("b"))).toEqual(expected);
  });

  test("a histogram counts each event once, by kind, in equal bins that cover the window", async () => {
    const window = { from: minute(1), to: minute(7) };
    const bins = await db.store.reader.histogram(provider, window, 3);
    expect(bins.map(({ at, counts }) => [at, counts.change, counts.symptom])).toEqual([
      [minute(1), 2, 0],
      [minute(3), 2, 0],
      [minute(5), 1, 1],
    ]);
    expect(
      (await db.store.reader.histogram(tenantOf("b"), window, 3)).map(({ counts }) => counts.change),
    ).toEqual([1, 0, 0]);
    expect(await db.store.reader.histogram(tenantOf(), window, 3)).toHaveLength(3);
  });

  test("rates, the extent and the quarantine count what is in scope", async () => {
    const { reader } = db.store;
    const types = ["compute.instance.create.end", "compute.host.down", "never"];
    expect(await reader.typeRates(provider, types, minute(0), minute(60))).toEqual([
      { type: "compute.host.down", count: 1 },
      { type: "compute.instance.create.end", count: 3 },
    ]);
    expect(await reader.typeRates(tenantOf("a"), types, minute(0), minute(60))).toMatchObject([{ count: 1 }]);
    expect(await reader.extent(provider)).toEqual({ first: minute(1), last: minute(6) });
    expect(await reader.extent(tenantOf("a", "b"))).toEqual({ first: minute(1), last: minute(6) });
    expect(await reader.extent(tenantOf("stranger"))).toBeUndefined();
    const { groups } = await reader.quarantine(provider, 10);
    expect(groups).toMatchObject([
      { reason: "no-owner-known", type: "compute.instance.create.end", count: 1, oldest: minute(5) },
      { reason: "no-owner-known", type: "compute.instance.delete.end", count: 1, oldest: minute(3) },
    ]);
  });

  test("an event is found by its id with all that was stored of it", async () => {
    const [asked] = (await db.store.reader.timeline(provider, { text: "v:1" }, { limit: 1, order: "newest" }))
      .events;
    expect(await db.store.reader.event(provider, asked!.event.id)).toEqual(asked);
    expect(asked).toMatchObject({
      audience: "provider",
      event: {
        precision: duration(0),
        operation: { requestId: "req-1" },
        subject: { kind: "volume", id: "v:1" },
      },
    });
    expect(await db.store.reader.event(provider, "evt_none")).toBeUndefined();
  });
});

describe("paging and following", () => {
  let db: TestStore;
  let store: Store;
  beforeEach(async () => {
    db = await openTestStore();
    store = db.store;
    await store.events.connect(connection);
  });
  afterEach(() => db.close());

  test("pages show each event once, in order, while new ones arrive and times tie", async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat({ max: 30_000 }), { minLength: 1, maxLength: 25 }),
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom("newest" as const, "oldest" as const),
        fc.boolean(),
        async (minutes, limit, order, asTenant) => {
          run += 1;
          const id = `p${run}`;
          const names = minutes.map((_, n) => `r${run}-${n}`);
          await store.events.append(
            page(names.map((name, n) => event(draft(name, minutes[n]!), project(id)))),
          );
          const scope = asTenant ? tenantOf(id, "none") : provider;
          const seen: Keyset[] = [];
          let after: Keyset | undefined;
          for (let pages = 0; pages <= 25; pages += 1) {
            const filter = asTenant ? {} : { projectId: id };
            const got = await store.reader.timeline(scope, filter, {
              limit,
              order,
              ...(after ? { after } : {}),
            });
            seen.push(...got.events.map(({ event: one }) => one));
            after = got.events.at(-1)?.event;
            if (!got.more) break;
            const late = event(draft(`r${run}-late${pages}`, order === "newest" ? 40_000 : -10), project(id));
            await store.events.append(page([late]));
          }
          expect(new Set(seen.map((one) => one.id)).size).toBe(minutes.length);
          expect(seen).toHaveLength(minutes.length);
          const times = seen.map(({ occurredAt }) => occurredAt as number);
          expect(times).toEqual(times.toSorted((a, b) => (order === "newest" ? b - a : a - b)));
        },
      ),
      { numRuns: 15 },
    );
  });

  /** Transactions of other test files, on the same server, may hold the feed up for a moment. */
  async function feedOf(scope: Scope, position: FeedPosition, count: number) {
    for (let tries = 0; tries < 5_000; tries += 1) {
      const found = await store.reader.feed(scope, position, 10);
      if (found.events.length >= count) return found;
    }
    throw new Error("the feed stands still");
  }

  test("the feed gives what is stored after now, once, to the provider and to its tenant", async () => {
    await store.events.append(page([event(draft("before", 1), project("a"))]));
    for (const scope of [provider, tenantOf("a")]) {
      const start = await store.reader.feed(scope, undefined, 10);
      expect(start.events).toEqual([]);
      const name = `after-${scope.kind}`;
      await store.events.append(
        page([event(draft(name, 0), project("a")), event(draft(`x-${name}`, 9), project("b"))]),
      );
      const expected = scope.kind === "provider" ? 2 : 1;
      const next = await feedOf(scope, start.position, expected);
      expect(next.events).toHaveLength(expected);
      expect((await store.reader.feed(scope, next.position, 10)).events).toEqual([]);
      // A reader that comes back with nothing but the last id goes on from there.
      const { event: last } = next.events.at(-1)!;
      expect((await store.reader.feed(scope, { event: last.id }, 10)).events).toEqual([]);
    }
    expect((await store.reader.feed(tenantOf("b"), { event: "evt_unknown" }, 10)).events).toEqual([]);
  });

  test("a transaction that commits late comes late in the feed instead of being skipped", async () => {
    const start = await store.reader.feed(provider, undefined, 10);
    const late = new pg.Client({ connectionString: db.url });
    await late.connect();
    await late.query("BEGIN");
    // Takes its place in the order of transactions now, and commits after a younger one.
    await late.query("SELECT pg_current_xact_id()");
    await store.events.append(page([event(draft("younger", 2))]));
    const meanwhile = await store.reader.feed(provider, start.position, 10);
    expect(meanwhile.events).toEqual([]);
    await late.query(
      'INSERT INTO isochron.event SELECT (jsonb_populate_record(e, \'{"id": "evt_older"}\')).* FROM isochron.event e',
    );
    await late.query("UPDATE isochron.event SET feed_xid = pg_current_xact_id() WHERE id = 'evt_older'");
    await late.query("COMMIT");
    await late.end();
    const then = await feedOf(provider, meanwhile.position, 2);
    expect(then.events).toHaveLength(2);
    expect(then.events[0]).toMatchObject({ event: { id: "evt_older" } });
    const rest = await store.reader.feed(provider, { event: then.events[0]!.event.id, ...then.position }, 10);
    expect(rest.events).toEqual([]);
  });

  test("whoever waits is woken by what is stored, by the end of the wait, and by giving up", async () => {
    const signal = new AbortController().signal;
    await store.reader.woken(1, signal);
    // The first wait opens the ear, which wakes in case something came before.
    await store.reader.woken(60_000, signal);
    const woken = store.reader.woken(60_000, signal);
    await store.events.append(page([event(draft("a", 1))]));
    await woken;
    const giving = new AbortController();
    const waiting = store.reader.woken(60_000, giving.signal);
    giving.abort();
    await expect(waiting).resolves.toBeUndefined();
  });

  test("a tenant's coverage is one moment without names, over its own control plane", async () => {
    await store.events.append(page([], { completeTo: minute(10) }));
    await store.events.connect({ ...connection, name: "far", controlPlane: "elsewhere" });
    await store.events.append(
      page([], { connection: "far", controlPlane: "elsewhere", completeTo: minute(3) }),
    );
    expect(await store.reader.coverage(tenantOf("a"))).toEqual({
      connections: [],
      completeTo: minute(10),
      holes: [],
    });
    expect((await store.reader.coverage(provider)).completeTo).toBe(minute(3));
  });

  test("tokens are found by their hash until they are revoked, and the record stays", async () => {
    const hash = new Uint8Array(32).fill(9);
    const made = await store.tokens.create({
      name: "ci",
      hash,
      scope: { kind: "provider" },
      expiresAt: instant(5),
    });
    const { usedOn, ...found } = (await store.tokens.find(hash))!;
    expect(found).toEqual(made);
    expect(usedOn).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(await store.tokens.find(new Uint8Array(32))).toBeUndefined();
    expect(await store.tokens.revoke(made.id)).toBe(true);
    expect(await store.tokens.revoke(made.id)).toBe(false);
    expect(await store.tokens.list()).toMatchObject([
      { id: made.id, expiresAt: 5, revokedAt: expect.any(Number) },
    ]);
  });
});
