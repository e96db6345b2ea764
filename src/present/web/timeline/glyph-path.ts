import type { EventKind } from "../../../model/event.ts";

/** The part of a 2D context that this folder draws with; a test can record it. */
export type Pen = Pick<
  CanvasRenderingContext2D,
  | "beginPath"
  | "moveTo"
  | "lineTo"
  | "arc"
  | "rect"
  | "closePath"
  | "fill"
  | "stroke"
  | "fillRect"
  | "strokeRect"
  | "clearRect"
  | "fillText"
  | "measureText"
  | "save"
  | "restore"
  | "clip"
  | "translate"
  | "roundRect"
  | "setLineDash"
  | "fillStyle"
  | "strokeStyle"
  | "lineWidth"
  | "font"
  | "textBaseline"
  | "textAlign"
  | "globalAlpha"
>;

/** Traces the kind's shape around (x, y): diamond, triangle, square, disc or bar. `size` is half its width. */
export function traceGlyph(pen: Pen, kind: EventKind, x: number, y: number, size: number): void {
  pen.beginPath();
  if (kind === "change") {
    pen.moveTo(x, y - size);
    pen.lineTo(x + size, y);
    pen.lineTo(x, y + size);
    pen.lineTo(x - size, y);
  } else if (kind === "symptom") {
    pen.moveTo(x, y - size);
    pen.lineTo(x + size, y + size * 0.78);
    pen.lineTo(x - size, y + size * 0.78);
  } else if (kind === "recovery") {
    pen.rect(x - size * 0.82, y - size * 0.82, size * 1.64, size * 1.64);
  } else if (kind === "human") {
    pen.arc(x, y, size * 0.88, 0, Math.PI * 2);
  } else {
    pen.rect(x - 1, y - size, 2, size * 2);
  }
  pen.closePath();
}
