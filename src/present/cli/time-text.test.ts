import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import { looksLikeTime, parseDuration, parseTime } from "./time-text.ts";
import { Zone } from "./zone.ts";

const paris = new Zone("Europe/Paris");
const now = instant(Date.UTC(2024, 7, 2, 12, 0));
const read = (text: string, zone = paris) => {
  const { at, note } = parseTime(text, zone, now);
  return { at: new Date(at).toISOString(), note };
};

function outcomeOf(text: string, zone: Zone): string {
  try {
    return Number.isInteger(parseTime(text, zone, now).at) ? "a moment" : "no moment";
  } catch (error) {
    return error instanceof IsochronError ? error.code : "a bug";
  }
}

describe("a time as typed", () => {
  test("RFC 3339 needs no explanation", () => {
    expect(read("2024-08-02T10:06:00+02:00")).toEqual({ at: "2024-08-02T08:06:00.000Z", note: undefined });
    expect(read("2024-08-02T10:06:00.25Z").at).toBe("2024-08-02T10:06:00.250Z");
    expect(read("2024-08-02 10:06 +0530").at).toBe("2024-08-02T04:36:00.000Z");
  });

  test("a zone's name or an unmistakable abbreviation will do", () => {
    expect(read("2024-08-02 12:35 CEST")).toEqual({ at: "2024-08-02T10:35:00.000Z", note: undefined });
    expect(read("2024-08-02 12:35 Asia/Kolkata")).toEqual({
      at: "2024-08-02T07:05:00.000Z",
      note: undefined,
    });
    expect(() => read("2024-08-02 12:35 IST")).toThrow(/names no single zone/);
  });

  test("a time of day is its latest occurrence, and says how it was read", () => {
    expect(read("10:06")).toEqual({
      at: "2024-08-02T08:06:00.000Z",
      note: 'reading "10:06" as 2024-08-02T10:06:00+02:00 (--tz Europe/Paris)',
    });
    expect(read("23:00").at).toBe("2024-08-01T21:00:00.000Z");
    expect(read("10:06", new Zone("Asia/Kolkata")).note).toContain(
      "2024-08-02T10:06:00+05:30 (--tz Asia/Kolkata)",
    );
    expect(read("09:06", new Zone("America/St_Johns")).note).toContain("2024-08-02T09:06:00-02:30");
  });

  test("a date without zone is read in the zone, aloud", () => {
    expect(read("2024-08-02 10:06:30").note).toBe(
      'reading "2024-08-02 10:06:30" as 2024-08-02T10:06:30+02:00 (--tz Europe/Paris)',
    );
    expect(read("2024-08-02").at).toBe("2024-08-01T22:00:00.000Z");
  });

  test("a time that clocks skipped is refused, one that they showed twice is said to be so", () => {
    expect(() => read("2024-03-31 02:30")).toThrow(/clocks skipped it/);
    const twice = read("2024-10-27 02:30");
    expect(twice.at).toBe("2024-10-27T00:30:00.000Z");
    expect(twice.note).toContain("twice, the second is 2024-10-27T02:30:00+01:00");
    const halfHour = read("2024-11-03 01:30", new Zone("America/St_Johns"));
    expect(halfHour.note).toContain("2024-11-03T01:30:00-02:30");
    expect(halfHour.note).toContain("2024-11-03T01:30:00-03:30");
  });

  test("relative times count from now", () => {
    expect(read("now").at).toBe("2024-08-02T12:00:00.000Z");
    expect(read("-1h30m").at).toBe("2024-08-02T10:30:00.000Z");
    expect(read("2d ago").at).toBe("2024-07-31T12:00:00.000Z");
  });

  test.each([
    "",
    "yesterday-ish",
    "2024-02-30",
    "25:00",
    "10:60",
    "2024-08-02 10:06 +99:00",
    "2024-08",
    "-",
    "10:06:61",
  ])("%j is refused with what to write instead", (text) => {
    expect(() => read(text)).toThrow(/Write/);
  });

  test("ids and resources never look like times", () => {
    for (const text of ["10:06", "2024-08-02", "-2h", "now", "3h ago"])
      expect(looksLikeTime(text)).toBe(true);
    for (const text of [
      "0b9d2f6c4e21",
      "server/6f3c",
      "20240802-52d4-4c5e-9d0c-1b7a0f6f2c11",
      "evt_5m2k",
      "2h",
    ]) {
      expect(looksLikeTime(text)).toBe(false);
    }
  });

  test("whatever is typed is read or refused as a time, in every zone", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom("UTC", "Asia/Kolkata"), (text, zone) => {
        expect(outcomeOf(text, new Zone(zone))).toMatch(/^(a moment|time-invalid)$/);
      }),
    );
  });
});

test("lengths of time add up", () => {
  expect(parseDuration("1h30m")).toBe(5_400_000);
  expect(parseDuration("7d")).toBe(604_800_000);
  expect(() => parseDuration("2 hours")).toThrow(/no length of time/);
  expect(() => parseDuration("")).toThrow(/no length of time/);
});
