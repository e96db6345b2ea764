import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loginAs, openTestStore, type TestStore } from "../../../test/database.ts";
import {
  connection,
  draft,
  edition,
  event,
  minute,
  ownedBy,
  page,
  project,
  unresolved,
} from "../../../test/drafts.ts";
import { eventually } from "../../../test/eventually.ts";
import { instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import { projectKey } from "../../model/tenant.ts";
import type { EventFilter } from "../event-reader.ts";
import type { Reattribution, StorableEvent } from "../event-store.ts";

let db: TestStore;
beforeEach(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
});
afterEach(() => db.close());

const provider: Scope = { kind: "provider" };
const tenantScope = (id: string): Scope => ({ kind: "tenant", label: id, keys: [projectKey("default", id)] });
const all = { limit: 100, order: "oldest" } as const;

/** A symptom of a storm in the minute 1, of the server of its number; nobody's where no project is given. */
function member(number: number, ofProject?: string): StorableEvent {
  const of = draft(`m-${number}`, 1, {
    occurredAt: instant(minute(1) + number * 1000),
    kind: "symptom",
    type: "alert.down.firing",
    subject: { kind: "server", id: `s-${number}` },
  });
  if (ofProject !== undefined) return event(of, project(ofProject), { storm: true });
  return { draft: of, attribution: unresolved, dependsOn: [], editions: [], storm: true };
}

async function foldsOf(
  scope: Scope,
  filter: EventFilter = {},
): Promise<readonly { id: string; count: number }[]> {
  const { events } = await db.store.reader.timeline(scope, filter, all);
  return events.map(({ event: { id, details } }) => ({
    id,
    count: (details["storm"] as { count: number } | undefined)?.count ?? 1,
  }));
}

/** The answer that these members of the one fold are the project's. */
async function answersFor(numbers: readonly number[], ofProject: string): Promise<readonly Reattribution[]> {
  const [fold] = await foldsOf(provider);
  const { events } = await db.store.reader.members(provider, fold!.id, all);
  return numbers.map((number) => {
    const of = member(number).draft;
    const id = events.find(({ event: { subject } }) => subject.id === of.subject.id)!.event.id;
    const attribution = ownedBy(project(ofProject));
    const editions = [edition(of, project(ofProject))];
    return { eventId: id, occurredAt: of.occurredAt, attribution, dependsOn: [], editions };
  });
}

const nothingDue = { token: { marks: [] }, events: [] };

describe("the events of a resource", () => {
  const twenty = Array.from({ length: 20 }, (_, number) => number);
  const late = { kind: "server", id: "s-19" };

  test("hold the folds that it was in, for the provider and for its own tenant", async () => {
    await db.store.events.append(page(twenty.map((number) => member(number, number < 10 ? "a" : "b"))));
    for (const scope of [provider, tenantScope("b")]) {
      expect((await foldsOf(scope, { resource: late })).map(({ count }) => count)).toEqual([10]);
      expect(await foldsOf(scope, { resource: { kind: "server", id: "s-20" } })).toEqual([]);
    }
    expect(await foldsOf(tenantScope("a"), { resource: late })).toEqual([]);
  });

  test("hold them within a window that the fold's minute begins in, wherever in it the resource's member lies", async () => {
    await db.store.events.append(page(twenty.map((number) => member(number, "a"))));
    const windows = [
      [minute(1), instant(minute(1) + 1), 1],
      [minute(0), minute(2), 1],
      [minute(0), minute(1), 0],
      [instant(minute(1) + 30_000), minute(3), 0],
    ] as const;
    for (const [from, to, found] of windows) {
      for (const scope of [provider, tenantScope("a")]) {
        const folds = await foldsOf(scope, { resource: late, from, to });
        expect([from, to, folds.length]).toEqual([from, to, found]);
      }
    }
  });
});

describe("members that move", () => {
  test("wait for the page that is being added to the same connection's folds", async () => {
    await db.store.events.append(page([0, 1, 2, 3].map((number) => member(number))));
    const answers = await answersFor([0, 1], "a");
    const adding = await loginAs(db.url, "ingest");
    try {
      await adding.query("BEGIN");
      await adding.query("SELECT FROM isochron.connection WHERE name = $1 FOR UPDATE", [connection.name]);
      let ended = false;
      const moving = db.store.events.reattributed(nothingDue, answers).finally(() => (ended = true));
      const waits = await eventually("the answers wait for the connection, or are written", async () => {
        if (ended) return "written";
        const [row] = await db.sql<{ waiting: string }>(
          `SELECT count(*) AS waiting FROM pg_stat_activity
            WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`,
        );
        return Number(row?.waiting) > 0 && "waits";
      });
      expect(waits).toBe("waits");
      await adding.query("COMMIT");
      expect(await moving).toBe(2);
    } finally {
      await adding.end();
    }
    expect((await foldsOf(provider)).map(({ count }) => count)).toEqual([2, 2]);
  });

  test("leave no fold behind that is empty: nobody is shown it again, by its id, in the timeline or in the feed", async () => {
    const { position } = await db.store.reader.feed(provider, undefined, 100);
    await db.store.events.append(page([0, 1, 2].map((number) => member(number))));
    const [before] = await foldsOf(provider);
    await db.store.events.reattributed(nothingDue, await answersFor([0, 1, 2], "a"));
    expect(await db.store.reader.event(provider, before!.id)).toBeUndefined();
    expect((await db.store.reader.members(provider, before!.id, all)).events).toEqual([]);
    const after = await foldsOf(provider);
    expect(after.map(({ count }) => count)).toEqual([3]);
    expect(after[0]!.id).not.toBe(before!.id);
    const { events } = await db.store.reader.feed(provider, position, 100);
    expect(events.map((visible) => visible.event.id)).toEqual([after[0]!.id]);
    // An alert of the same name and minute that is nobody's begins that fold anew.
    await db.store.events.append(page([member(3)]));
    expect((await foldsOf(provider)).map(({ count }) => count).toSorted()).toEqual([1, 3]);
  });
});
