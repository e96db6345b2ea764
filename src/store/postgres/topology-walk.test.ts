import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, controlPlane, fact, minute, page } from "../../../test/drafts.ts";
import { entityKey } from "../../model/entity.ts";
import type { KnownFact } from "../../model/topology.ts";
import type { StatedFact } from "../event-store.ts";
import type { Store } from "../store.ts";
import { bearersMax } from "./topology-walk.ts";

let db: TestStore;
let store: Store;
beforeEach(async () => {
  db = await openTestStore();
  store = db.store;
  await store.events.connect(connection);
});
afterEach(() => db.close());

const spell = ({ from, relation, to, at, holds }: KnownFact) =>
  `${entityKey(from)} ${holds ? "" : "not "}${relation} ${entityKey(to)} ${(at - minute(0)) / 60_000}`;
const learn = (...facts: StatedFact[]) => store.events.append(page([], { facts }));
const around = async (keys: string[], hops = 3, places: string[] = []) => {
  const found = await store.topology.surroundings(controlPlane, { keys, places: new Set(places) }, hops);
  return { facts: found.facts.map(spell).sort(), crowded: [...found.crowded].sort() };
};

describe("a thing of unknown kind", () => {
  test("is whatever bears the id, of any kind, and the walk goes on from there", async () => {
    await learn(
      fact("server:1", "owned_by", "project:p", 1),
      fact("flavor:1", "named", "name:small", 1),
      fact("volume:2", "owned_by", "project:q", 1),
      fact("project:p", "part_of", "domain:d", 1),
    );
    expect((await around(["resource:1"], 1)).facts).toEqual([
      "flavor:1 named name:small 1",
      "project:p part_of domain:d 1",
      "server:1 owned_by project:p 1",
    ]);
  });

  test("lends what was said of its id to whatever bears the id", async () => {
    await learn(fact("resource:1", "used_by", "user:u", 1), fact("user:u", "works_in", "project:p", 1));
    expect((await around(["server:1"], 1)).facts).toEqual([
      "resource:1 used_by user:u 1",
      "user:u works_in project:p 1",
    ]);
  });
});

describe("an alias", () => {
  test.each([
    ["name:web", "named"],
    ["hostname:web", "known_as"],
    ["libvirt_domain:instance-0001", "known_as"],
    ["path:/dev/vdb", "known_as"],
    ["ip:10.0.0.1", "has_address"],
    ["mac:fa:16:3e:00:00:01", "has_address"],
  ] as const)("%s leads back to what bears it, and to whose that is", async (alias, relation) => {
    await learn(
      fact("server:s", relation, alias, 1),
      fact("server:s", "owned_by", "project:p", 1),
      fact("project:p", "part_of", "domain:d", 1),
    );
    expect((await around([alias], 1)).facts).toEqual(
      [
        "project:p part_of domain:d 1",
        `server:s ${relation} ${alias} 1`,
        "server:s owned_by project:p 1",
      ].sort(),
    );
  });

  test("that is only come upon leads nowhere", async () => {
    await learn(
      fact("server:s", "named", "name:web", 1),
      fact("server:t", "named", "name:web", 1),
      fact("server:t", "owned_by", "project:p", 1),
    );
    expect((await around(["server:s"])).facts).toEqual(["server:s named name:web 1"]);
  });

  test("is told of all that bear it, also where everything meets there", async () => {
    await learn(fact("image:i", "named", "name:debian", 1), fact("image:i", "sized_by", "flavor:f", 1));
    expect((await around(["name:debian"])).facts).toContain("image:i named name:debian 1");
  });

  test("that more things bore than can be told apart is called crowded, and none of them is given", async () => {
    const bearers = Array.from({ length: bearersMax }, (_, n) => fact(`server:${n}`, "named", "name:vm", 1));
    await learn(...bearers);
    expect((await around(["name:vm"], 0)).facts).toHaveLength(bearersMax);
    await learn(fact("server:more", "named", "name:vm", 1));
    const found = await around(["name:vm"], 0);
    expect(found.facts).toEqual([]);
    expect(found.crowded).toContain("name:vm|named");
  });
});

