import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { knownFact } from "../../test/facts.ts";
import { parseEntityKey } from "../model/entity.ts";
import { instant } from "../model/instant.ts";
import { buildTopologyView } from "./topology-view.ts";

const at = (second: number) => instant(second * 1000);
const server = parseEntityKey("server:1");

describe("the topology as of a moment", () => {
  it("gives the host that was last observed before the moment", () => {
    const view = buildTopologyView("cloud", [
      knownFact("server:1 runs_on host:a", 10),
      knownFact("server:1 runs_on host:b", 20),
    ]);
    const host = (second: number) =>
      view.targets(server, "runs_on", at(second)).map((held) => held.fact.to.id);
    expect([host(5), host(10), host(19), host(20), host(99)]).toEqual([[], ["a"], ["a"], ["b"], ["b"]]);
  });

  it("does not say where a server ran before it was first seen, but whose it was", () => {
    const view = buildTopologyView("cloud", [
      knownFact("server:1 runs_on host:a", 10),
      knownFact("server:1 owned_by project:p", 10),
    ]);
    expect(view.targets(server, "runs_on", at(1))).toEqual([]);
    expect(view.targets(server, "owned_by", at(1))).toMatchObject([{ extended: true }]);
  });

  it("forgets a relation once it no longer holds", () => {
    const view = buildTopologyView("cloud", [
      knownFact("server:1 runs_on host:a", 10),
      knownFact("!server:1 runs_on host:a", 20),
    ]);
    expect(view.targets(server, "runs_on", at(15))).toHaveLength(1);
    expect(view.targets(server, "runs_on", at(25))).toEqual([]);
    expect(view.origins(parseEntityKey("host:a"), "runs_on", at(25))).toEqual([]);
  });

  it("keeps several targets of a plural relation side by side", () => {
    const view = buildTopologyView("cloud", [
      knownFact("volume:v attached_to server:1", 10),
      knownFact("volume:v attached_to server:2", 12),
      knownFact("!volume:v attached_to server:1", 15),
    ]);
    const servers = (second: number) =>
      view.targets(parseEntityKey("volume:v"), "attached_to", at(second)).map((held) => held.fact.to.id);
    expect([servers(13), servers(20)]).toEqual([["1", "2"], ["2"]]);
  });

  it("gives both targets where two contradict each other at the very same moment", () => {
    const view = buildTopologyView("cloud", [
      knownFact("server:1 owned_by project:p", 10),
      knownFact("server:1 owned_by project:q", 10),
    ]);
    expect(view.targets(server, "owned_by", at(12))).toHaveLength(2);
  });

  it("knows nothing of another control plane with the same ids", () => {
    const view = buildTopologyView("cloud", [knownFact("server:1 owned_by project:p", 10, "other cloud")]);
    expect(view.targets(server, "owned_by", at(12))).toEqual([]);
  });

  it("tells since when and until when a run of equal observations held", () => {
    const view = buildTopologyView("cloud", [
      knownFact("volume:v owned_by project:p", 10),
      knownFact("volume:v owned_by project:p", 14),
      knownFact("volume:v owned_by project:q", 20),
    ]);
    const [held] = view.targets(parseEntityKey("volume:v"), "owned_by", at(16));
    expect(held).toMatchObject({ validFrom: at(10), validUntil: at(20), fact: { lastAt: at(14) } });
  });

  it("answers for a thing of unknown kind with all that bears its id", () => {
    const view = buildTopologyView("cloud", [
      knownFact("server:1 owned_by project:p", 10),
      knownFact("port:1 has_address ip:10.0.0.5", 10),
      knownFact("server:2 owned_by project:q", 10),
      knownFact("volume:v attached_to server:1", 10),
    ]);
    const unknown = parseEntityKey("resource:1");
    expect(view.targets(unknown, "owned_by", at(12))).toMatchObject([{ fact: { to: { id: "p" } } }]);
    expect(view.targets(unknown, "has_address", at(12))).toHaveLength(1);
    expect(view.origins(unknown, "attached_to", at(12))).toMatchObject([{ fact: { from: { id: "v" } } }]);
  });

  it("tells what was ever seen, whenever that was and though it ended", () => {
    const view = buildTopologyView("cloud", [
      knownFact("server:1 named name:web", 10),
      knownFact("server:1 named name:db", 20),
      knownFact("server:2 known_as hostname:h", 10),
      knownFact("!server:2 known_as hostname:h", 20),
      knownFact("!server:3 known_as hostname:h", 20),
    ]);
    const ids = (held: readonly { readonly fact: { readonly to: { readonly id: string } } }[]) =>
      held.map(({ fact }) => fact.to.id);
    expect(ids(view.everTargets(server, "named"))).toEqual(["web", "db"]);
    expect(view.everOrigins(parseEntityKey("name:web"), "named")).toMatchObject([{ validFrom: at(10) }]);
    expect(view.everOrigins(parseEntityKey("hostname:h"), "known_as")).toHaveLength(1);
    expect(view.origins(parseEntityKey("name:web"), "named", at(25))).toEqual([]);
  });

  it("holds a thing for gone from its deletion on, until it is brought back", () => {
    const view = buildTopologyView("cloud", [
      knownFact("server:1 removed_from component:nova", 10),
      knownFact("!server:1 removed_from component:nova", 20),
    ]);
    const gone = (second: number) => view.targets(server, "removed_from", at(second)).length;
    expect([gone(5), gone(10), gone(15), gone(20)]).toEqual([0, 1, 1, 0]);
  });

  it("is the same whatever the order in which the facts arrived", () => {
    const statements = [
      "server:1 runs_on host:a",
      "server:1 runs_on host:b",
      "!server:1 runs_on host:b",
      "volume:v attached_to server:1",
    ];
    const facts = fc.array(
      fc.record({ statement: fc.constantFrom(...statements), second: fc.integer({ min: 0, max: 20 }) }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(facts, fc.integer({ min: 0, max: 20 }), fc.integer(), (items, second, seed) => {
        const known = items.map((item) => knownFact(item.statement, item.second));
        const shuffled = known.toSorted(
          (a, b) => ((a.at * 31 + a.to.id.length * seed) % 7) - ((b.at * 31 + b.to.id.length * seed) % 7),
        );
        const read = (list: typeof known) => {
          const view = buildTopologyView("cloud", list);
          return JSON.stringify([
            view.targets(server, "runs_on", at(second)),
            view.origins(server, "attached_to", at(second)),
          ]);
        };
        expect(read(shuffled)).toBe(read(known));
      }),
    );
  });
});
