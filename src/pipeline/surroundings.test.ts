import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../test/database.ts";
import { connection, controlPlane, draft, fact, page } from "../../test/drafts.ts";
import { draftOf, knownFact } from "../../test/facts.ts";
import { entityKey, parseEntityKey } from "../model/entity.ts";
import type { Attribution, EventDraft } from "../model/event.ts";
import { instant } from "../model/instant.ts";
import type { KnownFact, Relation } from "../model/topology.ts";
import { createResolver } from "../resolve/graph-resolver.ts";
import type { HeldFact } from "../resolve/resolver.ts";
import { buildTopologyView } from "../resolve/topology-view.ts";
import type { Surroundings } from "../store/topology-reader.ts";
import { loadSurroundings, viewOf } from "./surroundings.ts";

const resolve = createResolver({ providerDomains: new Set() });
const nothingCut: Pick<Surroundings, "crowded" | "cut"> = { crowded: new Set(), cut: new Map() };

/** The resources that an event is said to affect, with what the evidence says of them. */
function affectedBy(attribution: Attribution): readonly string[] {
  if (attribution.status !== "shared") return [attribution.status];
  return attribution.affected.flatMap(({ resources }) => resources.map(entityKey)).toSorted();
}

describe("a view over more than was loaded", () => {
  const at = instant(10_000);
  const facts = (...statements: readonly string[]): readonly KnownFact[] =>
    statements.map((statement) => knownFact(statement, 1));
  const around = (known: readonly KnownFact[], crowded: readonly string[]) =>
    viewOf(buildTopologyView, "cloud", { ...nothingCut, facts: known, crowded: new Set(crowded) });
  const ends = (held: readonly HeldFact[]) => held.map(({ fact: { from, to } }) => [from, to].map(entityKey));

  /** All that a view gives of an entity and a relation, whichever way it is asked. */
  function ask(view: ReturnType<typeof around>, entity: string, relation: Relation): number {
    const ref = parseEntityKey(entity);
    const given = [
      view.targets(ref, relation, at),
      view.origins(ref, relation, at),
      view.everTargets(ref, relation),
      view.everOrigins(ref, relation),
    ];
    return given.flat().length;
  }

  test("gives nothing of what is crowded, whichever way it is asked, and all of the rest", () => {
    const known = facts(
      "server:1 named name:vm",
      "server:2 named name:vm",
      "server:3 named name:db",
      "name:vm used_by user:u",
    );
    const view = around(known, ["name:vm|named"]);
    expect(ask(around(known, []), "name:vm", "named")).toBe(4);
    expect(ask(view, "name:vm", "named")).toBe(0);
    expect(ask(view, "name:db", "named")).toBe(2);
    expect(ask(view, "server:1", "named")).toBe(2);
  });

  test("hides who used a thing also where only its id, or the name that it shares, is crowded", () => {
    const known = facts("image:i used_by user:u", "name:vm used_by user:u", "volume:v used_by user:u");
    expect(ask(around(known, []), "image:i", "used_by")).toBe(2);
    expect(ask(around(known, ["image:i|used_by"]), "image:i", "used_by")).toBe(0);
    expect(ask(around(known, ["resource:i|used_by"]), "image:i", "used_by")).toBe(0);
    expect(ask(around(known, ["name:vm|named"]), "name:vm", "used_by")).toBe(0);
    expect(ask(around(known, ["image:i|used_by", "name:vm|named"]), "volume:v", "used_by")).toBe(2);
  });

  test("hides where an account works, and its groups, once one of them works in too many places", () => {
    const known = facts(
      "user:u works_in project:p",
      "user:u member_of group:g",
      "group:g works_in project:q",
      "user:other works_in project:p",
    );
    for (const crowded of ["user:u|works_in", "group:g|works_in"]) {
      const view = around(known, [crowded]);
      expect([crowded, ask(view, "user:u", "works_in")]).toEqual([crowded, 0]);
      expect([crowded, ask(view, "user:u", "member_of")]).toEqual([crowded, 0]);
      expect([crowded, ask(view, "user:other", "works_in")]).toEqual([crowded, 2]);
    }
    expect(ask(around(known, []), "user:u", "works_in")).toBe(2);
  });

  test("gives of what stands on a place what was taken, and says that there is more", () => {
    const known = facts(
      "server:1 runs_on host:h",
      "server:2 runs_on host:h",
      "server:1 owned_by project:a",
      "server:2 owned_by project:b",
    );
    const cut = new Map([["host:h|runs_on", new Set(["server:1"])]]);
    const view = viewOf(buildTopologyView, "cloud", { facts: known, crowded: new Set(), cut });
    const host = parseEntityKey("host:h");
    expect(ends(view.origins(host, "runs_on", at))).toEqual([["server:1", "host:h"]]);
    expect(ends(view.everOrigins(host, "runs_on"))).toEqual([["server:1", "host:h"]]);
    const failure = draftOf("host:h", 5, { kind: "symptom" });
    const [answer] = resolve([failure], "bus", view);
    expect(affectedBy(answer!.attribution)).toEqual(["server:1"]);
    expect(answer!.attribution.evidence.map(({ says }) => says)).toContain(
      "host h then bore at least 1 resources of at least 1 tenants.",
    );
  });

  test("says of a place that has more parts than were taken that at least these are affected", () => {
    const known = facts(
      "server:1 runs_on host:h",
      "server:1 owned_by project:a",
      "host:h member_of aggregate:g",
      "host:i member_of aggregate:g",
    );
    const cut = new Map([["aggregate:g|member_of", new Set(["host:h"])]]);
    const view = viewOf(buildTopologyView, "cloud", { facts: known, crowded: new Set(), cut });
    const [answer] = resolve([draftOf("aggregate:g", 5)], "bus", view);
    expect(affectedBy(answer!.attribution)).toEqual(["server:1"]);
    const says = answer!.attribution.evidence.map((one) => one.says);
    expect(says.filter((line) => line.includes("host i"))).toEqual([]);
    expect(says).toContain(
      "More is part of aggregate g than can be looked at: those affected are at least these.",
    );
  });
});

