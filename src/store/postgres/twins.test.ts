import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, edition, event, page, project } from "../../../test/drafts.ts";
import type { EventDraft, StoredEvent } from "../../model/event.ts";
import { duration } from "../../model/instant.ts";
import type { StorableEvent } from "../event-store.ts";
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

/** A report of one side of an occurrence of the group `g`. */
function report(name: string, side: string, at: number, fields: Partial<EventDraft> = {}): StorableEvent {
  const twin = { group: "g", side, within: duration(120_000) };
  return event(
    draft(name, at, { key: "occurrence", twin, details: { source_type: `type.${side}` }, ...fields }),
  );
}

async function listed(): Promise<readonly StoredEvent[]> {
  const { events } = await store.reader.timeline(provider, {}, { limit: 100, order: "oldest" });
  return events.flatMap((visible) => (visible.audience === "provider" ? [visible.event] : []));
}

const legacy = report("l1", "legacy", 1, { related: [{ role: "host", ref: { kind: "host", id: "h" } }] });
const versioned = report("v1", "versioned", 2, {
  related: [{ role: "image", ref: { kind: "image", id: "i" }, name: "Debian" }],
  actor: { userId: "u" },
});

test("two reports of one occurrence are one event, in one page, in two, and after a restart alike", async () => {
  expect(await store.events.append(page([legacy, versioned]))).toMatchObject({ created: 1, folded: 1 });
  const digest = await store.digest();
  const [one, ...others] = await listed();
  expect(others).toEqual([]);
  expect(one).toMatchObject({
    sourceIds: ["l1", "v1"],
    occurredAt: legacy.draft.occurredAt,
    actor: { userId: "u" },
    related: [{ role: "host" }, { role: "image", name: "Debian" }],
    details: { source_type: "type.legacy", twin_types: ["type.legacy", "type.versioned"] },
  });

  const second = await openTestStore();
  await second.store.events.connect(connection);
  await second.store.events.append(page([legacy]));
  await second.store.close();
  const reopened = await second.reopen();
  expect(await reopened.events.append(page([versioned]))).toMatchObject({ created: 0, folded: 1 });
  expect(await reopened.digest()).toBe(digest);
  expect(await reopened.events.append(page([versioned, legacy]))).toMatchObject({ folded: 0, repeated: 2 });
  expect(await reopened.digest()).toBe(digest);
  await reopened.close();
  await second.close();
});

test("reports of the same side, or too far apart, are occurrences of their own with ids of their own", async () => {
  const given = [legacy, report("l2", "legacy", 1), report("v9", "versioned", 9)];
  expect(await store.events.append(page(given))).toMatchObject({ created: 3, folded: 0 });
  expect(new Set((await listed()).map(({ id }) => id)).size).toBe(3);
  const keys = (await listed()).map(({ key }) => key);
  expect(keys.sort()).toEqual(["occurrence", "occurrence#2", "occurrence#3"]);
});

test("the nearest vacant report is the twin, not the first that came", async () => {
  await store.events.append(page([report("l1", "legacy", 1), report("l2", "legacy", 2)]));
  await store.events.append(page([report("v2", "versioned", 2)]));
  await store.events.append(page([report("v1", "versioned", 1)]));
  expect((await listed()).map(({ sourceIds }) => sourceIds)).toEqual([
    ["l1", "v1"],
    ["l2", "v2"],
  ]);
});

test("the twin that proves the owner decides, and the event's earlier answer is kept", async () => {
  await store.events.append(page([legacy]));
  const tenant = project("p1");
  const proven: StorableEvent = {
    ...versioned,
    attribution: { status: "owned", tenant, evidence: [] },
    editions: [edition(versioned.draft, tenant)],
  };
  await store.events.append(page([proven]));
  const [one] = await listed();
  expect(one).toMatchObject({ attribution: { status: "owned" } });
  expect(await store.reader.attributionHistory(provider, one!.id)).toMatchObject([
    { attribution: { status: "unresolved" } },
  ]);
  const scope = { kind: "tenant", label: "p1", keys: ["project/default/p1"] } as never;
  expect((await store.reader.timeline(scope, {}, { limit: 9, order: "newest" })).events).toMatchObject([
    { audience: "tenant", event: { id: one!.id } },
  ]);
});

test("however an ordered delivery is cut into pages and repeated, the store ends the same", async () => {
  const reports = [1, 1, 2, 3, 3, 4].map((at, n) =>
    report(`r${n}`, n % 2 === 0 ? "legacy" : "versioned", at),
  );
  const digests = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 5 }), { maxLength: 3 }),
      fc.nat({ max: 5 }),
      async (cuts, restart) => {
        await db.sql("TRUNCATE isochron.event, isochron.delivery, isochron.event_revision");
        const edges = [...new Set([0, ...cuts, reports.length])].sort((a, b) => a - b);
        const replay = async (from: number): Promise<void> => {
          for (const [n, end] of edges.entries()) {
            const begin = Math.max(from, edges[n - 1] ?? 0);
            if (end > begin) await store.events.append(page(reports.slice(begin, end)));
          }
        };
        await replay(0);
        await replay(restart);
        digests.add(await store.digest());
        expect(digests.size).toBe(1);
      },
    ),
    { numRuns: 12 },
  );
  expect(await listed()).toHaveLength(3);
});
