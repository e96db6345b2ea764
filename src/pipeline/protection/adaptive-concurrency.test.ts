import fc from "fast-check";
import { expect, test } from "vitest";
import { AdaptiveConcurrency, type Pace, type Slot } from "./adaptive-concurrency.ts";

const never = new AbortController().signal;
const good: Pace = { kind: "good" };
const slowDown: Pace = { kind: "slow-down" };

async function rounds(places: AdaptiveConcurrency, count: number, pace: Pace): Promise<void> {
  for (let index = 0; index < count; index++) places.release(await places.acquire(never), pace);
}

test("a refusal halves the places, and a window of good answers gives one back, up to the most", async () => {
  const places = new AdaptiveConcurrency(8);
  expect(places.limit).toBe(8);
  await rounds(places, 1, slowDown);
  expect(places.limit).toBe(4);
  await rounds(places, 2, slowDown);
  expect(places.limit).toBe(1);
  await rounds(places, 5, slowDown);
  expect(places.limit).toBe(1);
  const limits: number[] = [];
  for (let index = 0; index < 7; index++) {
    await rounds(places, places.limit, good);
    limits.push(places.limit);
  }
  expect(limits).toEqual([2, 3, 4, 5, 6, 7, 8]);
  await rounds(places, 100, good);
  expect(places.limit).toBe(8);
});

test("requests that fail together count as one sign", async () => {
  const places = new AdaptiveConcurrency(8);
  const slots: Slot[] = [];
  for (let index = 0; index < 8; index++) slots.push(await places.acquire(never));
  for (const slot of slots) places.release(slot, slowDown);
  expect(places.limit).toBe(4);
});

test("answers that take twice as long as at their best halve the places too", async () => {
  const places = new AdaptiveConcurrency(4);
  await rounds(places, 40, { kind: "good", answerMs: 100 });
  expect(places.limit).toBe(4);
  await rounds(places, 4, { kind: "good", answerMs: 400 });
  expect(places.limit).toBe(2);
});

test("answers that are quick anyhow are never slow", async () => {
  const places = new AdaptiveConcurrency(4);
  await rounds(places, 40, { kind: "good", answerMs: 1 });
  await rounds(places, 8, { kind: "good", answerMs: 90 });
  expect(places.limit).toBe(4);
});

test("never more than the limit are under way, whatever happens, and everybody gets a turn", async () => {
  const pace = fc.constantFrom<Pace>(good, slowDown, { kind: "unknown" }, { kind: "good", answerMs: 500 });
  const steps = fc.array(fc.record({ asks: fc.nat(4), settles: fc.nat(4), pace }), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 10 }), steps, async (most, list) => {
      const places = new AdaptiveConcurrency(most);
      const running: Slot[] = [];
      let asked = 0;
      let got = 0;
      for (const { asks, settles, pace: one } of list) {
        const roomBefore = Math.max(running.length, places.limit);
        for (let index = 0; index < asks; index++) {
          asked += 1;
          void places.acquire(never).then((slot) => {
            got += 1;
            running.push(slot);
          });
        }
        await Promise.resolve();
        await Promise.resolve();
        expect(running.length).toBeLessThanOrEqual(Math.min(most, roomBefore));
        for (let index = 0; index < settles && running.length > 0; index++)
          places.release(running.shift()!, one);
        await Promise.resolve();
        await Promise.resolve();
        expect(places.running).toBe(running.length);
      }
      for (let count = 0; running.length > 0 && count < 1000; count++) {
        places.release(running.shift()!, good);
        await Promise.resolve();
        await Promise.resolve();
      }
      expect([got, places.running]).toEqual([asked, 0]);
    }),
  );
});

test("whoever stops waiting takes no place", async () => {
  const places = new AdaptiveConcurrency(1);
  const first = await places.acquire(never);
  const ending = new AbortController();
  const second = places.acquire(ending.signal);
  ending.abort(new Error("shutting down"));
  await expect(second).rejects.toThrow("shutting down");
  places.release(first, good);
  expect(places.running).toBe(0);
});
