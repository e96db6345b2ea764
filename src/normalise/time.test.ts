import * as fc from "fast-check";
import { expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import { endOfInstants, formatInstant } from "../model/instant.ts";
import { decodeTime } from "./time.ts";

test.each([
  ["2026-11-21T01:15:51.124Z", "2026-11-21T01:15:51.124Z"],
  ["2026-11-21t01:15:51z", "2026-11-21T01:15:51.000Z"],
  ["2026-11-21 01:15:51.509549+0000", "2026-11-21T01:15:51.509Z"],
  ["2026-11-21T01:15:51.5+02:00", "2026-11-20T23:15:51.500Z"],
  ["2026-11-21T01:15:51-0330", "2026-11-21T04:45:51.000Z"],
  ["2012-10-29 13:42:11Z", "2012-10-29T13:42:11.000Z"],
  ["2019-12-13T08:57:35.095800493Z", "2019-12-13T08:57:35.095Z"],
  ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
  ["2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"],
  ["2017-01-01T00:59:60.5+01:00", "2016-12-31T23:59:59.999Z"],
  ["2199-12-31T23:59:59.999Z", "2199-12-31T23:59:59.999Z"],
])("%s is %s", (text, expected) => {
  expect(formatInstant(decodeTime(text))).toBe(expected);
});

test("a time without a zone is UTC only for a source that says so", () => {
  expect(formatInstant(decodeTime("2026-11-21T01:15:51.000000", { naive: "utc" }))).toBe(
    "2026-11-21T01:15:51.000Z",
  );
  expect(() => decodeTime("2026-11-21T01:15:51.000000")).toThrow(/no time zone/);
});

test.each([
  "2026-02-30T00:00:00Z",
  "2025-02-29T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-00-10T00:00:00Z",
  "2026-01-00T00:00:00Z",
  "0000-01-01T00:00:00Z",
  "0001-01-01T00:00:00Z",
  "0099-01-01T00:00:00Z",
  "1969-12-31T23:59:59Z",
  "1970-01-01T00:00:00+01:00",
  "10000-01-01T00:00:00Z",
  "+010000-01-01T00:00:00Z",
  "294277-01-01T00:00:00Z",
  "2199-12-31T23:59:59-01:00",
  "2200-01-01T00:00:00Z",
  "9999-12-31T23:59:59Z",
  "2026-11-21T24:00:00Z",
  "2026-11-21T12:60:00Z",
  "2026-11-21T12:00:61Z",
  "2026-11-21T12:00:60Z",
  "2026-11-21T12:00:00+24:00",
  "2026-11-21T12:00:00+02:60",
  "2026-11-21T12:00Z",
  "2026-11-21",
  "now",
  "infinity",
  "-infinity",
  "epoch",
  "yesterday",
  "",
  " 2026-11-21T12:00:00Z",
  "2026-11-21T12:00:00Z\u0000",
  "1732147200",
  `2026-11-21T12:00:00.${"0".repeat(10_000)}Z`,
])("%s is refused", (text) => {
  expect(() => decodeTime(text, { naive: "utc" })).toThrow(IsochronError);
});

test("values that are no text are refused", () => {
  for (const value of [null, 1, {}, [], undefined]) {
    expect(() => decodeTime(value as unknown as string)).toThrow(IsochronError);
  }
});

test("every moment that we can write is read back, whatever its offset", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 86_400_000, max: endOfInstants - 1 }),
      fc.integer({ min: -1439, max: 1439 }),
      fc.boolean(),
      (ms, offset, colon) => {
        const local = new Date(ms + offset * 60_000).toISOString().slice(0, -1);
        const abs = Math.abs(offset);
        const zone = [Math.floor(abs / 60), abs % 60].map((part) => String(part).padStart(2, "0"));
        expect(decodeTime(`${local}${offset < 0 ? "-" : "+"}${zone.join(colon ? ":" : "")}`)).toBe(ms);
      },
    ),
  );
});

test("any text is a time or refused, never anything else", () => {
  const digits = fc.string({ unit: fc.constantFrom(..."0123456789-:.+TZ "), maxLength: 32 });
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), digits), (text) => {
      try {
        expect(Number.isSafeInteger(decodeTime(text))).toBe(true);
      } catch (error) {
        if (!(error instanceof IsochronError)) throw error;
      }
    }),
    { numRuns: 1_000 },
  );
});
