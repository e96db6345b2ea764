import type { EventKind } from "../../../model/event.ts";
import { traceGlyph, type Pen } from "./glyph-path.ts";
import { joinBlindSpans } from "./blind-spans.ts";
import { clusterEnd } from "./hit-test.ts";
import type { LaneItem } from "./lane-item.ts";
import {
  badgeText,
  foldText,
  gravest,
  leadingKind,
  markReach,
  type Cluster,
  type Column,
} from "./level-of-detail.ts";
import type { Palette } from "./palette.ts";
import { laneGeometry, markY, type LaneScene, type Scene } from "./scene.ts";
import type { Tick } from "../time/ticks.ts";
import { xOf, type TimeScale } from "./time-scale.ts";

/** What one painting drew; with a fake pen, the proof that nothing got lost. */
export interface Painted {
  readonly marks: number;
  readonly clusters: number;
  readonly columns: number;
  readonly labels: number;
}

const markSize = 5;

/** Draws the lanes in sight. The pen's origin is the top of the part in sight. */
export function paintScene(
  pen: Pen,
  scene: Scene,
  palette: Palette,
  ticks: readonly Tick[],
  viewHeight: number,
): Painted {
  const { scale } = scene;
  const painted = { marks: 0, clusters: 0, columns: 0, labels: 0 };
  pen.textBaseline = "alphabetic";
  pen.textAlign = "left";
  for (const lane of scene.lanes) paintStripe(pen, lane, scale, palette);
  paintGrid(pen, scene, palette, ticks, viewHeight);
  for (const lane of scene.lanes) {
    paintUnknown(pen, lane, scale, palette);
    paintSpans(pen, lane, scale, palette);
    paintColumns(pen, lane, scale, palette);
    painted.columns += lane.picture.columns.length;
    for (const cluster of lane.picture.clusters) paintCluster(pen, cluster, lane, palette);
    painted.clusters += lane.picture.clusters.length;
    painted.labels += paintLabels(pen, lane, palette);
    painted.marks += paintMarks(pen, lane, scale, palette);
  }
  return painted;
}

function paintStripe(pen: Pen, lane: LaneScene, scale: TimeScale, palette: Palette): void {
  pen.fillStyle = Math.round(lane.top / lane.height) % 2 === 1 ? palette.lane : palette.background;
  pen.fillRect(0, lane.top, scale.width, lane.height);
}

function paintGrid(
  pen: Pen,
  scene: Scene,
  palette: Palette,
  ticks: readonly Tick[],
  viewHeight: number,
): void {
  const top = scene.lanes[0]?.top ?? 0;
  pen.fillStyle = palette.line;
  for (const tick of ticks) pen.fillRect(Math.round(xOf(scene.scale, tick.at)), top, 1, viewHeight + 64);
}

/** Diagonal hairlines over [x0, x1): the sign for "unknown", everywhere. */
export function paintHatch(
  pen: Pen,
  x0: number,
  x1: number,
  top: number,
  height: number,
  colour: string,
): void {
  pen.save();
  pen.beginPath();
  pen.rect(x0, top, x1 - x0, height);
  pen.clip();
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (let x = Math.floor((x0 - height) / 7) * 7; x < x1; x += 7) {
    pen.moveTo(x, top + height);
    pen.lineTo(x + height, top);
  }
  pen.stroke();
  pen.restore();
}

function paintUnknown(pen: Pen, lane: LaneScene, scale: TimeScale, palette: Palette): void {
  for (const hole of joinBlindSpans(lane.lane.holes ?? [])) {
    if (hole.to <= scale.from || hole.from >= scale.to) continue;
    const from = Math.max(0, xOf(scale, hole.from));
    const to = Math.min(scale.width, Math.max(xOf(scale, hole.to), from + 3));
    // Stronger than what is only not read yet: here events are known or suspected to be missing.
    pen.globalAlpha = 0.5;
    paintHatch(pen, from, to, lane.top + 1, lane.height - 2, palette.control);
    pen.globalAlpha = 1;
  }
  if (lane.lane.unknownFrom === undefined || lane.lane.unknownFrom >= scale.to) return;
  const x0 = Math.max(0, xOf(scale, lane.lane.unknownFrom));
  paintHatch(pen, x0, scale.width, lane.top + 1, lane.height - 2, palette.hatch);
}

