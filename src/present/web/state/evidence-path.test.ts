import { describe, expect, it } from "vitest";
import type { EntityJson, EvidenceJson } from "../../api/contract.ts";
import { layPath, rejectionWords, relationWords } from "./evidence-path.ts";

const address: EntityJson = { kind: "ip", id: "10.0.0.7" };
const port: EntityJson = { kind: "port", id: "p-1" };
const server: EntityJson = { kind: "server", id: "s-1" };
const project: EntityJson = { kind: "project", id: "a" };

function hop(from: EntityJson, words: string, to: EntityJson, rejected?: string): EvidenceJson {
  const said = `${from.kind} ${from.id} ${words} ${to.kind} ${to.id}`;
  return {
    rule: "any/1",
    verdict: rejected === undefined ? "accepted" : "rejected",
    confidence: "exact",
    says: rejected === undefined ? `${said}.` : `${said}: not used, ${rejected}.`,
    from,
    to,
  };
}

describe("the path of the evidence", () => {
  it("begins at what the event names, also where the record states it the other way round", () => {
    const [only, ...others] = layPath(
      [
        hop(port, "had the address", address),
        hop(port, "is attached to", server),
        hop(server, "belongs to", project),
      ],
      [address],
    );
    expect(others).toEqual([]);
    expect(only?.start).toEqual(address);
    expect(only?.hops.map(({ words, turned, to }) => [words, turned, to?.kind])).toEqual([
      ["had the address", true, "port"],
      ["is attached to", false, "server"],
      ["belongs to", false, "project"],
    ]);
  });

  it("begins anew where a step speaks of something else", () => {
    const stretches = layPath(
      [hop(server, "belongs to", project), hop(port, "belongs to", project)],
      [server],
    );
    expect(stretches.map(({ start, hops }) => [start?.id, hops.length])).toEqual([
      ["s-1", 1],
      ["p-1", 1],
    ]);
  });

  it("keeps a step that names no thing with the stretch it follows", () => {
    const bare: EvidenceJson = {
      rule: "provider-domain/1",
      verdict: "accepted",
      confidence: "exact",
      says: "Domain d is configured as the provider's own.",
    };
    const [only, ...others] = layPath([hop(server, "belongs to", project), bare], [server]);
    expect(others).toEqual([]);
    expect(only?.hops.map((each) => each.words)).toEqual(["belongs to", bare.says]);
    expect(layPath([bare], [])).toMatchObject([{ start: undefined, hops: [{ words: bare.says }] }]);
  });

  it("keeps every step exactly once", () => {
    const steps = [
      hop(port, "had the address", address),
      hop(server, "belongs to", project),
      hop(port, "x", server),
    ];
    expect(layPath(steps, [address]).flatMap((stretch) => stretch.hops.map((each) => each.step))).toEqual(
      steps,
    );
  });

  it("tells the reason of a rejection, and the relation of a hop that was not used", () => {
    const step = hop(server, "belongs to", project, "it changed hands in between");
    expect(rejectionWords(step)).toBe("it changed hands in between");
    expect(relationWords(step)).toBe("belongs to");
    expect(rejectionWords({ says: "Nothing yet proves whose it was." })).toBe(
      "Nothing yet proves whose it was",
    );
  });
});
