import { traceGlyph, type Pen } from "./glyph-path.ts";
import type { LaneItem } from "./lane-item.ts";
import { paintFold } from "./painter.ts";
import type { Palette } from "./palette.ts";
import { findMark, type Scene } from "./scene.ts";
import { xOf, type TimeRange } from "./time-scale.ts";

/** What moves with the pointer and the selection; painted on a canvas of its own. */
export interface OverlayState {
  readonly selected: LaneItem | undefined;
  /** The span that "what else" looked back over. */
  readonly lookedBack: TimeRange | undefined;
  /** Ranks of candidates by event id. */
  readonly ranks: ReadonlyMap<string, number>;
  readonly pointerAt: number | undefined;
  readonly measured: TimeRange | undefined;
  /** The present, and whether the live stream still reaches it. */
  readonly now: { readonly at: number; readonly connected: boolean } | undefined;
  readonly fresh: ReadonlySet<string>;
}

export function paintOverlay(
  pen: Pen,
  scene: Scene,
  state: OverlayState,
  palette: Palette,
  view: { top: number; height: number },
): void {
  const { scale } = scene;
  const { top, height } = view;
  for (const [range, colour] of [
    [state.lookedBack, palette.accentWash],
    [state.measured, palette.accentWash],
  ] as const) {
    if (range === undefined) continue;
    const x0 = Math.max(0, xOf(scale, range.from));
    const x1 = Math.min(scale.width, xOf(scale, range.to));
    pen.fillStyle = colour;
    if (x1 > x0) pen.fillRect(x0, top, x1 - x0, height);
  }
  if (state.now !== undefined) paintNow(pen, xOf(scale, state.now.at), state.now.connected, palette, view);
  if (state.pointerAt !== undefined) {
    pen.fillStyle = palette.control;
    pen.fillRect(Math.round(xOf(scale, state.pointerAt)), top, 1, height);
  }
  paintFresh(pen, scene, state.fresh, palette);
  paintRanks(pen, scene, state.ranks, palette);
  if (state.selected !== undefined) paintSelected(pen, scene, state.selected, palette, view);
}

function paintNow(
  pen: Pen,
  x: number,
  connected: boolean,
  palette: Palette,
  view: { top: number; height: number },
): void {
  pen.strokeStyle = palette.accent;
  pen.lineWidth = 1;
  pen.setLineDash(connected ? [] : [3, 3]);
  pen.beginPath();
  pen.moveTo(Math.round(x) + 0.5, view.top);
  pen.lineTo(Math.round(x) + 0.5, view.top + view.height);
  pen.stroke();
  pen.setLineDash([]);
}

function paintFresh(pen: Pen, scene: Scene, fresh: ReadonlySet<string>, palette: Palette): void {
  if (fresh.size === 0) return;
  pen.strokeStyle = palette.accent;
  pen.lineWidth = 1.5;
  for (const id of fresh) {
    const mark = findMark(scene, id);
    if (mark !== undefined) pen.strokeRect(mark.x - 8, mark.y - 8, 16, 16);
  }
}

function paintRanks(pen: Pen, scene: Scene, ranks: ReadonlyMap<string, number>, palette: Palette): void {
  const taken: { x: number; y: number }[] = [];
  const isFree = (x: number, y: number) =>
    x > 8 && !taken.some((other) => Math.abs(other.x - x) < 15 && Math.abs(other.y - y) < 15);
  for (const [id, rank] of ranks) {
    const mark = findMark(scene, id);
    if (mark === undefined) continue;
    const y = mark.y - 3;
    // The best ranks come first; one that finds no room beside its mark is told by the list alone.
    const x = [mark.x - 14, mark.x + 14].find((place) => isFree(place, y));
    if (x === undefined) continue;
    taken.push({ x, y });
    pen.fillStyle = palette.text;
    pen.beginPath();
    pen.arc(x, y + 3, rank > 9 ? 7.5 : 6.5, 0, Math.PI * 2);
    pen.fill();
    pen.fillStyle = palette.background;
    pen.font = `600 9px ${palette.font}`;
    pen.textAlign = "center";
    pen.fillText(String(rank), x, y + 6.2);
    pen.textAlign = "left";
  }
}

function paintSelected(
  pen: Pen,
  scene: Scene,
  item: LaneItem,
  palette: Palette,
  view: { top: number; height: number },
): void {
  const x = xOf(scene.scale, item.at);
  if (x < 0 || x > scene.scale.width) return;
  pen.strokeStyle = palette.accent;
  pen.lineWidth = 1;
  pen.setLineDash([3, 3]);
  pen.beginPath();
  pen.moveTo(Math.round(x) + 0.5, view.top);
  pen.lineTo(Math.round(x) + 0.5, view.top + view.height);
  pen.stroke();
  pen.setLineDash([]);
  const mark = findMark(scene, item.id);
  if (mark === undefined) return;
  if (item.fold !== undefined) paintFold(pen, { ...item.fold, kind: item.kind }, mark, scene.scale, palette);
  pen.fillStyle = palette.background;
  pen.strokeStyle = palette.accent;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(mark.x, mark.y, 9.5, 0, Math.PI * 2);
  pen.fill();
  pen.stroke();
  pen.fillStyle = palette.kinds[item.kind];
  traceGlyph(pen, item.kind, mark.x, mark.y, 5.5);
  pen.fill();
}