function paintSpans(pen: Pen, lane: LaneScene, scale: TimeScale, palette: Palette): void {
  const y = lane.top + (lane.tall ? laneGeometry.tall.markY : laneGeometry.low.markY);
  for (const span of lane.spans) {
    const x0 = Math.max(xOf(scale, span.from), -4);
    const x1 = Math.min(xOf(scale, span.to), scale.width + 4);
    if (x1 - x0 < 6) continue;
    if (span.kind === "impact") {
      pen.fillStyle = palette.impactWash;
      pen.fillRect(x0, y - 9, x1 - x0, 18);
    } else if (lane.picture.mode === "marks") {
      pen.fillStyle = palette.control;
      pen.fillRect(x0, y - 0.5, x1 - x0, 1);
    }
  }
}

function paintColumns(pen: Pen, lane: LaneScene, scale: TimeScale, palette: Palette): void {
  const { columns } = lane.picture;
  if (columns.length === 0) return;
  const axis = lane.top + Math.round(lane.height * (lane.tall ? 0.72 : 0.64));
  const upMost = Math.max(1, ...columns.map((column) => Math.max(aboveAxis(column), column.counts.activity)));
  const downMost = Math.max(1, ...columns.map((column) => belowAxis(column)));
  const crowned = lane.tall && lane.picture.marks.length > 0;
  const up = axis - lane.top - (crowned ? 24 : 6);
  const down = lane.top + lane.height - axis - 4;
  for (const column of columns) {
    const width = Math.max(1, column.width - 1);
    const bar = (kind: EventKind, base: number, height: number) => {
      pen.fillStyle = palette.kinds[kind];
      pen.fillRect(column.x, base, width, height);
    };
    pen.globalAlpha = 0.38;
    const routine = barHeight(column.counts.activity, upMost, up);
    bar("activity", axis - routine, routine);
    pen.globalAlpha = 1;
    const changes = barHeight(column.counts.change, upMost, up);
    bar("change", axis - changes, changes);
    const people = barHeight(column.counts.human, upMost, up);
    bar("human", axis - changes - people, people);
    const symptoms = barHeight(column.counts.symptom, downMost, down);
    bar("symptom", axis + 1, symptoms);
    bar("recovery", axis + 1 + symptoms, barHeight(column.counts.recovery, downMost, down));
  }
  pen.fillStyle = palette.control;
  pen.fillRect(0, axis, scale.width, 1);
}

function aboveAxis(column: Column): number {
  return column.counts.change + column.counts.human;
}

function belowAxis(column: Column): number {
  return column.counts.symptom + column.counts.recovery;
}

/** Heights grow with the square root, so that one busy minute does not flatten the rest to nothing. */
export function barHeight(count: number, most: number, heightPx: number): number {
  return count === 0 ? 0 : Math.max(2, Math.sqrt(count / Math.max(most, 1)) * heightPx);
}

function paintCluster(pen: Pen, cluster: Cluster, lane: LaneScene, palette: Palette): void {
  const kind = leadingKind(cluster.items);
  const geometry = lane.tall ? laneGeometry.tall : laneGeometry.low;
  const y = lane.top + (cluster.sunk ? geometry.sunkY : geometry.markY);
  const x0 = cluster.x0 - 5;
  const x1 = clusterEnd(cluster) + 5;
  const critical = gravest(cluster.items) === "critical";
  pen.fillStyle = palette.background;
  pen.strokeStyle = palette.kinds[kind];
  pen.lineWidth = critical ? 2 : 1;
  const piled = cluster.items.some((item) => item.fold !== undefined);
  for (const offset of piled ? [3, 0] : [0]) {
    pen.beginPath();
    pen.roundRect(x0 + offset, y - 8 - offset, x1 - x0, 16, 3);
    pen.fill();
    pen.stroke();
  }
  pen.fillStyle = palette.kinds[kind];
  traceGlyph(pen, kind, x0 + 8, y, 3.5);
  pen.fill();
  pen.fillStyle = palette.text;
  pen.font = `600 10.5px ${palette.font}`;
  pen.fillText(badgeText(cluster.items), x0 + 14.5, y + 3.8);
}

