import { timeAt, tidyRange, xOf, type TimeRange, type TimeScale } from "./time-scale.ts";

/**
 * The brush over the overview. A drag on empty ground draws a new window, a drag inside the window moves it,
 * a drag on an edge moves that edge; two clicks set first one edge, then the other.
 */
export type Brush =
  | { readonly state: "idle" }
  /** One edge was clicked; the next click sets the other. */
  | { readonly state: "half"; readonly at: number }
  | {
      readonly state: "pressed";
      readonly grip: Grip;
      readonly x: number;
      readonly moved: boolean;
      readonly half?: number;
    };

type Grip = "new" | "move" | "from" | "to";

export interface BrushStep {
  readonly brush: Brush;
  /** The window to show; absent while nothing changed. */
  readonly range?: TimeRange;
}

const edgePx = 6;
const stillPx = 3;

/** Which part of the window lies under x. */
export function gripAt(scale: TimeScale, range: TimeRange, x: number): Grip {
  const [from, to] = [xOf(scale, range.from), xOf(scale, range.to)];
  if (Math.abs(x - from) <= edgePx) return "from";
  if (Math.abs(x - to) <= edgePx) return "to";
  return x > from && x < to && to - from < scale.width - 4 ? "move" : "new";
}

export function pressBrush(brush: Brush, scale: TimeScale, range: TimeRange, x: number): Brush {
  const grip = gripAt(scale, range, x);
  return brush.state === "half"
    ? { state: "pressed", grip: "new", x, moved: false, half: brush.at }
    : { state: "pressed", grip, x, moved: false };
}

/** `origin` is the window as it was when the button went down. */
export function dragBrush(brush: Brush, scale: TimeScale, origin: TimeRange, x: number): BrushStep {
  if (brush.state !== "pressed") return { brush };
  if (!brush.moved && Math.abs(x - brush.x) < stillPx) return { brush };
  const moved: Brush = { ...brush, moved: true };
  const at = timeAt(scale, x);
  const shift = at - timeAt(scale, brush.x);
  if (brush.grip === "move") {
    return { brush: moved, range: tidyRange(origin.from + shift, origin.to + shift) };
  }
  if (brush.grip === "from") return { brush: moved, range: tidyRange(origin.from + shift, origin.to) };
  if (brush.grip === "to") return { brush: moved, range: tidyRange(origin.from, origin.to + shift) };
  return { brush: moved, range: tidyRange(timeAt(scale, brush.x), at) };
}

export function releaseBrush(brush: Brush, scale: TimeScale, x: number): BrushStep {
  if (brush.state !== "pressed" || brush.moved) return { brush: { state: "idle" } };
  const at = timeAt(scale, x);
  if (brush.half === undefined) return { brush: { state: "half", at } };
  return { brush: { state: "idle" }, range: tidyRange(brush.half, at) };
}
