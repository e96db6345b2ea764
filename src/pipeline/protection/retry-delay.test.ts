import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jitteredDelayMs, retryAfterMs } from "./retry-delay.ts";

const now = Date.UTC(2026, 10, 21, 12);

describe("Retry-After", () => {
  test.each([
    ["7", 7000],
    [" 0 ", 0],
    ["99999999999999999999999999", 3_600_000],
    ["Sat, 21 Nov 2026 12:00:30 GMT", 30_000],
    ["Saturday, 21-Nov-26 12:00:30 GMT", 30_000],
    ["Sat Nov 21 12:00:30 2026 GMT", 30_000],
    ["Fri, 31 Dec 9999 23:59:59 GMT", 3_600_000],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
    ["-5", undefined],
    ["1.5", undefined],
    ["1e9", undefined],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("of %j is read as %j milliseconds", (value, ms) => {
    expect(retryAfterMs(value, now)).toBe(ms);
  });

  test("of any text at all is nothing or a time from zero to an hour", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const ms = retryAfterMs(text, now);
        expect(ms === undefined || (ms >= 0 && ms <= 3_600_000)).toBe(true);
      }),
    );
  });
});

test("full jitter takes anything from nothing to a bound that doubles and ends at a minute", () => {
  const most = [0, 1, 2, 6, 7, 50].map((made) => jitteredDelayMs(made, () => 1));
  expect(most).toEqual([500, 1000, 2000, 32_000, 60_000, 60_000]);
  expect(jitteredDelayMs(3, () => 0)).toBe(0);
  expect(jitteredDelayMs(3, () => 0.25)).toBe(1000);
});
