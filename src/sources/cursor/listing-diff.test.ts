import * as fc from "fast-check";
import { expect, test } from "vitest";
import { diffListing, isSuddenDrop, neverEmpty, noDrop, usualDrop } from "./listing-diff.ts";

const keys = Array.from({ length: 30 }, (_one, index) => `row-${index}`);
const listings = fc.array(fc.subarray(keys), { minLength: 1, maxLength: 12 });

/** Follows listings as a source does; gives the keys that each is told to have lost. */
function follow(contents: readonly (readonly string[])[], limit = usualDrop) {
  let known = new Map<string, number>();
  return contents.map((listed) => {
    const { once, gone, suspected } = diffListing(known, (key) => listed.includes(key), limit);
    const kept = suspected > 0 ? [...known].filter(([key]) => !listed.includes(key)) : [];
    known = new Map([
      ...kept,
      ...once.map((key) => [key, 1] as const),
      ...listed.map((key) => [key, 0] as const),
    ]);
    return { gone, suspected };
  });
}

test("whatever is told as gone was there, and two complete listings in a row lack it", () => {
  fc.assert(
    fc.property(listings, (contents) => {
      for (const [index, { gone }] of follow(contents, noDrop).entries()) {
        for (const key of gone) {
          expect(contents.slice(0, index - 1).some((listed) => listed.includes(key))).toBe(true);
          expect([contents[index]!, contents[index - 1]!].flat()).not.toContain(key);
        }
      }
    }),
  );
});

test("what is gone for good is told once, and what never left is never told", () => {
  fc.assert(
    fc.property(fc.subarray(keys), fc.integer({ min: 2, max: 6 }), (left, passes) => {
      const rest = keys.filter((key) => !left.includes(key));
      const told = follow([keys, ...Array<string[]>(passes).fill(rest)], noDrop).flatMap(({ gone }) => gone);
      expect(told.toSorted()).toEqual(left.toSorted());
    }),
  );
});

test("what vanishes all at once is suspected for as long as it lasts, and nothing is gone", () => {
  const outcome = follow([keys, keys.slice(0, 5), keys.slice(0, 5), keys.slice(0, 5), keys]);
  expect(outcome.map(({ suspected }) => suspected)).toEqual([0, 25, 25, 25, 0]);
  expect(outcome.flatMap(({ gone }) => gone)).toEqual([]);
});

test.each([
  [usualDrop, 20, 10, false],
  [usualDrop, 20, 9, true],
  [usualDrop, 9, 0, false],
  [neverEmpty, 2, 0, true],
  [neverEmpty, 1, 0, false],
  [noDrop, 1_000, 0, false],
])("%j: of %i rows %i are left: sudden is %s", (limit, known, found, sudden) => {
  expect(isSuddenDrop(known, found, limit)).toBe(sudden);
});