function paintLabels(pen: Pen, lane: LaneScene, palette: Palette): number {
  const beside = lane.picture.mode === "columns";
  for (const label of lane.labels) {
    pen.font = `${label.strong ? 500 : 400} 11px ${palette.font}`;
    pen.fillStyle = label.strong ? palette.text : palette.dim;
    const y = beside ? laneGeometry.besideY : laneGeometry.tall.labelY[label.row];
    pen.fillText(label.text, label.x, lane.top + (y ?? 0));
  }
  return lane.labels.length;
}

function paintMarks(pen: Pen, lane: LaneScene, scale: TimeScale, palette: Palette): number {
  const order = lane.picture.marks.toSorted((a, b) => paintRank(a.item) - paintRank(b.item));
  for (const mark of order) {
    const { item, x } = mark;
    const y = markY(lane, mark.stack);
    const colour = palette.kinds[item.kind];
    if (item.fold !== undefined) {
      paintFold(pen, { ...item.fold, kind: item.kind }, { x, y }, scale, palette);
      paintMark(pen, item.kind, item.severity, x, y, palette);
      continue;
    }
    const tail = (item.precisionMs / (scale.to - scale.from)) * scale.width;
    if (tail > 6) {
      pen.globalAlpha = 0.28;
      pen.fillStyle = colour;
      pen.fillRect(x - tail / 2, y - 1.5, tail, 3);
      pen.globalAlpha = 1;
    }
    paintMark(pen, item.kind, item.severity, x, y, palette);
  }
  return order.length;
}

/** Wide marks first, so that they cover nothing; critical ones last. */
function paintRank({ fold, severity }: LaneItem): number {
  return (fold === undefined ? 2 : 0) + Number(severity === "critical");
}

/** A storm: how long it lasted, and a pile with its count. */
export function paintFold(
  pen: Pen,
  fold: NonNullable<LaneItem["fold"]> & { readonly kind: EventKind },
  { x, y }: { readonly x: number; readonly y: number },
  scale: TimeScale,
  palette: Palette,
): void {
  const colour = palette.kinds[fold.kind];
  const from = xOf(scale, fold.first);
  pen.globalAlpha = 0.45;
  pen.fillStyle = colour;
  pen.fillRect(from, y - 2.5, Math.max(2, xOf(scale, fold.last) - from), 5);
  pen.globalAlpha = 1;
  const width = 22 + markReach({ fold });
  pen.fillStyle = palette.background;
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  for (const offset of [3, 0]) {
    pen.beginPath();
    pen.roundRect(x - 11 + offset, y - 9 - offset, width, 18, 3);
    pen.fill();
    pen.stroke();
  }
  pen.fillStyle = palette.text;
  pen.font = `600 10.5px ${palette.font}`;
  pen.fillText(foldText(fold.count), x + 10, y + 3.8);
}

function paintMark(
  pen: Pen,
  kind: EventKind,
  severity: string,
  x: number,
  y: number,
  palette: Palette,
): void {
  const colour = palette.kinds[kind];
  traceGlyph(pen, kind, x, y, markSize);
  if (kind === "symptom" && severity === "info") {
    pen.fillStyle = palette.background;
    pen.fill();
    pen.strokeStyle = colour;
    pen.lineWidth = 1.5;
    pen.stroke();
  } else {
    pen.fillStyle = colour;
    pen.fill();
  }
  if (severity !== "critical") return;
  pen.strokeStyle = colour;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.arc(x, y, markSize + 3.5, 0, Math.PI * 2);
  pen.stroke();
}
