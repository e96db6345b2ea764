import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Gap } from "./gap-set.ts";
import { boundGaps, closeGaps, gapsBetween } from "./gap-set.ts";

function idsOf(gaps: readonly Gap[]): ReadonlySet<number> {
  return new Set(
    gaps.flatMap(([from, to]) =>
      Array.from({ length: Number(to) - Number(from) + 1 }, (_one, index) => Number(from) + index),
    ),
  );
}

test("ids that were passed over are gaps, also those before the first and beyond what a double holds", () => {
  expect(gapsBetween(null, ["2", "3", "6"], 1)).toEqual([
    ["0", "1", 1],
    ["4", "5", 1],
  ]);
  expect(gapsBetween("9007199254740992", ["9007199254740995"], 1)).toEqual([
    ["9007199254740993", "9007199254740994", 1],
  ]);
  expect(gapsBetween("3", ["4"], 1)).toEqual([]);
});

test("a gap is looked at once more after its lifetime, and then dropped", () => {
  const gaps: Gap[] = [["4", "9", 100]];
  expect(closeGaps(gaps, ["6"], 149, 50)).toEqual([
    ["4", "5", 100],
    ["7", "9", 100],
  ]);
  expect(closeGaps(gaps, [], 150, 50)).toEqual([]);
});

test("what is found leaves, and nothing else does", () => {
  const found = fc.uniqueArray(fc.integer({ min: 0, max: 60 }));
  fc.assert(
    fc.property(found, found, (read, late) => {
      const gaps = gapsBetween(null, read.toSorted((a, b) => a - b).map(String), 0);
      const expected = new Set([...idsOf(gaps)].filter((id) => !late.includes(id)));
      expect(idsOf(closeGaps(gaps, late.map(String), 0, 1))).toEqual(expected);
    }),
  );
});

test("bounded gaps cover at least what they covered before, for as long", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: 200 })),
      fc.integer({ min: 1, max: 5 }),
      (read, most) => {
        const gaps = gapsBetween(null, read.toSorted((a, b) => a - b).map(String), 7);
        const bounded = boundGaps(gaps, most);
        expect(bounded.length).toBeLessThanOrEqual(most);
        const covered = idsOf(bounded);
        expect([...idsOf(gaps)].filter((id) => !covered.has(id))).toEqual([]);
      },
    ),
  );
});
