import { useLayoutEffect, useRef } from "preact/hooks";
import { scale, ticks } from "../state/scene-state.ts";
import { range, view } from "../state/timeline-state.ts";
import { browserZone, formatClock, formatDate, formatOffset, zoneName } from "../time/zone.ts";
import type { Tick } from "../time/ticks.ts";
import { xOf } from "../timeline/time-scale.ts";

/** Two clocks: the chosen zone in bold, and UTC (or the browser's own zone) below it. */
export function AxisRow() {
  const { zone } = view.value;
  const { from, to } = range.value;
  const own = browserZone();
  const second = zone === "UTC" ? (own === "UTC" ? undefined : own) : "UTC";
  const step = (ticks.value[1]?.at ?? to) - (ticks.value[0]?.at ?? from);
  return (
    <div class="row axis">
      <div class="gutter">
        <strong>
          {zoneName(from, zone)}
          {zone === "UTC" || zoneName(from, zone).startsWith("UTC") ? "" : ` ${formatOffset(from, zone)}`}
        </strong>
        {second !== undefined && <span>{zoneName(from, second)}</span>}
      </div>
      <div class="axis-plot">
        {ticks.value.map((tick) => (
          <AxisTick key={tick.at} tick={tick} step={step} second={second} zone={zone} />
        ))}
      </div>
    </div>
  );
}

function AxisTick(props: { tick: Tick; step: number; second: string | undefined; zone: string }) {
  const { tick, step, second, zone } = props;
  const place = useRef<HTMLDivElement>(null);
  const x = xOf(scale.value, tick.at);
  const room = scale.value.width - x;
  const roomy = (step / (range.value.to - range.value.from)) * scale.value.width > 128;
  useLayoutEffect(() => {
    if (place.current !== null) place.current.style.transform = `translateX(${Math.round(x)}px)`;
  }, [x]);
  const precision = step < 1000 ? "ms" : step < 60_000 ? "second" : "minute";
  return (
    <div class="tick" ref={place}>
      {room > 44 && (
        <>
          <span class="tick-main">
            {tick.label}
            {tick.day !== undefined && step < 86_400_000 && roomy && room > 130 && (
              <span class="tick-day"> {formatDate(tick.at, zone)}</span>
            )}
          </span>
          {second !== undefined && (
            <span class="tick-second">
              {formatClock(tick.at, second, precision)}
              {second === "UTC" ? "Z" : ""}
            </span>
          )}
        </>
      )}
    </div>
  );
}
