import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { panBy, spanMaxMs, spanMinMs, stretchTo, tidyRange, timeAt, xOf, zoomAround } from "./time-scale.ts";

const at = fc.integer({ min: 0, max: 4e12 });
const span = fc.integer({ min: spanMinMs, max: spanMaxMs });

describe("the window over time", () => {
  it("maps times to pixels and back", () => {
    fc.assert(
      fc.property(
        at,
        span,
        fc.integer({ min: 100, max: 4000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (from, length, width, share) => {
          const scale = { from, to: from + length, width };
          expect(xOf(scale, timeAt(scale, share * width))).toBeCloseTo(share * width, 1);
        },
      ),
    );
  });

  it("keeps the moment under the pointer when zooming, and stays within its limits", () => {
    fc.assert(
      fc.property(
        at,
        fc.integer({ min: 1000, max: 1e10 }),
        fc.double({ min: 0.2, max: 5, noNaN: true }),
        (from, length, factor) => {
          const centre = from + length * 0.3;
          const zoomed = zoomAround({ from, to: from + length }, centre, factor);
          const size = zoomed.to - zoomed.from;
          expect((centre - zoomed.from) / size).toBeCloseTo(0.3, 1);
          expect(size).toBeGreaterThanOrEqual(spanMinMs);
          expect(size).toBeLessThanOrEqual(spanMaxMs);
        },
      ),
    );
  });

  it("pans by a share of itself, stretches to an event outside, and never is empty", () => {
    expect(panBy({ from: 0, to: 1000 }, 0.2)).toEqual({ from: 200, to: 1200 });
    expect(stretchTo({ from: 1000, to: 2000 }, 1500)).toEqual({ from: 1000, to: 2000 });
    expect(stretchTo({ from: 1000, to: 2000 }, 0)).toEqual({ from: -80, to: 2000 });
    expect(tidyRange(5, 5)).toEqual({ from: -5, to: 15 });
  });
});
