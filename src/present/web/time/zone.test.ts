import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatClock, formatMoment, formatOffset, isZone, momentIn, offsetMs, zoneName } from "./zone.ts";

const summer = Date.UTC(2024, 7, 2, 8, 6, 0);
const zones = ["UTC", "Europe/Paris", "Asia/Kolkata", "America/St_Johns", "Australia/Lord_Howe"] as const;
const moment = fc.integer({ min: Date.UTC(1975, 0, 1), max: Date.UTC(2060, 0, 1) });

describe("times in a zone", () => {
  it("never leave the zone out", () => {
    expect(formatMoment(summer, "UTC")).toBe("2024-08-02 08:06:00 UTC");
    expect(formatMoment(summer, "Europe/Paris")).toBe("2024-08-02 10:06:00 CEST");
    expect(formatMoment(summer, "Asia/Kolkata")).toBe("2024-08-02 13:36:00 UTC+05:30");
  });

  it("name the offset of the moment, not of today", () => {
    expect(formatOffset(summer, "Europe/Paris")).toBe("+02:00");
    expect(formatOffset(Date.UTC(2024, 0, 2), "Europe/Paris")).toBe("+01:00");
    expect(formatOffset(summer, "America/St_Johns")).toBe("−02:30");
    expect(zoneName(Date.UTC(2024, 0, 2), "Europe/Paris")).toBe("CET");
  });

  it("show milliseconds when asked", () => {
    expect(formatClock(summer + 7, "UTC", "ms")).toBe("08:06:00.007");
    expect(formatClock(-1, "UTC", "ms")).toBe("23:59:59.999");
  });

  it("read back to the moment they came from", () => {
    fc.assert(
      fc.property(moment, fc.constantFrom(...zones), (at, zone) => {
        const back = momentIn(at + offsetMs(at, zone), zone);
        // Only in the hour that a change of clocks repeats may the earlier moment be meant.
        if (back !== at) expect(offsetMs(back, zone)).not.toBe(offsetMs(at, zone));
        expect(back + offsetMs(back, zone)).toBe(at + offsetMs(at, zone));
      }),
    );
  });

  it("know which zones there are", () => {
    expect(isZone("Europe/Paris")).toBe(true);
    expect(isZone("Mars/Olympus")).toBe(false);
  });
});
