import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entityKey, type EntityRef } from "../../model/entity.ts";
import { instant } from "../../model/instant.ts";
import type { KnownFact, Relation } from "../../model/topology.ts";
import { relationsAt, targetAt } from "./resource-state.ts";

const server: EntityRef = { kind: "server", id: "s1" };
const host = (id: string): EntityRef => ({ kind: "host", id });
const project = (id: string): EntityRef => ({ kind: "project", id });

function fact(from: EntityRef, relation: Relation, to: EntityRef, at: number, holds = true): KnownFact {
  const source = { connection: "nova@region-1", sourceId: `m${at}`, recordedAt: instant(at) };
  return { from, relation, to, at: instant(at), holds, controlPlane: "region-1", ...source };
}

function spell(facts: readonly KnownFact[], at: number, resource: EntityRef = server): string[] {
  return relationsAt(resource, facts, instant(at)).map(
    ({ relation, direction, entity, validFrom, validUntil }) =>
      `${relation} ${direction} ${entityKey(entity)} ${validFrom}..${validUntil ?? ""}`,
  );
}

describe("relations as of a moment", () => {
  const moved = [fact(server, "runs_on", host("a"), 10), fact(server, "runs_on", host("b"), 20)];

  test("a single relation is the latest one observed, until the next", () => {
    expect(spell(moved, 9)).toEqual([]);
    expect(spell(moved, 10)).toEqual(["runs_on to host:a 10..20"]);
    expect(spell(moved, 25)).toEqual(["runs_on to host:b 20.."]);
  });

  test("a host no longer shows the server that has moved on", () => {
    expect(spell(moved, 15, host("a"))).toEqual(["runs_on from server:s1 10..20"]);
    expect(spell(moved, 20, host("a"))).toEqual([]);
    expect(spell(moved, 20, host("b"))).toEqual(["runs_on from server:s1 20.."]);
  });

  test("plural relations hold side by side until each is denied", () => {
    const ports = [
      fact({ kind: "port", id: "p1" }, "attached_to", server, 10),
      fact({ kind: "port", id: "p2" }, "attached_to", server, 11),
      fact({ kind: "port", id: "p1" }, "attached_to", server, 20, false),
    ];
    expect(spell(ports, 15)).toEqual(["attached_to from port:p1 10..20", "attached_to from port:p2 11.."]);
    expect(spell(ports, 20)).toEqual(["attached_to from port:p2 11.."]);
  });

  test("observations of the same state do not end it, and a denial of something else neither", () => {
    const facts = [
      fact(server, "runs_on", host("a"), 10),
      fact(server, "runs_on", host("a"), 15),
      fact(server, "runs_on", host("b"), 17, false),
    ];
    expect(spell(facts, 30)).toEqual(["runs_on to host:a 10.."]);
  });

  test("the order in which facts arrive changes nothing", () => {
    const observation = fc.record({
      from: fc.constantFrom(server, { kind: "server", id: "s2" }),
      relation: fc.constantFrom<Relation>("runs_on", "attached_to"),
      to: fc.constantFrom(host("a"), host("b")),
      at: fc.nat(5),
      holds: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(observation, { maxLength: 8 }), fc.nat(6), fc.nat(), (observed, at, turn) => {
        const facts = observed.map((one) => fact(one.from, one.relation, one.to, one.at, one.holds));
        const cut = facts.length === 0 ? 0 : turn % facts.length;
        expect(spell([...facts.slice(cut), ...facts.slice(0, cut)].toReversed(), at)).toEqual(
          spell(facts, at),
        );
      }),
    );
  });
});

describe("the owner as of a moment", () => {
  test("an owner that was first seen later held before, and says so", () => {
    const owned = targetAt(server, "owned_by", [fact(server, "owned_by", project("p"), 10)], instant(5));
    expect(owned?.held.entity).toEqual(project("p"));
    expect(owned?.extended).toBe(true);
  });

  test("two owners named for one moment are none", () => {
    const facts = [fact(server, "owned_by", project("p"), 10), fact(server, "owned_by", project("q"), 10)];
    expect(targetAt(server, "owned_by", facts, instant(12))).toBeUndefined();
  });

  test("a transfer ends one ownership and begins the other", () => {
    const facts = [fact(server, "owned_by", project("p"), 10), fact(server, "owned_by", project("q"), 20)];
    expect(targetAt(server, "owned_by", facts, instant(19))?.held.entity).toEqual(project("p"));
    expect(targetAt(server, "owned_by", facts, instant(20))?.held.entity).toEqual(project("q"));
  });
});
