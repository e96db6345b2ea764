import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { timeTicks } from "./ticks.ts";
import { partsIn } from "./zone.ts";

const zones = ["UTC", "Europe/Paris", "Asia/Kolkata", "America/St_Johns"] as const;

describe("axis ticks", () => {
  it("are round in the chosen zone, also across a change of clocks", () => {
    const from = Date.UTC(2024, 2, 30, 12);
    const ticks = timeTicks(from, from + 36 * 3_600_000, 900, "Europe/Paris");
    expect(ticks.length).toBeGreaterThan(4);
    for (const tick of ticks) expect(partsIn(tick.at, "Europe/Paris").minute).toBe(0);
  });

  it("lie inside the window, in order, and not too many", () => {
    const start = fc.integer({ min: Date.UTC(1980, 0, 1), max: Date.UTC(2050, 0, 1) });
    const span = fc.integer({ min: 20, max: 3 * 365 * 86_400_000 });
    fc.assert(
      fc.property(start, span, fc.constantFrom(...zones), (from, length, zone) => {
        const ticks = timeTicks(from, from + length, 900, zone);
        expect(ticks.length).toBeLessThan(30);
        ticks.forEach((tick, index) => {
          expect(tick.at).toBeGreaterThanOrEqual(from);
          expect(tick.at).toBeLessThan(from + length);
          expect(tick.at).toBeGreaterThan(ticks[index - 1]?.at ?? -Infinity);
        });
      }),
    );
  });

  it("print the day where it begins", () => {
    const from = Date.UTC(2024, 0, 1, 22);
    const days = timeTicks(from, from + 6 * 3_600_000, 900, "UTC").flatMap((tick) => tick.day ?? []);
    expect(days).toEqual(["2024-01-01", "2024-01-02"]);
  });
});
