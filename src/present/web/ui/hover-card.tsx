import { useLayoutEffect, useRef } from "preact/hooks";
import { eventKinds } from "../../../model/event.ts";
import { freshIds } from "../state/live-stream.ts";
import { laneArea } from "../state/scene-state.ts";
import { view } from "../state/timeline-state.ts";
import { formatLength, formatPrecision } from "../time/length.ts";
import { formatClock, zoneName } from "../time/zone.ts";
import { blindSpanSentence } from "../timeline/blind-spans.ts";
import type { Hit } from "../timeline/hit-test.ts";
import { countSingle, foldText } from "../timeline/level-of-detail.ts";
import { Glyph, kindWords } from "./glyph.tsx";
import { formatCount } from "./number-words.ts";

/** What lies under the pointer; the table and the inspector say the same for those without one. */
export function HoverCard({ hit, x, y }: { hit: Hit; x: number; y: number }) {
  const card = useRef<HTMLDivElement>(null);
  const { width, height } = laneArea.value;
  useLayoutEffect(() => {
    const element = card.current;
    if (element === null) return;
    const left = x + 16 + element.offsetWidth > width ? x - element.offsetWidth - 14 : x + 16;
    const top = Math.min(y + 14, Math.max(4, height - element.offsetHeight - 4));
    element.style.transform = `translate(${Math.max(4, left)}px, ${top}px)`;
  });
  return (
    <div class="hover-card" ref={card} aria-hidden="true">
      <HitWords hit={hit} />
    </div>
  );
}

function HitWords({ hit }: { hit: Hit }) {
  const { zone } = view.value;
  if (hit.what === "lane") return null;
  if (hit.what === "hole") {
    return (
      <>
        <p class="hover-time">May be incomplete here</p>
        {hit.holes.slice(0, 3).map((hole) => (
          <p key={`${hole.connection} ${hole.from}`}>{blindSpanSentence(hole, zone)}</p>
        ))}
      </>
    );
  }
  if (hit.what === "mark") {
    const { item } = hit;
    const late = freshIds.value.get(item.id) ?? 0;
    return (
      <>
        <p class="hover-time">
          {item.fold === undefined
            ? `${formatClock(item.at, zone, "ms")} ${zoneName(item.at, zone)} ${formatPrecision(item.precisionMs)}`
            : `${formatClock(item.fold.first, zone, "ms")} – ${formatClock(item.fold.last, zone, "ms")} ${zoneName(item.at, zone)}`}
          {late > 0 && <span class="late">late +{formatLength(late)}</span>}
        </p>
        <p>{item.label}</p>
        <p class="hover-kind">
          <Glyph kind={item.kind} /> {kindWords[item.kind]}, {item.severity}
          {item.fold !== undefined && <strong>{foldText(item.fold.count)}</strong>}
        </p>
      </>
    );
  }
  const counts = hit.what === "column" ? hit.column.counts : countKinds(hit.cluster.items);
  const from = hit.what === "column" ? hit.column.from : (hit.cluster.items[0]?.at ?? 0);
  const to = hit.what === "column" ? hit.column.to : (hit.cluster.items.at(-1)?.at ?? 0);
  const total = hit.what === "column" ? hit.column.total : hit.cluster.items.length;
  const single = hit.what === "column" ? total : countSingle(hit.cluster.items);
  return (
    <>
      <p class="hover-time">
        {formatClock(from, zone, "ms")} – {formatClock(to, zone, "ms")} {zoneName(from, zone)}
      </p>
      <p>
        <strong>{total}</strong> events in {formatLength(to - from)}
        {single > total && `, which stand for ${formatCount(single)}`}; click zooms in
      </p>
      <p class="hover-kind">
        {eventKinds
          .filter((kind) => (counts[kind] ?? 0) > 0)
          .map((kind) => (
            <span key={kind}>
              <Glyph kind={kind} /> {counts[kind]} {kindWords[kind].toLowerCase()}
            </span>
          ))}
      </p>
    </>
  );
}

function countKinds(items: readonly { readonly kind: (typeof eventKinds)[number] }[]) {
  const counts: Partial<Record<(typeof eventKinds)[number], number>> = {};
  for (const item of items) counts[item.kind] = (counts[item.kind] ?? 0) + 1;
  return counts;
}