test("an account leads to where it works, itself and through its groups, and to those projects' domains", async () => {
  await learn(
    fact("server:s", "used_by", "user:u", 1),
    fact("user:u", "works_in", "project:p", 1),
    fact("user:u", "member_of", "group:g", 1),
    fact("group:g", "works_in", "project:q", 1),
    fact("project:q", "part_of", "domain:d", 1),
    fact("user:u", "named", "name:somebody", 1),
  );
  expect((await around(["server:s"])).facts).toEqual([
    "group:g works_in project:q 1",
    "project:q part_of domain:d 1",
    "server:s used_by user:u 1",
    "user:u member_of group:g 1",
    "user:u works_in project:p 1",
  ]);
});

describe("a host's residents", () => {
  beforeEach(() =>
    learn(
      fact("server:s", "runs_on", "host:h", 1),
      fact("server:t", "runs_on", "host:h", 1),
      fact("server:t", "runs_on", "host:other", 2),
      fact("server:t", "owned_by", "project:p", 1),
      fact("server:t", "made_from", "image:i", 1),
      fact("project:p", "part_of", "domain:d", 1),
      fact("agent:a", "serves", "host:h", 1),
      fact("host:h", "known_as", "hostname:compute-1", 1),
    ),
  );

  test("are not loaded for one of them", async () => {
    const { facts } = await around(["server:s", "host:h"]);
    expect(facts.filter((line) => line.includes("server:t"))).toEqual([]);
  });

  test.each([["host:h"], ["agent:a"], ["hostname:compute-1"], ["resource:h"]])(
    "are loaded for %s where it is asked for as a place: where they were, and whose they are",
    async (key) => {
      const { facts } = await around([key], 3, [key]);
      expect(facts.filter((line) => /server:t|project:p/.test(line))).toEqual([
        "project:p part_of domain:d 1",
        "server:t owned_by project:p 1",
        "server:t runs_on host:h 1",
        "server:t runs_on host:other 2",
      ]);
    },
  );
});

describe("who asks whose something is", () => {
  const usersOf = async (...keys: string[]) =>
    (await around(keys, 3)).facts.filter((line) => line.includes(" used_by "));

  test("is not led to where a thing runs, nor told what it is attached to, for which no rule asks", async () => {
    await learn(
      fact("port:p", "attached_to", "server:s", 1),
      fact("port:p", "runs_on", "host:h", 1),
      fact("port:p", "routed_by", "router:r", 1),
      fact("server:s", "owned_by", "project:p", 1),
      fact("host:h", "known_as", "hostname:compute-1", 1),
      fact("router:r", "owned_by", "project:q", 1),
    );
    expect((await around(["port:p"])).facts).toEqual([
      "port:p routed_by router:r 1",
      "port:p runs_on host:h 1",
      "router:r owned_by project:q 1",
    ]);
  });

  test("is told who used a thing where no owner of it was ever seen, by its kind and without", async () => {
    await learn(
      fact("server:free", "used_by", "user:u", 1),
      fact("resource:free", "used_by", "user:v", 1),
      fact("server:owned", "used_by", "user:u", 1),
      fact("resource:owned", "used_by", "user:v", 1),
      fact("server:owned", "owned_by", "project:p", 9),
    );
    const users = ["resource:free used_by user:v 1", "server:free used_by user:u 1"];
    expect(await usersOf("server:free", "server:owned")).toEqual(users);
    expect(await usersOf("resource:free", "resource:owned")).toEqual(users);
  });

  test.each(["network:n", "image:n", "router:n"])("is told who used %s although it is owned", async (key) => {
    await learn(fact(key, "owned_by", "project:p", 1), fact(key, "used_by", "user:u", 1));
    expect(await usersOf(key)).toEqual([`${key} used_by user:u 1`]);
    expect(await usersOf("resource:n")).toEqual([`${key} used_by user:u 1`]);
  });

  test("is told who used a thing of which only was seen whose it is not", async () => {
    await learn(
      fact("server:s", "owned_by", "project:p", 1, { holds: false }),
      fact("server:s", "used_by", "user:u", 1),
    );
    expect(await usersOf("server:s")).toEqual(["server:s used_by user:u 1"]);
  });
});
