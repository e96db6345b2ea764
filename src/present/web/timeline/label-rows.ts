import { rankSeverity } from "./lane-item.ts";
import { markReach, type Mark } from "./level-of-detail.ts";

/** A mark's text, cut to the room that is left. `row` is 0 or 1. */
export interface PlacedLabel {
  readonly mark: Mark;
  readonly x: number;
  readonly row: number;
  readonly text: string;
  readonly strong: boolean;
}

export type MeasureText = (text: string) => number;

/** Where labels may go: how many rows, how far from the mark, and what stands in the first row already. */
export interface LabelRoom {
  readonly rows: 1 | 2;
  readonly offsetPx: number;
  readonly taken: readonly { readonly from: number; readonly to: number }[];
}

const openRoom: LabelRoom = { rows: 2, offsetPx: -4, taken: [] };
const widthMaxPx = 190;
const widthMinPx = 56;
const gapPx = 10;
/** Beyond this many marks, looking for room is not worth the time. */
const labelledMarksMax = 120;

/**
 * Gives labels to as many marks as have room, in two rows: gravest first, then changes before the rest,
 * then in order of time. A label never covers another one, and never leaves the lane's right edge.
 */
export function placeLabels(
  marks: readonly Mark[],
  widthPx: number,
  measure: MeasureText,
  room: LabelRoom = openRoom,
): PlacedLabel[] {
  const taken: { from: number; to: number }[][] = [[...room.taken]];
  if (room.rows === 2) taken.push([]);
  const placed: PlacedLabel[] = [];
  for (const mark of marks.toSorted(byWeight).slice(0, labelledMarksMax)) {
    const label = placeOne(mark, taken, { widthPx, offsetPx: room.offsetPx }, measure);
    if (label !== undefined) placed.push(label);
  }
  return placed;
}

function placeOne(
  mark: Mark,
  taken: { from: number; to: number }[][],
  lane: { readonly widthPx: number; readonly offsetPx: number },
  measure: MeasureText,
): PlacedLabel | undefined {
  const reach = markReach(mark.item);
  const x = Math.max(mark.x + lane.offsetPx + (lane.offsetPx > 0 ? reach : 0), 4);
  const wanted = Math.min(measure(mark.item.label), widthMaxPx);
  for (let row = 0; row < taken.length; row++) {
    const busy = taken[row] ?? [];
    if (
      busy.some(
        (span) =>
          x < span.to + (span.to === mark.x + 9 + reach ? 0 : gapPx) &&
          x + Math.min(wanted, widthMinPx) > span.from - gapPx,
      )
    )
      continue;
    const next = Math.min(
      lane.widthPx,
      ...busy.filter((span) => span.from > x).map((span) => span.from - gapPx),
    );
    const room = Math.min(wanted, next - x);
    if (room < Math.min(wanted, widthMinPx)) continue;
    const text = fitText(mark.item.label, room, measure);
    if (text === "") continue;
    busy.push({ from: x, to: x + Math.min(measure(text), room) });
    return { mark, x, row, text, strong: rankSeverity(mark.item.severity) >= 2 };
  }
  return undefined;
}

function byWeight(a: Mark, b: Mark): number {
  const severity = rankSeverity(b.item.severity) - rankSeverity(a.item.severity);
  if (severity !== 0) return severity;
  const change = Number(b.item.kind === "change") - Number(a.item.kind === "change");
  return change !== 0 ? change : a.x - b.x;
}

/** The text, or its beginning with an ellipsis; empty when not even that fits. */
export function fitText(text: string, roomPx: number, measure: MeasureText): string {
  if (measure(text) <= roomPx) return text;
  let low = 0;
  let high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (measure(`${text.slice(0, middle).trimEnd()}…`) <= roomPx) low = middle;
    else high = middle - 1;
  }
  return low < 3 ? "" : `${text.slice(0, low).trimEnd()}…`;
}
