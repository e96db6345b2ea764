import type { EventKind } from "../../../model/event.ts";
import type { Pen } from "./glyph-path.ts";
import { barHeight } from "./painter.ts";
import type { Palette } from "./palette.ts";
import { xOf, type TimeRange, type TimeScale } from "./time-scale.ts";

/** One bin of the server's histogram. */
export interface OverviewBin {
  readonly at: number;
  readonly counts: Readonly<Partial<Record<EventKind, number>>>;
}

/**
 * The mirrored histogram: changes and people above the axis, symptoms and recoveries below it, routine
 * activity as a faint ground behind. Outside the window everything is drawn fainter.
 */
export function paintOverview(
  pen: Pen,
  scale: TimeScale,
  bins: readonly OverviewBin[],
  binMs: number,
  range: TimeRange,
  heightPx: number,
  palette: Palette,
): void {
  const axis = Math.round(heightPx * 0.58);
  const count = (bin: OverviewBin, kind: EventKind) => bin.counts[kind] ?? 0;
  const most = (pick: (bin: OverviewBin) => number) => bins.reduce((top, bin) => Math.max(top, pick(bin)), 1);
  const upMost = most((bin) => Math.max(count(bin, "change") + count(bin, "human"), 1));
  const routineMost = most((bin) => count(bin, "activity"));
  const downMost = most((bin) => count(bin, "symptom") + count(bin, "recovery"));
  const [up, down] = [axis - 5, heightPx - axis - 6];
  for (const bin of bins) {
    const x = xOf(scale, bin.at);
    const width = Math.max(1, xOf(scale, bin.at + binMs) - x - 1);
    const inside = bin.at + binMs > range.from && bin.at < range.to;
    const bar = (kind: EventKind, y: number, height: number, alpha: number) => {
      if (height === 0) return;
      pen.globalAlpha = inside ? alpha : alpha * 0.4;
      pen.fillStyle = palette.kinds[kind];
      pen.fillRect(x, y, width, height);
    };
    const routine = barHeight(count(bin, "activity"), routineMost, up * 0.75);
    bar("activity", axis - routine, routine, 0.3);
    const changes = barHeight(count(bin, "change"), upMost, up);
    bar("change", axis - changes, changes, 1);
    const people = barHeight(count(bin, "human"), upMost, up);
    bar("human", axis - changes - people, people, 1);
    const symptoms = barHeight(count(bin, "symptom"), downMost, down);
    bar("symptom", axis + 1, symptoms, 1);
    bar("recovery", axis + 1 + symptoms, barHeight(count(bin, "recovery"), downMost, down), 1);
  }
  pen.globalAlpha = 1;
  pen.fillStyle = palette.control;
  pen.fillRect(0, axis, scale.width, 1);
}
