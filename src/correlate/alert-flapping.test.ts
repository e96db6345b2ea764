import fc from "fast-check";
import { expect, test } from "vitest";
import { minuteAt } from "../../test/alert-events.ts";
import { findFlapping, flappingRule } from "./alert-flapping.ts";

const turnsEvery = (minutes: number, from: number, count: number) =>
  Array.from({ length: count }, (_, index) => minuteAt(from + index * minutes));

test("a series that turns every slot flaps, and one that turned twice does not", () => {
  expect(findFlapping(turnsEvery(6, 0, 10), minuteAt(60))).toHaveLength(1);
  expect(findFlapping([minuteAt(0), minuteAt(6)], minuteAt(60))).toEqual([]);
});

test("it flaps on below the share at which it began, and ends below the lower one", () => {
  const turns = turnsEvery(6, 0, 6);
  const spanAt = (minutes: number) => findFlapping(turns, minuteAt(minutes)).at(-1);
  expect(spanAt(40)).toMatchObject({ from: expect.any(Number) });
  expect(spanAt(40)).not.toHaveProperty("to");
  // The oldest turn has left the two hours: the share is between the thresholds.
  expect(spanAt(122)).not.toHaveProperty("to");
  expect(spanAt(150)).toHaveProperty("to");
  const unsteady = { ...flappingRule, low: flappingRule.high };
  expect(findFlapping(turns, minuteAt(122), unsteady).at(-1)).toHaveProperty("to");
});

test("recent turns weigh more than old ones", () => {
  const rule = { ...flappingRule, high: 0.28, low: 0.27 };
  const at = (turns: readonly number[]) =>
    findFlapping(turns.map(minuteAt), minuteAt(119.9), rule).some(({ to }) => to === undefined);
  expect(at([90, 96, 102, 108, 114])).toBe(true);
  expect(at([0, 6, 12, 18, 24])).toBe(false);
});

test("the answer for a moment does not depend on what came long before, or comes after", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 40 }), (given) => {
      const turns = given.map(minuteAt);
      const now = minuteAt(120);
      expect(findFlapping(turns, now)).toEqual(
        findFlapping(
          turns.filter((at) => at <= now),
          now,
        ),
      );
      const spans = findFlapping([...turns, minuteAt(-100_000)], now);
      expect(spans).toEqual(findFlapping(turns, now));
    }),
  );
});
