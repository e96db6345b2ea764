import { useEffect, useRef } from "preact/hooks";
import { batch } from "@preact/signals";
import { revealed } from "../state/commands.ts";
import { lanes } from "../state/lanes-state.ts";
import { laneArea, lanesHeight, laneScroll, tall } from "../state/scene-state.ts";
import { range, view, windowEvents } from "../state/timeline-state.ts";
import { formatMoment } from "../time/zone.ts";
import type { Lane } from "../timeline/lane-item.ts";
import { laneHeight } from "../timeline/scene.ts";
import { useElementSize } from "./element-size.ts";
import { LaneCanvas } from "./lane-canvas.tsx";
import { Link } from "./link.tsx";

/** The swim-lanes: labels in the page, everything else on canvas. */
export function LanesPanel() {
  const scroller = useRef<HTMLDivElement>(null);
  const plot = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const frame = useElementSize(scroller);
  const area = useElementSize(plot);
  const total = lanesHeight.value;
  const viewHeight = Math.min(frame.height, total);
  useEffect(() => {
    batch(() => {
      laneArea.value = { width: area.width, height: viewHeight };
    });
  }, [area.width, viewHeight]);
  useEffect(() => {
    if (body.current !== null) body.current.style.height = `${total}px`;
  }, [total]);
  const reveal = revealed.value;
  useEffect(() => scrollToSelection(scroller.current), [reveal, view.value.group]);
  return (
    <div
      class="lanes"
      ref={scroller}
      tabIndex={0}
      role="group"
      aria-label={describeLanes(lanes.value)}
      onScroll={(event) => void (laneScroll.value = event.currentTarget.scrollTop)}
    >
      <div class="lanes-body" ref={body}>
        <LaneLabels />
        <div class="lanes-plot" ref={plot}>
          <LaneCanvas height={viewHeight} label={describeLanes(lanes.value)} />
        </div>
      </div>
    </div>
  );
}

function scrollToSelection(scroller: HTMLElement | null): void {
  const { selected } = view.peek();
  if (scroller === null || selected === undefined) return;
  const index = lanes.peek().findIndex((lane) => lane.items.some((item) => item.id === selected));
  if (index === -1) return;
  const height = laneHeight(tall.peek());
  const top = index * height;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top + height > scroller.scrollTop + scroller.clientHeight) {
    scroller.scrollTop = top + height - scroller.clientHeight;
  }
}

/** The canvas in one sentence. */
function describeLanes(shown: readonly Lane[]): string {
  const { zone } = view.value;
  const { from, to } = range.value;
  const critical = windowEvents.value.filter((event) => event.severity === "critical").length;
  const count = windowEvents.value.length;
  return (
    `${count} ${count === 1 ? "event" : "events"} in ${shown.length} ${shown.length === 1 ? "lane" : "lanes"}, ` +
    `${formatMoment(from, zone)} to ${formatMoment(to, zone)}, ${critical} critical. ` +
    "The table below lists them; arrow keys move the cursor that both share."
  );
}

function LaneLabels() {
  const height = laneHeight(tall.value);
  const first = Math.max(0, Math.floor(laneScroll.value / height) - 2);
  const last = Math.ceil((laneScroll.value + laneArea.value.height) / height) + 2;
  return (
    <div class={`lane-labels${tall.value ? " tall" : ""}`}>
      {lanes.value.slice(first, last).map((lane, index) => (
        <LaneLabel key={lane.key} lane={lane} top={(first + index) * height} height={height} />
      ))}
    </div>
  );
}

function LaneLabel({ lane, top, height }: { lane: Lane; top: number; height: number }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (place.current === null) return;
    place.current.style.transform = `translateY(${top}px)`;
    place.current.style.height = `${height}px`;
  }, [top, height]);
  const { from, to } = range.value;
  const count = lane.items.filter((item) => item.at >= from && item.at < to).length;
  return (
    <div class={`lane-label${Math.round(top / height) % 2 === 1 ? " odd" : ""}`} ref={place}>
      <strong title={lane.label}>
        {lane.href === undefined ? lane.label : <Link href={lane.href}>{lane.label}</Link>}
      </strong>
      <span>
        {count.toLocaleString("en")}
        {tall.value ? (count === 1 ? " event" : " events") : ""}
        {lane.hint === undefined ? "" : ` · ${lane.hint}`}
      </span>
    </div>
  );
}
