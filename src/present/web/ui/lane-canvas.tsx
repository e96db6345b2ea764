import { useEffect, useRef, useState } from "preact/hooks";
import { pointerAt, selectEvent } from "../state/commands.ts";
import { candidateRanks, selectedItem, whatElse } from "../state/lanes-state.ts";
import { freshIds, pointerInside } from "../state/live-stream.ts";
import { lastReceivedAt, streamConnected } from "../state/stream-connection.ts";
import { laneArea, laneScroll, palette, scene, ticks } from "../state/scene-state.ts";
import { now, range, showRange, view } from "../state/timeline-state.ts";
import { hitScene, type Hit } from "../timeline/hit-test.ts";
import { paintOverlay } from "../timeline/overlay.ts";
import { paintScene } from "../timeline/painter.ts";
import { panBy, tidyRange, timeAt, zoomAround, type TimeRange } from "../timeline/time-scale.ts";
import { preparePen } from "./element-size.ts";
import { HoverCard } from "./hover-card.tsx";
import { MeasureMenu } from "./measure-menu.tsx";

const dragPx = 4;

/** Two canvases: the ground, repainted when the window changes, and a thin one for what follows the pointer. */
export function LaneCanvas({ height, label }: { height: number; label: string }) {
  const holder = useRef<HTMLDivElement>(null);
  const ground = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const [hover, setHover] = useState<{ hit: Hit; x: number; y: number } | undefined>(undefined);
  const [measured, setMeasured] = useState<{ range: TimeRange; done: boolean } | undefined>(undefined);
  useGround(ground, height);
  useOverlay(overlay, height, measured?.range);
  useWheel(holder);
  const pointer = usePointer(holder, setHover, setMeasured);
  return (
    <div class="lane-canvas" ref={holder} {...pointer}>
      <canvas ref={ground} role="img" aria-label={label} />
      <canvas ref={overlay} class="overlay" aria-hidden="true" />
      {hover !== undefined && measured === undefined && <HoverCard hit={hover.hit} x={hover.x} y={hover.y} />}
      {measured !== undefined && (
        <MeasureMenu range={measured.range} done={measured.done} close={() => setMeasured(undefined)} />
      )}
    </div>
  );
}

function useGround(canvas: { current: HTMLCanvasElement | null }, height: number): void {
  const drawn = scene.value;
  const colours = palette.value;
  const lines = ticks.value;
  const { width } = laneArea.value;
  const top = laneScroll.value;
  useEffect(() => {
    if (canvas.current === null || colours === undefined || width === 0) return undefined;
    const element = canvas.current;
    const frame = requestAnimationFrame(() => {
      const pen = preparePen(element, width, height);
      pen.translate(0, -top);
      paintScene(pen, drawn, colours, lines, height);
    });
    return () => cancelAnimationFrame(frame);
  }, [drawn, colours, lines, width, height, top]);
}

function useOverlay(
  canvas: { current: HTMLCanvasElement | null },
  height: number,
  measured: TimeRange | undefined,
): void {
  const drawn = scene.value;
  const colours = palette.value;
  const { width } = laneArea.value;
  const top = laneScroll.value;
  const { live, elseOf } = view.value;
  const answer = whatElse.value;
  const state = {
    selected: selectedItem.value,
    lookedBack:
      answer !== undefined && answer.of === elseOf
        ? { from: Date.parse(answer.answer.window.from), to: Date.parse(answer.answer.target.at) }
        : undefined,
    ranks: candidateRanks.value,
    pointerAt: pointerAt.value,
    measured,
    now: live
      ? {
          at: streamConnected.value ? now.value : (lastReceivedAt.value ?? now.value),
          connected: streamConnected.value,
        }
      : undefined,
    fresh: new Set(freshIds.value.keys()),
  };
  useEffect(() => {
    if (canvas.current === null || colours === undefined || width === 0) return undefined;
    const element = canvas.current;
    const frame = requestAnimationFrame(() => {
      const pen = preparePen(element, width, height);
      pen.translate(0, -top);
      paintOverlay(pen, drawn, state, colours, { top, height });
    });
    return () => cancelAnimationFrame(frame);
  });
}

