import { useEffect, useRef, useState } from "preact/hooks";
import { useElementSize, preparePen } from "./element-size.ts";
import { laneArea, palette } from "../state/scene-state.ts";
import { announce } from "../state/announcer.ts";
import { overview, range, showRange, view } from "../state/timeline-state.ts";
import { formatLength } from "../time/length.ts";
import { formatMoment } from "../time/zone.ts";
import { dragBrush, gripAt, pressBrush, releaseBrush, type Brush } from "../timeline/brush.ts";
import { paintOverview } from "../timeline/overview.ts";
import { xOf, type TimeRange, type TimeScale } from "../timeline/time-scale.ts";

const heightPx = 64;

/** The mirrored histogram with its brush. Keys and typed times do the same for those who do not drag. */
export function OverviewPanel() {
  const holder = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width } = useElementSize(holder);
  const shown = overview.value;
  const colours = palette.value;
  const window = range.value;
  const drawWidth = laneArea.value.width || width;
  const scale: TimeScale = { ...(shown?.range ?? window), width: Math.max(drawWidth, 1) };
  useEffect(() => {
    if (canvas.current === null || colours === undefined || drawWidth === 0) return;
    const pen = preparePen(canvas.current, drawWidth, heightPx);
    if (shown === undefined) return;
    const bins = shown.histogram.bins.map((bin) => ({ at: Date.parse(bin.at), counts: bin.counts }));
    paintOverview(pen, scale, bins, shown.histogram.bin_ms, window, heightPx, colours);
  });
  return (
    <div class="row overview">
      <div class="gutter">
        <strong>Overview</strong>
        <span>
          changes above, symptoms below
          {shown === undefined ? "" : `, ${formatLength(shown.histogram.bin_ms)} bins`}
        </span>
      </div>
      <div class="overview-plot" ref={holder}>
        <canvas ref={canvas} role="img" aria-label={describeOverview(shown, view.value.zone)} />
        <BrushLayer scale={scale} window={window} />
      </div>
    </div>
  );
}

function describeOverview(shown: typeof overview.value, zone: string): string {
  if (shown === undefined) return "Overview, loading";
  const busiest = shown.histogram.bins.reduce<{ at: string; count: number } | undefined>((best, bin) => {
    const count = (bin.counts.change ?? 0) + (bin.counts.symptom ?? 0);
    return best === undefined || count > best.count ? { at: bin.at, count } : best;
  }, undefined);
  const span = `${formatMoment(shown.range.from, zone)} to ${formatMoment(shown.range.to, zone)}`;
  const peak =
    busiest === undefined || busiest.count === 0
      ? ""
      : `, most changes and symptoms around ${formatMoment(Date.parse(busiest.at), zone)}`;
  return `Overview: ${shown.histogram.total} events from ${span}${peak}`;
}

function BrushLayer({ scale, window }: { scale: TimeScale; window: TimeRange }) {
  const layer = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const half = useRef<HTMLDivElement>(null);
  const [brush, setBrush] = useState<Brush>({ state: "idle" });
  const origin = useRef<TimeRange>(window);
  useEffect(() => {
    const from = Math.max(-2, xOf(scale, window.from));
    const to = Math.min(scale.width + 2, xOf(scale, window.to));
    if (frame.current !== null) {
      frame.current.style.transform = `translateX(${from}px)`;
      frame.current.style.width = `${Math.max(to - from, 2)}px`;
      frame.current.hidden = to < 0 || from > scale.width;
    }
    if (half.current !== null && brush.state === "half") {
      half.current.style.transform = `translateX(${xOf(scale, brush.at)}px)`;
    }
  });
  const xIn = (event: PointerEvent) => event.clientX - (layer.current?.getBoundingClientRect().left ?? 0);
  return (
    <div
      class="brush"
      ref={layer}
      title="Drag, or click twice, to choose the window"
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        layer.current?.setPointerCapture(event.pointerId);
        origin.current = window;
        setBrush(pressBrush(brush, scale, window, xIn(event)));
      }}
      onPointerMove={(event) => {
        const x = xIn(event);
        if (layer.current !== null) layer.current.dataset["grip"] = gripAt(scale, window, x);
        if (brush.state !== "pressed") return;
        const step = dragBrush(brush, scale, origin.current, x);
        setBrush(step.brush);
        if (step.range !== undefined) showRange(step.range);
      }}
      onPointerUp={(event) => {
        const step = releaseBrush(brush, scale, xIn(event));
        setBrush(step.brush);
        if (step.range !== undefined) showRange(step.range);
        if (step.brush.state === "half") announce("First edge set. Click again for the other edge.");
      }}
      onPointerCancel={() => setBrush({ state: "idle" })}
    >
      <div class="brush-window" ref={frame} />
      {brush.state === "half" && <div class="brush-half" ref={half} />}
    </div>
  );
}