describe("what stands on the parts of a place", () => {
  let db: TestStore;
  beforeAll(async () => {
    db = await openTestStore();
    await db.store.events.connect(connection);
    await db.store.events.append(
      page([], {
        facts: [
          fact("host:h", "member_of", "aggregate:g", 0),
          fact("host:i", "member_of", "aggregate:g", 0),
          fact("host:i", "member_of", "aggregate:g", 3, { holds: false }),
          fact("server:s", "runs_on", "host:h", 0),
          fact("server:t", "runs_on", "host:i", 0),
          fact("server:u", "runs_on", "host:j", 0),
          fact("backend:pool", "part_of", "backend:b", 0),
          fact("volume:v", "stored_on", "backend:pool", 0),
          fact("volume:w", "stored_on", "backend:b", 0),
          ...["server:s", "server:t", "server:u", "volume:v", "volume:w"].map((resource) =>
            fact(resource, "owned_by", "project:a", 0),
          ),
        ],
      }),
    );
  });
  afterAll(() => db.close());

  async function affected(of: EventDraft): Promise<readonly string[]> {
    const known = await loadSurroundings(db.store.topology, controlPlane, [of]);
    const [answer] = resolve([of], connection.name, viewOf(buildTopologyView, controlPlane, known));
    return affectedBy(answer!.attribution);
  }

  const change = (subject: string, at: number, kind: EventDraft["kind"] = "change") =>
    draft(`${subject}@${at}`, at, { subject: parseEntityKey(subject), kind });

  test("is affected by a change of the aggregate, as of then", async () => {
    expect(await affected(change("aggregate:g", 1))).toEqual(["server:s", "server:t"]);
    expect(await affected(change("aggregate:g", 4))).toEqual(["server:s"]);
    expect(await affected(change("aggregate:g", 1, "activity"))).toEqual(["provider"]);
  });

  test("is affected by trouble of the backend, and of its pool alone where it is that", async () => {
    expect(await affected(change("backend:b", 1, "symptom"))).toEqual(["volume:v", "volume:w"]);
    expect(await affected(change("backend:pool", 1, "symptom"))).toEqual(["volume:v"]);
  });
});
