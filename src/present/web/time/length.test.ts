import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatLength, formatPrecision, readOffset, spellOffset } from "./length.ts";

describe("lengths of time", () => {
  it("are short and unambiguous", () => {
    expect(formatLength(350)).toBe("350 ms");
    expect(formatLength(1500)).toBe("1.5 s");
    expect(formatLength(42_000)).toBe("42 s");
    expect(formatLength(75_000)).toBe("1 min 15");
    expect(formatLength(13 * 60_000)).toBe("13 min");
    expect(formatLength(149 * 60_000)).toBe("2 h 29");
    expect(formatLength(3 * 86_400_000)).toBe("3 days");
  });

  it("never carry a unit over its own end", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 * 86_400_000 }), (ms) => {
        expect(formatLength(ms)).not.toMatch(/(min|h) (60|6[1-9]|[7-9]\d)$/);
        expect(formatLength(ms)).not.toMatch(/^60 (s|min)$|^1000 ms$/);
      }),
    );
  });

  it("halve a precision, which is a full width", () => {
    expect(formatPrecision(60_000)).toBe("±30 s");
    expect(formatPrecision(0)).toBe("");
  });

  it("spell relative times so that they read back", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (ms) => {
        expect(readOffset(spellOffset(ms))).toBe(ms);
      }),
    );
    expect(spellOffset(-7_200_000)).toBe("-2h");
    expect(readOffset("2h")).toBeUndefined();
  });
});
