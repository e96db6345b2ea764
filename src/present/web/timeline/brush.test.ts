import { describe, expect, it } from "vitest";
import { dragBrush, gripAt, pressBrush, releaseBrush, type Brush } from "./brush.ts";
import type { TimeRange, TimeScale } from "./time-scale.ts";

const scale: TimeScale = { from: 0, to: 100_000, width: 1000 };
const window: TimeRange = { from: 20_000, to: 40_000 };
const idle: Brush = { state: "idle" };

function drag(from: number, to: number): TimeRange | undefined {
  return dragBrush(pressBrush(idle, scale, window, from), scale, window, to).range;
}

describe("the brush", () => {
  it("draws a new window on empty ground, in either direction", () => {
    expect(drag(500, 700)).toEqual({ from: 50_000, to: 70_000 });
    expect(drag(700, 500)).toEqual({ from: 50_000, to: 70_000 });
  });

  it("moves the window when dragged inside it", () => {
    expect(drag(300, 350)).toEqual({ from: 25_000, to: 45_000 });
  });

  it("moves one edge when dragged there", () => {
    expect(gripAt(scale, window, 201)).toBe("from");
    expect(drag(200, 250)).toEqual({ from: 25_000, to: 40_000 });
    expect(drag(400, 300)).toEqual({ from: 20_000, to: 30_000 });
  });

  it("takes two clicks for those who do not drag", () => {
    const first = releaseBrush(pressBrush(idle, scale, window, 600), scale, 600);
    expect(first).toEqual({ brush: { state: "half", at: 60_000 } });
    const second = releaseBrush(pressBrush(first.brush, scale, window, 300), scale, 300);
    expect(second).toEqual({ brush: { state: "idle" }, range: { from: 30_000, to: 60_000 } });
  });

  it("does not take a trembling hand for a drag", () => {
    expect(drag(500, 502)).toBeUndefined();
  });
});
