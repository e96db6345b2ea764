import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { minePairs, type Sighting } from "./type-pairs.ts";

const minute = 60_000;
const day = 24 * 60 * minute;

/** Small, seeded, and good enough to scatter times: mulberry32. */
function scatter(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function see(type: string, at: number, thing: string, symptom = false): Sighting {
  return { type, at, symptom, things: [thing] };
}

/** Thirty days of 40 things, each with changes and symptoms at times of their own. */
function unrelated(seed: number): readonly Sighting[] {
  const next = scatter(seed);
  const things = Array.from({ length: 40 }, (_, index) => `cloud host:${index}`);
  return things.flatMap((thing) => [
    ...Array.from({ length: 20 }, () => see("host.patched", next() * 30 * day, thing)),
    ...Array.from({ length: 20 }, () => see("vm.moved", next() * 30 * day, thing)),
    ...Array.from({ length: 10 }, () => see("host.down", next() * 30 * day, thing, true)),
  ]);
}

describe("types that come before one another", () => {
  it("finds the one that leads to a symptom, with its direction", () => {
    const led = unrelated(1).flatMap((sighting, index) =>
      sighting.type === "host.down" && index % 2 === 0
        ? [sighting, { ...sighting, type: "host.flashed", symptom: false, at: sighting.at - 4 * minute }]
        : [sighting],
    );
    const [pair] = minePairs(led, 30 * day);
    expect(pair).toMatchObject({ cause: "host.flashed", effect: "host.down" });
    expect(pair!.lift).toBeGreaterThan(10);
    expect(pair!.direction).toBeGreaterThan(0.9);
  });

  it("finds hardly any where times have nothing to do with one another", () => {
    const found = Array.from({ length: 50 }, (_, seed) => minePairs(unrelated(seed + 100), 30 * day).length);
    expect(found.filter((count) => count > 0).length).toBeLessThanOrEqual(3);
  });

  it("takes what always follows a symptom for no cause of it", () => {
    const followed = unrelated(2).flatMap((sighting) =>
      sighting.type === "host.down"
        ? [sighting, { ...sighting, type: "ticket.opened", symptom: false, at: sighting.at + 2 * minute }]
        : [sighting],
    );
    expect(minePairs(followed, 30 * day).map(({ cause }) => cause)).not.toContain("ticket.opened");
  });

  it("sees nothing in what happens on things that do not hang together", () => {
    const apart = unrelated(3).flatMap((sighting) =>
      sighting.type === "host.down"
        ? [sighting, see("host.flashed", sighting.at - 4 * minute, `other ${sighting.things[0]}`)]
        : [sighting],
    );
    expect(minePairs(apart, 30 * day).map(({ cause }) => cause)).not.toContain("host.flashed");
  });

  it("gives the same whatever the order of sightings", () => {
    const sightings = unrelated(4).slice(0, 300);
    fc.assert(
      fc.property(fc.shuffledSubarray([...sightings], { minLength: 300 }), (shuffled) => {
        expect(minePairs(shuffled, day)).toEqual(minePairs(sightings, day));
      }),
      { numRuns: 20 },
    );
  });
});
