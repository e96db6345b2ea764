import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import {
  connection,
  controlPlane,
  draft,
  edition,
  event,
  fact,
  minute,
  page,
  project,
} from "../../../test/drafts.ts";
import { entityKey, type EntityRef } from "../../model/entity.ts";
import type { Attribution } from "../../model/event.ts";
import { projectKey } from "../../model/tenant.ts";
import type { KnownFact } from "../../model/topology.ts";
import type { FeedPosition } from "../event-reader.ts";
import type { Reattribution, StatedFact } from "../event-store.ts";
import type { Store } from "../store.ts";

let db: TestStore;
let store: Store;
beforeEach(async () => {
  db = await openTestStore();
  store = db.store;
  await store.events.connect(connection);
});
afterEach(() => db.close());

const spell = ({ from, relation, to, at, lastAt, holds }: KnownFact) =>
  `${entityKey(from)} ${holds ? "" : "not "}${relation} ${entityKey(to)} ${(at - minute(0)) / 60_000}..${((lastAt ?? at) - minute(0)) / 60_000}`;
const learn = (...facts: StatedFact[]) => store.events.append(page([], { facts }));
const around = async (keys: string[], hops: number) =>
  (await store.topology.neighbourhood(controlPlane, keys, hops)).map(spell).sort();

describe("the neighbourhood", () => {
  test("gives each run of equal observations once, with its first and its last sight", async () => {
    await learn(
      fact("server:s", "runs_on", "host:a", 1),
      fact("server:s", "runs_on", "host:a", 5),
      fact("server:s", "runs_on", "host:b", 6),
      fact("server:s", "runs_on", "host:a", 7),
      fact("server:s", "runs_on", "host:a", 3),
      fact("server:s", "runs_on", "host:a", 9, { holds: false }),
    );
    expect(await around(["server:s"], 0)).toEqual([
      "server:s not runs_on host:a 9..9",
      "server:s runs_on host:a 1..5",
      "server:s runs_on host:a 7..7",
      "server:s runs_on host:b 6..6",
    ]);
  });

  test("keeps what holds side by side apart", async () => {
    await learn(
      fact("volume:v", "attached_to", "server:a", 1),
      fact("volume:v", "attached_to", "server:b", 2),
      fact("volume:v", "attached_to", "server:a", 3),
      fact("volume:v", "attached_to", "server:a", 4, { holds: false }),
    );
    expect(await around(["volume:v"], 0)).toEqual([
      "volume:v attached_to server:a 1..3",
      "volume:v attached_to server:b 2..2",
      "volume:v not attached_to server:a 4..4",
    ]);
  });

  test("goes forward from hop to hop, backward into hosts and addresses only, and not through what all share", async () => {
    await learn(
      fact("volume:v", "attached_to", "server:s", 1),
      fact("server:s", "runs_on", "host:h", 1),
      fact("server:s", "owned_by", "project:p", 1),
      fact("server:t", "runs_on", "host:h", 1),
      fact("server:t", "runs_on", "host:other", 4),
      fact("server:u", "owned_by", "project:p", 1),
      fact("project:p", "part_of", "domain:d", 1),
      fact("domain:d", "named", "name:Default", 1),
      fact("port:x", "has_address", "ip:10.0.0.1", 1),
      fact("port:x", "owned_by", "project:p", 1),
      fact("server:s", "made_from", "image:i", 1),
      fact("image:i", "owned_by", "project:q", 1),
      fact("image:i", "named", "name:Debian", 1),
    );
    expect(await around(["volume:v"], 0)).toEqual(["volume:v attached_to server:s 1..1"]);
    const near = await around(["volume:v"], 2);
    expect(near).toContain("project:p part_of domain:d 1..1");
    expect(near).toContain("server:t runs_on host:other 4..4");
    expect(near).toContain("image:i owned_by project:q 1..1");
    expect(near.filter((line) => /server:u|name:/.test(line))).toEqual([]);
    expect(await around(["ip:10.0.0.1"], 0)).toEqual([
      "port:x has_address ip:10.0.0.1 1..1",
      "port:x owned_by project:p 1..1",
    ]);
    expect(await around(["server:s"], 0)).not.toContain("volume:v attached_to server:s 1..1");
    expect(await store.topology.neighbourhood("elsewhere", ["server:s"], 3)).toEqual([]);
  });

  test("of equal facts the record with the smallest name is the source, whichever came first", async () => {
    await learn(fact("server:s", "runs_on", "host:a", 1, { sourceId: "m" }));
    await learn(fact("server:s", "runs_on", "host:a", 1, { sourceId: "z" }));
    await learn(fact("server:s", "runs_on", "host:a", 1, { sourceId: "b" }));
    expect(await store.topology.neighbourhood(controlPlane, ["server:s"], 0)).toMatchObject([
      { sourceId: "b" },
    ]);
  });
});

