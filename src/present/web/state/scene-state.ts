import { computed, signal } from "@preact/signals";
import { keptIds, lanes } from "./lanes-state.ts";
import { range, view } from "./timeline-state.ts";
import { timeTicks } from "../time/ticks.ts";
import { readPalette, type Palette } from "../timeline/palette.ts";
import { countLanes, laneGeometry, laneHeight, layoutScene } from "../timeline/scene.ts";
import type { TimeScale } from "../timeline/time-scale.ts";

/** The drawing area of the lanes in CSS pixels; the axis and the overview use the same width. */
export const laneArea = signal({ width: 0, height: 0 });
export const laneScroll = signal(0);
export const palette = signal<Palette | undefined>(undefined);

/** Lanes get room for labels while there are few of them. */
const tallLanesMax = 9;

export const scale = computed<TimeScale>(() => ({
  ...range.value,
  width: Math.max(laneArea.value.width, 1),
}));
export const tall = computed(() => lanes.value.length <= tallLanesMax);
export const lanesHeight = computed(() => lanes.value.length * laneHeight(tall.value));
export const ticks = computed(() =>
  timeTicks(
    range.value.from,
    range.value.to,
    scale.value.width,
    view.value.zone,
    scale.value.width < 500 ? 64 : 96,
  ),
);

const widths = new Map<string, number>();
let ruler: CanvasRenderingContext2D | null | undefined;

function measure(text: string): number {
  let width = widths.get(text);
  if (width === undefined) {
    ruler ??= document.createElement("canvas").getContext("2d");
    if (!ruler) return text.length * 6;
    ruler.font = `400 11px ${palette.peek()?.font ?? "sans-serif"}`;
    width = ruler.measureText(text).width;
    if (widths.size > 20_000) widths.clear();
    widths.set(text, width);
  }
  return width;
}

export const scene = computed(() =>
  layoutScene({
    lanes: lanes.value,
    scale: scale.value,
    keep: keptIds.value,
    tall: tall.value,
    scrollTop: laneScroll.value,
    viewHeight: laneArea.value.height || laneGeometry.tall.height,
    measure,
  }),
);

/** How the window's events are drawn, over all lanes. */
export const sceneCounts = computed(() => countLanes(lanes.value, scale.value, keptIds.value));

/** Reads the colours now, and again when the theme, the system's preference or the font changes. */
export function followPalette(root: HTMLElement): () => void {
  const read = () => {
    widths.clear();
    palette.value = readPalette(root);
  };
  read();
  void document.fonts.ready.then(read);
  const observer = new MutationObserver(read);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  const queries = ["(prefers-color-scheme: dark)", "(forced-colors: active)"].map((query) =>
    matchMedia(query),
  );
  for (const query of queries) query.addEventListener("change", read);
  return () => {
    observer.disconnect();
    for (const query of queries) query.removeEventListener("change", read);
  };
}
