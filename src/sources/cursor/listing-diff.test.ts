import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  believed,
  diffListing,
  isSuddenDrop,
  neverEmpty,
  noDrop,
  usualDrop,
  weighListing,
  type Drop,
} from "./listing-diff.ts";

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

/** As `follow`, with listings at given moments and drops that are believed when they stand. */
function weigh(contents: readonly (readonly string[])[], atMs: readonly number[]) {
  let known = new Map<string, number>();
  let drop: Drop | null = null;
  return contents.map((listed, index) => {
    const before = known.size;
    const weighed = weighListing(known, (key) => listed.includes(key), usualDrop, {
      before: drop,
      nowMs: atMs[index]!,
    });
    ({ drop } = weighed);
    known = new Map([
      ...[...weighed.once, ...weighed.doubted].map((key) => [key, 1] as const),
      ...listed.map((key) => [key, 0] as const),
    ]);
    return { ...weighed, before };
  });
}

const dayMs = believed.afterMs;

test("no crowd is told as gone that was listed within the last day", () => {
  const parts = [keys, keys.slice(0, 5), keys.slice(5, 12), keys.slice(0, 20), keys.slice(18)];
  const steps = fc.array(fc.tuple(fc.constantFrom(...parts), fc.integer({ min: 1, max: dayMs / 2 })), {
    minLength: 2,
    maxLength: 40,
  });
  fc.assert(
    fc.property(steps, (given) => {
      let nowMs = 0;
      const atMs = given.map(([, restMs]) => (nowMs += restMs));
      const contents = given.map(([listed]) => listed);
      for (const [index, { gone, before }] of weigh(contents, atMs).entries()) {
        const lately = contents.slice(0, index + 1).filter((_, at) => atMs[at]! > atMs[index]! - dayMs);
        const young = gone.filter((key) => lately.some((listed) => listed.includes(key)));
        expect(isSuddenDrop(before, before - young.length)).toBe(false);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("a drop that stands for a day of complete listings is believed, and told once", () => {
  const drops = fc.subarray(keys, { minLength: 16 });
  fc.assert(
    fc.property(drops, fc.integer({ min: dayMs / 100, max: dayMs }), (left, everyMs) => {
      const rest = keys.filter((key) => !left.includes(key));
      const needed = Math.max(believed.listingsMin, Math.ceil(dayMs / everyMs) + 1);
      const contents = [keys, ...Array<string[]>(needed + 3).fill(rest)];
      const told = weigh(
        contents,
        contents.map((_, index) => index * everyMs),
      );
      expect(told.map(({ suspected }) => suspected > 0)).toEqual(
        contents.map((_, index) => index > 0 && index < needed),
      );
      expect(told.flatMap(({ gone }, index) => gone.map((key) => `${index} ${key}`)).toSorted()).toEqual(
        left.map((key) => `${needed} ${key}`).toSorted(),
      );
    }),
  );
});

test("a drop begins anew when one of its rows comes back, or another crowd goes", () => {
  const at = (days: readonly number[]) => days.map((days_) => days_ * dayMs);
  const few = keys.slice(0, 5);
  const times = at([0, 0.1, 0.4, 0.8, 1, 1.2, 1.5]);
  const back = weigh([keys, few, few, few, [...few, keys[20]!], few, few], times);
  expect(back.at(-1)).toMatchObject({ gone: [], suspected: 25 });
  const many = keys.slice(0, 14);
  const further = weigh([keys, many, many, many, many, few.slice(0, 3), few.slice(0, 3)], times);
  expect(further.at(-1)).toMatchObject({ gone: [], suspected: 27 });
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