test("tenants are listed with the last names and domains that were observed", async () => {
  await learn(
    fact("project:p", "named", "name:old", 1),
    fact("project:p", "named", "name:new", 2),
    fact("project:p", "part_of", "domain:d", 1),
    fact("domain:d", "named", "name:Customer", 1),
    fact("server:s", "owned_by", "project:q", 1),
  );
  expect(await store.topology.tenants()).toEqual([
    { key: "domain/default/d", controlPlane, domainId: "d", name: "Customer", domainName: "Customer" },
    {
      key: "project/default/p",
      controlPlane,
      projectId: "p",
      domainId: "d",
      name: "new",
      domainName: "Customer",
    },
    { key: "project/default/q", controlPlane, projectId: "q" },
  ]);
});

test("a tenant learns only of relations between things that its own events name", async () => {
  await learn(
    fact("volume:v", "attached_to", "server:s", 1),
    fact("volume:v", "stored_on", "backend:secret", 1),
    fact("volume:v", "owned_by", "project:p", 1),
    fact("volume:v", "owned_by", "project:other", 9),
  );
  const entity: EntityRef = { kind: "volume", id: "v" };
  const about = draft("a", 1, {
    subject: entity,
    related: [{ role: "server", ref: { kind: "server", id: "s" } }],
  });
  await store.events.append(page([event(about, project("p"))]));
  const scope = (id: string) =>
    ({ kind: "tenant", label: id, keys: [projectKey(controlPlane, id)] }) as const;
  const seen = await store.topology.about(scope("p"), controlPlane, entity);
  expect(seen.map(spell)).toEqual(["volume:v attached_to server:s 1..1", "volume:v owned_by project:p 1..1"]);
  expect(await store.topology.about(scope("other"), controlPlane, entity)).toEqual([]);
  expect(await store.topology.about({ kind: "provider" }, controlPlane, entity)).toHaveLength(4);
});

