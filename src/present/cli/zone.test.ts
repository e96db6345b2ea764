import fc from "fast-check";
import { expect, test } from "vitest";
import { instant } from "../../model/instant.ts";
import { offsetText, Zone } from "./zone.ts";

const zones = ["UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Paris", "Pacific/Apia"].map(
  (name) => new Zone(name),
);

test("times carry the offset that clocks had at that moment", () => {
  const winter = instant(Date.UTC(2024, 0, 15, 12));
  const summer = instant(Date.UTC(2024, 6, 15, 12));
  const stJohns = new Zone("America/St_Johns");
  expect(stJohns.rfc3339(winter)).toBe("2024-01-15T08:30:00-03:30");
  expect(stJohns.rfc3339(summer)).toBe("2024-07-15T09:30:00-02:30");
  expect(new Zone("Asia/Kolkata").rfc3339(winter)).toBe("2024-01-15T17:30:00+05:30");
  expect(new Zone("UTC").rfc3339(instant(1))).toBe("1970-01-01T00:00:00.001Z");
});

test("a printed time is as exact as the source is", () => {
  const zone = new Zone("Europe/Paris");
  const at = instant(Date.UTC(2024, 7, 2, 10, 6, 7, 89));
  expect(zone.dateTime(at, 60_000)).toBe("2024-08-02 12:06");
  expect(zone.dateTime(at, 1000)).toBe("2024-08-02 12:06:07");
  expect(zone.dateTime(at, 0)).toBe("2024-08-02 12:06:07.089");
});

test("what is printed can be read back, to the millisecond, in every zone", () => {
  const moments = fc.integer({ min: Date.UTC(1975, 0), max: Date.UTC(2100, 0) });
  fc.assert(
    fc.property(moments, fc.constantFrom(...zones), (ms, zone) => {
      expect(Date.parse(zone.rfc3339(instant(ms)))).toBe(ms);
    }),
  );
});

test("a moment is among those at which clocks show its local time", () => {
  const moments = fc.integer({ min: Date.UTC(1975, 0), max: Date.UTC(2100, 0) });
  fc.assert(
    fc.property(moments, fc.constantFrom(...zones), (ms, zone) => {
      const local = ms + zone.offsetMinutes(instant(ms)) * 60_000;
      expect(zone.instantsOf(local)).toContain(ms);
    }),
  );
});

test("offsets are written with sign and two digits each", () => {
  expect([offsetText(0), offsetText(-210), offsetText(345)]).toEqual(["+00:00", "-03:30", "+05:45"]);
});

test("an unknown zone is a RangeError", () => {
  expect(() => new Zone("Mars/Olympus")).toThrow(RangeError);
});
