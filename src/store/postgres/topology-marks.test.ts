import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, event, fact, page } from "../../../test/drafts.ts";
import type { Relation } from "../../model/topology.ts";
import type { StatedFact } from "../event-store.ts";
import type { Store } from "../store.ts";

let db: TestStore;
let store: Store;
beforeEach(async () => {
  db = await openTestStore();
  store = db.store;
  await store.events.connect(connection);
});
afterEach(() => db.close());

const learn = (...facts: StatedFact[]) => store.events.append(page([], { facts }));
const waiting = (name: string, at: number, ...dependsOn: string[]) =>
  event(draft(name, at), undefined, { dependsOn });
/** The events that are due, which the same answers then settle. */
const due = async () => {
  const found = await store.events.dueForAttribution(100);
  await store.events.reattributed(
    found,
    found.events.map((one) => ({
      eventId: one.id,
      occurredAt: one.occurredAt,
      attribution: one.attribution,
      dependsOn: ["server:s", "name:web", "user:u", "resource:s"],
      editions: [],
    })),
  );
  return found.events.map(({ key }) => key);
};
const marks = async () =>
  (await db.sql<{ entity_key: string }>("SELECT entity_key FROM isochron.reattribution_due ORDER BY 1")).map(
    (row) => row.entity_key,
  );

describe("a fact asks again about what waits", () => {
  test.each<[string, string, Relation, string]>([
    ["server:s", "server:s", "owned_by", "project:p"],
    ["resource:s", "server:s", "owned_by", "project:p"],
    ["server:s", "resource:s", "used_by", "user:u"],
    ["resource:h", "server:s", "runs_on", "host:h"],
    ["name:web", "server:s", "named", "name:web"],
    ["hostname:web", "port:x", "known_as", "hostname:web"],
    ["libvirt_domain:i-1", "server:s", "known_as", "libvirt_domain:i-1"],
    ["path:/dev/vdb", "volume:v", "known_as", "path:/dev/vdb"],
    ["ip:10.0.0.1", "port:x", "has_address", "ip:10.0.0.1"],
    ["name:web", "name:web", "used_by", "user:u"],
    ["user:u", "user:u", "works_in", "project:p"],
    ["user:u", "user:u", "member_of", "group:g"],
    ["group:g", "group:g", "works_in", "project:p"],
    ["server:s", "server:s", "removed_from", "component:nova"],
    ["project:p", "project:p", "part_of", "domain:d"],
  ])("for %s: %s %s %s", async (key, from, relation, to) => {
    await store.events.append(page([waiting("waiting", 9, key), waiting("other", 9, "server:other")]));
    await learn(fact(from, relation, to, 5));
    expect(await due()).toEqual(["waiting"]);
  });

  test.each<[string, Relation, string, boolean]>([
    ["server:s", "used_by", "user:u", true],
    ["server:s", "works_in", "project:p", true],
    ["server:s", "member_of", "group:g", true],
    ["server:s", "known_as", "hostname:web", true],
    ["server:s", "named", "name:web", true],
    // Nobody can tell where it was, or that it was gone, before that was first seen.
    ["server:s", "removed_from", "component:nova", false],
    ["server:s", "runs_on", "host:h", false],
  ])("%s %s %s: also from before it was first seen is %4$s", async (from, relation, to, earlier) => {
    await store.events.append(page([waiting("before", 1, from), waiting("after", 9, from)]));
    await learn(fact(from, relation, to, 5));
    expect(await due()).toEqual(earlier ? ["before", "after"] : ["after"]);
  });

  test.each(["project:a", "project:b"])("where it breaks a tie, being %s seen again", async (again) => {
    await store.events.append(page([waiting("waiting", 9, "server:s")]));
    await learn(fact("server:s", "owned_by", "project:a", 5));
    await learn(fact("server:s", "owned_by", "project:b", 5));
    expect(await due()).toEqual(["waiting"]);
    await learn(fact("server:s", "owned_by", again, 7));
    expect(await due()).toEqual(["waiting"]);
  });

  test("but not about what everything points at, which depends on nobody who newly does", async () => {
    await store.events.append(page([waiting("a", 9, "project:p"), waiting("b", 9, "user:u")]));
    await learn(fact("server:s", "owned_by", "project:p", 5), fact("server:s", "used_by", "user:u", 5));
    expect(await due()).toEqual([]);
  });

  test("and leaves no mark where nothing waits", async () => {
    await store.events.append(page([waiting("a", 1, "host:h")]));
    await learn(fact("server:s", "named", "name:web", 5), fact("server:s", "runs_on", "host:h", 5));
    expect(await marks()).toEqual([]);
  });
});

describe("what committed while a view was being used", () => {
  test("is not missed where it is a name or an id without its kind", async () => {
    const topologyMark = await store.topology.mark();
    await learn(fact("server:s", "named", "name:web", 1));
    await learn(fact("resource:t", "used_by", "user:u", 1));
    const late = [waiting("by name", 5, "name:web"), waiting("by id", 6, "server:t")];
    await store.events.append(page(late, { topologyMark }));
    expect(await due()).toEqual(["by name", "by id"]);
  });

  test("is not missed by an answer that only now waits for it", async () => {
    await store.events.append(page([waiting("a", 5, "server:s")]));
    await learn(fact("server:s", "member_of", "server_group:g", 1));
    const found = await store.events.dueForAttribution(100);
    await learn(fact("server:other", "named", "name:web", 1));
    await store.events.reattributed(
      found,
      found.events.map((one) => ({
        eventId: one.id,
        occurredAt: one.occurredAt,
        attribution: one.attribution,
        dependsOn: ["name:web"],
        editions: [],
      })),
    );
    expect(await due()).toEqual(["a"]);
  });

  test("is found by one of two pages that overlap, neither of which has committed when the other begins", async () => {
    for (let round = 0; round < 10; round += 1) {
      const topologyMark = await store.topology.mark();
      const key = `server:s${round}`;
      await store.events.connect({ ...connection, name: "cinder" });
      await Promise.all([
        store.events.append(page([waiting(`a${round}`, 5, key)], { topologyMark })),
        store.events.append(
          page([], { connection: "cinder", facts: [fact(key, "owned_by", "project:p", 1)] }),
        ),
      ]);
      expect(await due()).toEqual([`a${round}`]);
    }
  });
});
