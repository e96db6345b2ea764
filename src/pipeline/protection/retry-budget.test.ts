import fc from "fast-check";
import { expect, test } from "vitest";
import { RetryBudget } from "./retry-budget.ts";

const step = fc.record({
  restMs: fc.integer({ min: 0, max: 4000 }),
  requests: fc.integer({ min: 0, max: 30 }),
  retries: fc.integer({ min: 0, max: 30 }),
});

test("over any minute at most a tenth of the requests is tried again, or six of them", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      let now = 0;
      const budget = new RetryBudget(() => now);
      const requests: number[] = [];
      const retries: number[] = [];
      const within = (times: readonly number[], ms: number) => times.filter((at) => at > now - ms).length;
      for (const { restMs, requests: made, retries: wanted } of steps) {
        now += restMs;
        for (let count = 0; count < made; count++) {
          budget.noteRequest();
          requests.push(now);
        }
        for (let count = 0; count < wanted; count++) if (budget.takeRetry()) retries.push(now);
        // The window moves by the second, so that it is between 59 and 60 seconds long.
        expect(within(retries, 59_000)).toBeLessThanOrEqual(Math.max(6, within(requests, 60_000) / 10));
      }
    }),
  );
});

test("what was used up comes back after a minute", () => {
  let now = 0;
  const budget = new RetryBudget(() => now);
  const taken = () => Array.from({ length: 10 }, () => budget.takeRetry()).filter(Boolean).length;
  expect(taken()).toBe(6);
  now = 59_000;
  expect(taken()).toBe(0);
  now = 60_000;
  expect(taken()).toBe(6);
});
