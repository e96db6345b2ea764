import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEntityKey } from "../model/entity.ts";
import { relations, type Relation } from "../model/topology.ts";
import { probabilityMin, spreadHarm, type SeenEdge } from "./blast.ts";
import { harmAlong, harmRules, likelihoodWord } from "./blast-harm.ts";
import { findPaths } from "./topology-paths.ts";

function edge(statement: string): SeenEdge {
  const [from = "", relation = "", to = ""] = statement.split(" ");
  return { from: parseEntityKey(from), relation: relation as Relation, to: parseEntityKey(to) };
}

function spread(failed: string, statements: readonly string[], hops = 5): Record<string, number> {
  const reached = spreadHarm([parseEntityKey(failed)], statements.map(edge), hops);
  return Object.fromEntries(
    reached.map(({ ref, probability }) => [`${ref.kind}:${ref.id}`, Number(probability.toFixed(4))]),
  );
}

const rack = [
  "server:1 runs_on host:a",
  "server:2 runs_on host:a",
  "port:p attached_to server:1",
  "floating_ip:f bound_to port:p",
  "port:p on_network network:n",
  "port:q on_network network:n",
  "port:q attached_to server:9",
  "volume:v attached_to server:1",
  "volume:v stored_on backend:b",
  "server:1 made_from image:i",
  "service:s serves host:a",
  "server:1 owned_by project:x",
];

describe("how harm spreads", () => {
  it("goes from a host to its servers, their ports and what leads to them", () => {
    expect(spread("host:a", rack)).toEqual({
      "server:1": 0.95,
      "server:2": 0.95,
      "service:s": 0.95,
      "port:p": 0.855,
      "floating_ip:f": 0.7695,
    });
  });

  it("does not go from a server to its host, its neighbours, its volume or its network", () => {
    expect(Object.keys(spread("server:1", rack))).toEqual(["port:p", "floating_ip:f"]);
  });

  it("goes from a backend to its volumes and to the servers that they are attached to", () => {
    const reached = spread("backend:b", rack);
    expect(reached["volume:v"]).toBe(0.9);
    expect(reached["server:1"]).toBeCloseTo(0.72);
    expect(reached["server:2"]).toBeUndefined();
  });

  it("goes from a network to its ports and their servers, and from an image or a name to nothing", () => {
    expect(Object.keys(spread("network:n", rack)).toSorted()).toEqual([
      "floating_ip:f",
      "port:p",
      "port:q",
      "server:1",
      "server:9",
    ]);
    expect(spread("image:i", rack)).toEqual({});
    expect(spread("name:web", ["server:1 named name:web"])).toEqual({});
  });

  it("goes from a router through its subnets to the ports of their networks", () => {
    const lines = [
      "subnet:s routed_by router:r",
      "subnet:s on_network network:n",
      "port:p on_network network:n",
      "port:p attached_to server:1",
    ];
    expect(spread("router:r", lines)["server:1"]).toBeCloseTo(0.8 * 0.6 * 0.9 * 0.7);
    expect(spread("port:p", lines)).toEqual({ "server:1": 0.7 });
  });

  it("goes from a suspended domain to its projects and what is theirs, and from nothing else to a project", () => {
    const lines = ["project:x part_of domain:d", "server:1 owned_by project:x", "server:1 runs_on host:a"];
    expect(spread("domain:d", lines)["server:1"]).toBeCloseTo(0.27);
    expect(spread("host:a", lines)).toEqual({ "server:1": 0.95 });
  });

  it("joins several ways by what escapes all of them", () => {
    const lines = [
      "volume:v stored_on backend:b",
      "volume:w stored_on backend:b",
      "volume:v attached_to server:1",
      "volume:w attached_to server:1",
    ];
    expect(spread("backend:b", lines)["server:1"]).toBeCloseTo(1 - (1 - 0.9 * 0.8) ** 2);
  });

  it("tells the likeliest way in the order in which the harm goes", () => {
    const [, , , port] = spreadHarm([parseEntityKey("host:a")], rack.map(edge), 5);
    expect(port?.way.map(({ failed, harmed }) => `${failed.id}>${harmed.id}`)).toEqual(["a>1", "1>p"]);
  });

  it("goes no further than it was allowed", () => {
    expect(spread("host:a", rack, 1)["port:p"]).toBeUndefined();
  });
});

describe("the table of harm", () => {
  it("has a weight between none and certain, and a reason, in every row", () => {
    for (const rule of harmRules) {
      expect(rule.weight).toBeGreaterThan(0);
      expect(rule.weight).toBeLessThan(1);
      expect(rule.says).not.toBe("");
    }
  });

  it("leads nowhere that whoever looks for a cause would not look back from", () => {
    for (const rule of harmRules) {
      const between: SeenEdge = {
        from: { kind: rule.from ?? "any", id: "from" },
        relation: rule.relation,
        to: { kind: rule.to ?? "any", id: "to" },
      };
      const [failed, harmed] =
        rule.failing === "from" ? [between.from, between.to] : [between.to, between.from];
      expect(harmAlong(between, rule.failing)?.weight).toBe(rule.weight);
      expect(findPaths([harmed], [between]).has(`${failed.kind}:${failed.id}`)).toBe(true);
    }
  });

  it("says in words no more than the number does", () => {
    expect([0.95, 0.5, 0.2, 0.1].map(likelihoodWord)).toEqual([
      "very likely",
      "likely",
      "possible",
      "unlikely",
    ]);
  });
});

const kinds = ["server", "host", "port", "volume", "network", "router", "backend", "floating_ip", "subnet"];
const anyRef = fc.record({ kind: fc.constantFrom(...kinds), id: fc.constantFrom("1", "2", "3") });
const anyEdge: fc.Arbitrary<SeenEdge> = fc.record({
  from: anyRef,
  relation: fc.constantFrom(...(Object.keys(relations) as Relation[])),
  to: anyRef,
});

describe("over any topology, cycles and all", () => {
  it("ends, stays a probability, and is the same in any order and however often an edge is told", () => {
    fc.assert(
      fc.property(fc.array(anyEdge, { maxLength: 60 }), anyRef, fc.integer(), (edges, failed, seed) => {
        const told = spreadHarm([failed], edges, 6);
        for (const { probability, way } of told) {
          expect(probability).toBeGreaterThanOrEqual(probabilityMin);
          expect(probability).toBeLessThan(1);
          expect(way.length).toBeLessThanOrEqual(6);
          expect(way[0]?.failed).toEqual(failed);
        }
        const shuffled = [...edges, ...edges].toSorted(
          (a, b) => hash(JSON.stringify(a), seed) - hash(JSON.stringify(b), seed),
        );
        expect(JSON.stringify(spreadHarm([failed], shuffled, 6))).toBe(JSON.stringify(told));
      }),
    );
  });

  it("reaches what one more failure reaches, and more", () => {
    fc.assert(
      fc.property(fc.array(anyEdge, { maxLength: 40 }), anyRef, anyRef, (edges, one, other) => {
        const both = new Set(spreadHarm([one, other], edges, 6).map(({ ref }) => `${ref.kind}:${ref.id}`));
        for (const { ref } of spreadHarm([one], edges, 6)) {
          const key = `${ref.kind}:${ref.id}`;
          expect(both.has(key) || key === `${other.kind}:${other.id}`).toBe(true);
        }
      }),
    );
  });
});

function hash(text: string, seed: number): number {
  let value = seed;
  for (const char of text) value = (value * 31 + char.charCodeAt(0)) | 0;
  return value;
}
