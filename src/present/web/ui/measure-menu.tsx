import { useLayoutEffect, useRef } from "preact/hooks";
import { comparePath } from "../state/asked-path.ts";
import { copyLink } from "../state/commands.ts";
import { scale } from "../state/scene-state.ts";
import { showRange, view, windowEvents } from "../state/timeline-state.ts";
import { formatLength } from "../time/length.ts";
import { xOf, type TimeRange } from "../timeline/time-scale.ts";
import { Link } from "./link.tsx";

/** A span dragged over the lanes: how long it is, and what can be done with it. */
export function MeasureMenu({ range, done, close }: { range: TimeRange; done: boolean; close: () => void }) {
  const menu = useRef<HTMLDivElement>(null);
  const middle = (xOf(scale.value, range.from) + xOf(scale.value, range.to)) / 2;
  useLayoutEffect(() => {
    const element = menu.current;
    if (element === null) return;
    const left = Math.min(
      Math.max(middle - element.offsetWidth / 2, 4),
      scale.value.width - element.offsetWidth - 4,
    );
    element.style.transform = `translateX(${left}px)`;
    if (done) element.querySelector("button")?.focus();
  }, [middle, done]);
  const inside = windowEvents.value.filter((event) => {
    const at = Date.parse(event.occurred_at);
    return at >= range.from && at < range.to;
  }).length;
  return (
    <div
      class="measure"
      ref={menu}
      role="group"
      aria-label="Measured span"
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.preventDefault();
        close();
      }}
    >
      <span>
        <strong>Δ {formatLength(range.to - range.from)}</strong> · {inside} events
      </span>
      {done && (
        <>
          <button
            type="button"
            class="control"
            onClick={() => {
              showRange(range);
              close();
            }}
          >
            Zoom here
          </button>
          <Link class="control" href={comparePath(range, view.value)}>
            What stands out?
          </Link>
          <button type="button" class="control quiet" onClick={() => void copyLink().then(close)}>
            Copy link
          </button>
          <button type="button" class="control quiet" onClick={close}>
            Clear
          </button>
        </>
      )}
    </div>
  );
}
