import { expect, test } from "vitest";
import { formatInstant } from "../../model/instant.ts";
import { decoders } from "../../normalise/decode.ts";
import { readTime } from "./row-time.ts";

test.each([
  ["2026-11-21 01:15:51.124653+00", "UTC", "2026-11-21T01:15:51.124Z"],
  ["2026-11-21 01:15:51+05:30", "UTC", "2026-11-20T19:45:51.000Z"],
  ["2026-11-21 01:15:51-03", "Europe/Paris", "2026-11-21T04:15:51.000Z"],
  ["2026-11-21 01:15:51", "UTC", "2026-11-21T01:15:51.000Z"],
  ["2026-11-21", "UTC", "2026-11-21T00:00:00.000Z"],
  ["2026-07-01 02:30:00", "Europe/Paris", "2026-07-01T00:30:00.000Z"],
  ["2026-12-01 02:30:00", "Europe/Paris", "2026-12-01T01:30:00.000Z"],
  // The hour that comes twice is read as the first of the two, the hour that never comes as after the change.
  ["2026-10-25 02:30:00", "Europe/Paris", "2026-10-25T00:30:00.000Z"],
  ["2026-03-29 02:30:00", "Europe/Paris", "2026-03-29T01:30:00.000Z"],
  ["2026-07-01 02:30:00", "-02:00", "2026-07-01T04:30:00.000Z"],
])("%s in %s is %s", (text, zone, expected) => {
  expect(formatInstant(readTime(text, zone, decoders))).toBe(expected);
});

test.each([
  "infinity",
  "-infinity",
  "0044-03-15 00:00:00 BC",
  "0000-00-00 00:00:00",
  "10000-01-01 00:00:00+00",
  "now",
  "",
])("%j is no time that can be used", (text) => {
  expect(() => readTime(text, "UTC", decoders)).toThrow(
    expect.objectContaining({ code: "record-invalid" }) as Error,
  );
});
