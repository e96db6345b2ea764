import fc from "fast-check";
import { expect, test } from "vitest";
import { Ramp, startDelayMs } from "./ramp.ts";

test("a ramp goes from a twentieth to all of it, doubling every half minute; without one all is allowed", () => {
  let now = 5000;
  const ramp = new Ramp(() => now);
  expect(ramp.fraction()).toBe(1);
  ramp.begin();
  const fractions = [0, 30_000, 60_000, 120_000, 150_000].map((ms) => {
    now = 5000 + ms;
    return ramp.fraction();
  });
  expect(fractions).toEqual([0.05, 0.1, 0.2, 0.8, 1]);
});

test("connections of one process start in seconds of their own, and no later than their interval", () => {
  const chance = fc.double({ min: 0, max: 0.999, noNaN: true });
  fc.assert(
    fc.property(fc.array(chance, { minLength: 1, maxLength: 50 }), (chances) => {
      const count = chances.length;
      const delays = chances.map((part, index) =>
        startDelayMs({ index, count, intervalMs: 60_000 }, () => part),
      );
      expect(new Set(delays.map((ms) => Math.floor(ms / 1000))).size).toBe(count);
      for (const [index, part] of chances.entries()) {
        expect(startDelayMs({ index, count, intervalMs: 1000 }, () => part)).toBeLessThan(1000);
      }
    }),
  );
});
