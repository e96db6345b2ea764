import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Mark } from "./time-window.ts";
import { nextLowerBound, settledTo, settleMarks, signpost } from "./time-window.ts";

const delayMs = 6;
const clockErrorMs = 3;

/** A record that bears a time of its own, which may be off, and becomes readable some time after it was written. */
const written = fc.record({
  at: fc.integer({ min: 20, max: 100 }),
  errorMs: fc.integer({ min: -clockErrorMs, max: clockErrorMs }),
  delay: fc.nat(delayMs),
});
const passes = fc.uniqueArray(fc.integer({ min: 20, max: 120 }), { minLength: 1, maxLength: 12 });

interface Rules {
  readonly overlapMs: number;
  /** A bookmark at the last record that was read, as is often done, in place of the signpost. */
  readonly bookmark: "signpost" | "last record";
}

/** Passes over such records; which are never read, and which were not readable when they were called complete. */
function harvest(
  records: readonly (typeof written extends fc.Arbitrary<infer T> ? T : never)[],
  moments: readonly number[],
  rules: Rules,
) {
  const read = new Set<number>();
  const falseClaims: number[] = [];
  let lower = 0;
  for (const now of [...moments.toSorted((a, b) => a - b), 130]) {
    const found = records.flatMap(({ at, errorMs, delay }, index) =>
      at + delay <= now && at + errorMs >= lower ? [{ index, time: at + errorMs }] : [],
    );
    for (const { index } of found) read.add(index);
    const completeTo = settledTo(signpost(now, now + 1), { settleMs: delayMs + clockErrorMs });
    falseClaims.push(
      ...records.flatMap(({ at, errorMs }, index) =>
        at + errorMs < completeTo && !read.has(index) ? [index] : [],
      ),
    );
    const times = found.map(({ time }) => time);
    lower =
      rules.bookmark === "signpost"
        ? nextLowerBound(signpost(now, now), rules)
        : Math.max(lower, ...times) - rules.overlapMs;
  }
  return { lost: records.flatMap((_one, index) => (read.has(index) ? [] : [index])), falseClaims };
}

const whole: Rules = { overlapMs: delayMs + clockErrorMs, bookmark: "signpost" };

function faultsOf(rules: Rules) {
  return fc.property(fc.array(written, { maxLength: 20 }), passes, (records, moments) => {
    expect(harvest(records, moments, rules)).toEqual({ lost: [], falseClaims: [] });
  });
}

test("within the delay and the clock error nothing is lost, and nothing is called complete too early", () => {
  fc.assert(faultsOf(whole), { numRuns: 2_000 });
});

test.each<[string, Rules]>([
  ["an overlap that is too short", { ...whole, overlapMs: delayMs }],
  ["no overlap", { ...whole, overlapMs: 0 }],
  ["a bookmark at the last record in place of the signpost", { overlapMs: 0, bookmark: "last record" }],
])("a window with %s loses records", (_what, rules) => {
  expect(fc.check(faultsOf(rules), { seed: 5, numRuns: 2_000 }).failed).toBe(true);
});

test("a signpost is never past the source's clock, nor past ours", () => {
  expect([signpost(10, 7.9), signpost(10, 12), signpost(10, undefined)]).toEqual([7, 10, 10]);
});

/** Passes by id: each sees the ids that are readable; which are never read. */
function followIds(
  delays: readonly number[],
  moments: readonly number[],
  overlapMs: number,
): readonly number[] {
  const read = new Set<number>();
  let floor: string | null = null;
  let marks: Mark[] = [];
  for (const now of [...moments.toSorted((a, b) => a - b), 200]) {
    const found = delays.flatMap((delay, id) =>
      id + 20 + delay <= now && id > Number(floor ?? -1) ? [id] : [],
    );
    for (const id of found) read.add(id);
    const highest = Math.max(Number(floor ?? -1), ...found);
    if (highest >= 0) marks.push({ at: now, id: String(highest) });
    const settled = settleMarks(floor, marks, now, { overlapMs });
    expect(Number(settled.floor ?? -1)).toBeGreaterThanOrEqual(Number(floor ?? -1));
    floor = settled.floor;
    marks = [...settled.marks];
  }
  return delays.flatMap((_one, id) => (read.has(id) ? [] : [id]));
}

test("ids that become readable out of order are all read, where the overlap covers the delay", () => {
  const delays = fc.array(fc.nat(delayMs), { maxLength: 60 });
  const lost = (overlapMs: number) =>
    fc.property(delays, passes, (one, moments) => {
      expect(followIds(one, moments, overlapMs)).toEqual([]);
    });
  fc.assert(lost(delayMs), { numRuns: 1_000 });
  expect(fc.check(lost(0), { seed: 5, numRuns: 1_000 }).failed).toBe(true);
});