describe("asking again for the owner", () => {
  const waiting = (name: string, at: number, ...dependsOn: string[]) =>
    event(draft(name, at), undefined, { dependsOn });
  const due = async (limit = 100) => {
    const found = await store.events.dueForAttribution(limit);
    return { found, names: found.events.map(({ key }) => key) };
  };
  const answer = (
    one: { id: string; occurredAt: Reattribution["occurredAt"] },
    attribution: Attribution,
    dependsOn: readonly string[] = ["server:s"],
    editions: Reattribution["editions"] = [],
  ): Reattribution => ({ eventId: one.id, occurredAt: one.occurredAt, attribution, dependsOn, editions });
  /** Transactions of other test files, on the same server, may hold the feed up for a moment. */
  const feedOf = async (position: FeedPosition) => {
    for (let tries = 0; tries < 5_000; tries += 1) {
      const [first] = (await store.reader.feed({ kind: "provider" }, position, 9)).events;
      if (first !== undefined) return first;
    }
    throw new Error("the feed stands still");
  };
  const unresolved: Attribution = { status: "unresolved", evidence: [] };

  test("a fact makes due what depends on it: from ever where it is the first, else from the sight before on", async () => {
    await store.events.append(
      page([
        waiting("early", 1, "server:s"),
        waiting("late", 50, "server:s"),
        waiting("other", 1, "server:x"),
      ]),
    );
    expect((await due()).names).toEqual([]);
    await learn(fact("server:s", "owned_by", "project:p", 40));
    const first = await due();
    expect(first.names).toEqual(["early", "late"]);
    expect(
      await store.events.reattributed(
        first.found,
        first.found.events.map((one) => answer(one, unresolved)),
      ),
    ).toBe(0);
    expect((await due()).names).toEqual([]);
    await learn(fact("server:s", "owned_by", "project:q", 60));
    expect((await due()).names).toEqual(["early", "late"]);
  });

  test("another sight of what is known already asks about nothing", async () => {
    await store.events.append(
      page([waiting("a", 1, "server:s")], { facts: [fact("server:s", "owned_by", "project:p", 0)] }),
    );
    const first = await due();
    await store.events.reattributed(first.found, []);
    await learn(fact("server:s", "owned_by", "project:p", 5), fact("server:s", "owned_by", "project:p", 3));
    expect((await due()).names).toEqual([]);
    await learn(fact("server:s", "runs_on", "host:h", 3));
    expect((await due()).names).toEqual([]);
  });

  test("a late sight between two others asks about what lay before it, which it bears out", async () => {
    const known = [
      fact("server:s", "owned_by", "project:p", 1),
      fact("server:s", "owned_by", "project:q", 9),
    ];
    await store.events.append(page([waiting("between", 3, "server:s")], { facts: known }));
    await store.events.reattributed((await due()).found, []);
    await learn(fact("server:s", "owned_by", "project:p", 5));
    expect((await due()).names).toEqual(["between"]);
  });

  test("whom a request concerns is asked regardless of time", async () => {
    const known = [1, 3].map((at) => fact("request:r", "concerns", "project:p", at, { holds: at === 1 }));
    await store.events.append(page([waiting("first", 0, "request:r")], { facts: known }));
    await store.events.reattributed((await due()).found, []);
    await learn(fact("request:r", "concerns", "project:p", 5));
    expect((await due()).names).toEqual(["first"]);
  });

  test("where something was before it was first seen there is not asked about", async () => {
    await store.events.append(page([waiting("before", 1, "host:h"), waiting("after", 9, "host:h")]));
    await learn(fact("server:s", "runs_on", "host:h", 5));
    expect((await due()).names).toEqual(["after"]);
  });

  test("a changed answer is written with its history and its editions, an equal one writes nothing", async () => {
    await store.events.append(
      page([waiting("a", 1, "server:s")], { facts: [fact("server:s", "owned_by", "project:p", 0)] }),
    );
    const { found } = await due();
    const [one] = found.events;
    const tenant = project("p");
    const owned: Attribution = { status: "owned", tenant, evidence: [] };
    const position = (await store.reader.feed({ kind: "provider" }, undefined, 9)).position;
    const editions = [edition(draft("a", 1), tenant)];
    expect(await store.events.reattributed(found, [answer(one!, owned, [], editions)])).toBe(1);
    expect((await feedOf(position)).event).toMatchObject({ id: one!.id, attribution: owned });
    expect(await store.reader.attributionHistory({ kind: "provider" }, one!.id)).toEqual([
      {
        attribution: unresolved,
        recordedAt: one!.recordedAt,
        // The answer that stands was written in a later transaction.
        recordedUntil: expect.any(Number),
      },
    ]);
    const scope = (id: string) =>
      ({ kind: "tenant", label: id, keys: [projectKey(controlPlane, id)] }) as const;
    expect(await store.reader.event(scope("p"), one!.id)).toMatchObject({ audience: "tenant" });
    const moved: Attribution = { status: "owned", tenant: project("q"), evidence: [] };
    const to = [edition(draft("a", 1), project("q"))];
    expect(await store.events.reattributed(found, [answer(one!, moved, [], to)])).toBe(1);
    expect(await store.reader.event(scope("p"), one!.id)).toBeUndefined();
    expect(await store.reader.event(scope("q"), one!.id)).toMatchObject({ audience: "tenant" });
    expect(await store.events.reattributed(found, [answer(one!, moved, [], to)])).toBe(0);
  });

  test("more events than the limit come in turns, each once, also where their times are equal", async () => {
    const names = Array.from({ length: 7 }, (_, n) => `e${n}`);
    await store.events.append(page(names.map((name) => waiting(name, 5, "server:s"))));
    await learn(fact("server:s", "owned_by", "project:p", 1));
    const seen: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const { found, names: some } = await due(3);
      seen.push(...some);
      await store.events.reattributed(
        found,
        found.events.map((one) => answer(one, unresolved)),
      );
    }
    expect(seen.sort()).toEqual(names);
    expect((await due()).names).toEqual([]);
  });

  test("a fact that arrives while answers are being found asks again", async () => {
    await store.events.append(page([waiting("a", 5, "server:s")]));
    await learn(fact("server:s", "owned_by", "project:p", 1));
    const first = await due();
    await learn(fact("server:s", "owned_by", "project:q", 4));
    await store.events.reattributed(
      first.found,
      first.found.events.map((one) => answer(one, unresolved)),
    );
    expect((await due()).names).toEqual(["a"]);
  });

  test("an event whose view was loaded before a fact arrived is due although the fact came first", async () => {
    const topologyMark = await store.topology.mark();
    await learn(fact("server:s", "owned_by", "project:p", 1));
    const cleared = await due();
    await store.events.reattributed(cleared.found, []);
    await store.events.append(page([waiting("late", 5, "server:s")], { topologyMark }));
    expect((await due()).names).toEqual(["late"]);
    const fresh = await store.topology.mark();
    await store.events.reattributed((await due()).found, []);
    await store.events.append(page([waiting("fresh", 6, "server:s")], { topologyMark: fresh }));
    expect((await due()).names).toEqual([]);
  });
});
