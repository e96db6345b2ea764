import fc from "fast-check";
import { expect, test } from "vitest";
import { Ramp } from "./ramp.ts";
import { RateLimit } from "./rate-limit.ts";

/** When requests were sent that came after the given rests, by a clock of the test's own. */
function sendAll(perSecond: number, rests: readonly number[], fraction: () => number = () => 1): number[] {
  let now = 0;
  const limit = new RateLimit(perSecond, () => now);
  return rests.map((rest) => {
    now += rest;
    return now + limit.book(fraction());
  });
}

/** The most requests in any second, whichever second is looked at. */
function busiest(sentAtMs: readonly number[]): number {
  return Math.max(...sentAtMs.map((from) => sentAtMs.filter((at) => at >= from && at < from + 1000).length));
}

const rests = fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3000, noNaN: true })), {
  minLength: 1,
  maxLength: 200,
});

test("no second, wherever it begins, has more requests than the rate", () => {
  fc.assert(
    fc.property(fc.double({ min: 1, max: 40, noNaN: true }), rests, (perSecond, list) => {
      expect(busiest(sendAll(perSecond, list))).toBeLessThanOrEqual(perSecond);
    }),
  );
});

test("below one a second, requests are as far apart as the rate says", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 0.99, noNaN: true }), rests, (perSecond, list) => {
      const sent = sendAll(perSecond, list);
      for (const [index, at] of sent.entries()) {
        if (index > 0) expect(at - sent[index - 1]!).toBeGreaterThanOrEqual(1000 / perSecond - 0.001);
      }
    }),
  );
});

test("a part of the rate is kept as the whole is, while the part changes", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0.05, max: 1, noNaN: true }), { minLength: 50 }), (parts) => {
      let index = 0;
      const sent = sendAll(20, Array<number>(parts.length).fill(0), () => parts[index++ % parts.length]!);
      expect(busiest(sent)).toBeLessThanOrEqual(20);
    }),
  );
});

test("requests that keep to the rate do not wait", () => {
  expect(sendAll(4, [0, 0, 0, 0, 1050, 0, 0, 0])).toEqual([0, 0, 0, 0, 1050, 1050, 1050, 1050]);
});

test("after an outage a twentieth of the rate is asked at first, twice as much every half minute, then all", () => {
  let now = 0;
  const ramp = new Ramp(() => now);
  const limit = new RateLimit(100, () => now);
  ramp.begin();
  const sent: number[] = [];
  while (now < 180_000) {
    now += limit.book(ramp.fraction());
    sent.push(now);
  }
  const inSecond = (from: number) => sent.filter((at) => at >= from && at < from + 1000).length;
  expect(inSecond(0)).toBeLessThanOrEqual(5);
  for (let from = 0; from < 179_000; from += 500) {
    expect(inSecond(from)).toBeLessThanOrEqual(Math.max(1, 100 * 0.05 * 2 ** ((from + 1000) / 30_000)));
  }
  expect(inSecond(150_000)).toBeGreaterThan(90);
});