/** Wheel with Ctrl zooms at the pointer, sideways or with Shift it pans; a plain wheel scrolls the lanes. */
function useWheel(holder: { current: HTMLElement | null }): void {
  useEffect(() => {
    const element = holder.current;
    if (element === null) return undefined;
    const turn = (event: WheelEvent) => {
      const box = element.getBoundingClientRect();
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        const at = timeAt({ ...range.peek(), width: box.width }, event.clientX - box.left);
        showRange(zoomAround(range.peek(), at, Math.exp(event.deltaY * 0.0025)));
      } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        showRange(panBy(range.peek(), (event.deltaX || event.deltaY) / Math.max(box.width, 1)));
      }
    };
    element.addEventListener("wheel", turn, { passive: false });
    return () => element.removeEventListener("wheel", turn);
  }, [holder]);
}

function inMenu(event: PointerEvent): boolean {
  return event.target instanceof Element && event.target.closest(".measure") !== null;
}

type SetHover = (hover: { hit: Hit; x: number; y: number } | undefined) => void;
type SetMeasured = (measured: { range: TimeRange; done: boolean } | undefined) => void;

function usePointer(holder: { current: HTMLElement | null }, setHover: SetHover, setMeasured: SetMeasured) {
  const press = useRef<
    { x: number; at: number; origin: TimeRange; touch: boolean; moved: boolean } | undefined
  >(undefined);
  const place = (event: PointerEvent) => {
    const box = holder.current?.getBoundingClientRect();
    return { x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) };
  };
  return {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0 || inMenu(event)) return;
      const { x } = place(event);
      setMeasured(undefined);
      press.current = {
        x,
        at: timeAt(scene.peek().scale, x),
        origin: range.peek(),
        touch: event.pointerType === "touch",
        moved: false,
      };
    },
    onPointerMove: (event: PointerEvent) => {
      const { x, y } = place(event);
      const { scale } = scene.peek();
      pointerAt.value = timeAt(scale, x);
      const held = press.current;
      if (held === undefined) {
        const hit = inMenu(event) ? undefined : hitScene(scene.peek(), x, y + laneScroll.peek());
        setHover(hit === undefined || hit.what === "lane" ? undefined : { hit, x, y });
        return;
      }
      if (!held.moved && Math.abs(x - held.x) < dragPx) return;
      if (!held.moved) holder.current?.setPointerCapture(event.pointerId);
      held.moved = true;
      if (held.touch) {
        const shift = ((held.x - x) / scale.width) * (held.origin.to - held.origin.from);
        showRange({ from: held.origin.from + shift, to: held.origin.to + shift });
      } else {
        setMeasured({ range: tidyRange(held.at, timeAt(scale, x)), done: false });
      }
    },
    onPointerUp: (event: PointerEvent) => {
      const held = press.current;
      press.current = undefined;
      if (held === undefined) return;
      const { x, y } = place(event);
      if (held.moved) {
        if (!held.touch)
          setMeasured({ range: tidyRange(held.at, timeAt(scene.peek().scale, x)), done: true });
        return;
      }
      takeHit(hitScene(scene.peek(), x, y + laneScroll.peek()));
      setHover(undefined);
    },
    onPointerEnter: () => void (pointerInside.value = true),
    onPointerLeave: () => {
      pointerInside.value = false;
      pointerAt.value = undefined;
      setHover(undefined);
    },
    onPointerCancel: () => void (press.current = undefined),
  };
}

/** A click selects a mark, and zooms into what stands for many. */
function takeHit(hit: Hit | undefined): void {
  if (hit === undefined || hit.what === "lane" || hit.what === "hole") return;
  if (hit.what === "mark") {
    selectEvent(hit.item.id, hit.item.at);
    return;
  }
  if (hit.what === "column") {
    const span = hit.column.to - hit.column.from;
    showRange({ from: hit.column.from - span * 2, to: hit.column.to + span * 2 });
    return;
  }
  const items = hit.cluster.items;
  const [from, to] = [items[0]?.at ?? 0, items.at(-1)?.at ?? 0];
  // What happened at one moment no zoom takes apart; the table lists it from its first.
  if (from === to && items[0] !== undefined) {
    selectEvent(items[0].id, from);
    return;
  }
  const air = Math.max((to - from) * 0.25, 50);
  showRange({ from: from - air, to: to + air });
}
