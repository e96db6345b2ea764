import type { BlindSpan } from "./blind-spans.ts";
import type { LaneItem } from "./lane-item.ts";
import { badgeText, badgeWidth, markReach, type Cluster, type Column } from "./level-of-detail.ts";
import { markY, type LaneScene, type Scene } from "./scene.ts";
import { xOf, type TimeScale } from "./time-scale.ts";

/** What lies under a point of the lanes. */
export type Hit =
  | { readonly what: "mark"; readonly item: LaneItem; readonly x: number; readonly y: number }
  | { readonly what: "cluster"; readonly cluster: Cluster; readonly lane: LaneScene }
  | { readonly what: "column"; readonly column: Column; readonly lane: LaneScene }
  | { readonly what: "hole"; readonly holes: readonly BlindSpan[]; readonly lane: LaneScene }
  | { readonly what: "lane"; readonly lane: LaneScene };

/** Marks are hit from this far away, so that the target is 24 pixels wide. */
const reachPx = 12;

/** The point is in CSS pixels from the left edge and from the top of the first lane. */
export function hitScene(scene: Scene, x: number, y: number): Hit | undefined {
  const lane = scene.lanes.find((candidate) => y >= candidate.top && y < candidate.top + candidate.height);
  if (lane === undefined) return undefined;
  let best: Hit | undefined;
  let bestDistance = reachPx;
  for (const mark of lane.picture.marks) {
    const at = markY(lane, mark.stack);
    // The count beside a fold is part of its mark.
    const beside = Math.max(0, Math.min(x - mark.x, markReach(mark.item)));
    const distance = Math.max(Math.abs(mark.x + beside - x), Math.abs(at - y) / 1.5);
    if (distance <= bestDistance) {
      best = { what: "mark", item: mark.item, x: mark.x, y: at };
      bestDistance = distance;
    }
  }
  if (best !== undefined && bestDistance <= reachPx / 2) return best;
  const cluster = lane.picture.clusters.find(
    (candidate) => x >= candidate.x0 - 6 && x <= clusterEnd(candidate) + 6,
  );
  if (cluster !== undefined && y < lane.top + (cluster.sunk ? 44 : 28))
    return { what: "cluster", cluster, lane };
  if (best !== undefined) return best;
  const label = labelUnder(lane, x, y);
  if (label !== undefined) return label;
  const column = lane.picture.columns.find(
    (candidate) => x >= candidate.x && x < candidate.x + candidate.width,
  );
  if (column !== undefined) return { what: "column", column, lane };
  const holes = holesUnder(lane, scene.scale, x);
  return holes.length > 0 ? { what: "hole", holes, lane } : { what: "lane", lane };
}

function holesUnder(lane: LaneScene, scale: TimeScale, x: number): readonly BlindSpan[] {
  const holes = lane.lane.holes ?? [];
  return holes.filter((hole) => x >= xOf(scale, hole.from) - 2 && x <= xOf(scale, hole.to) + 2);
}

function labelUnder(lane: LaneScene, x: number, y: number): Hit | undefined {
  for (const label of lane.labels) {
    const top = lane.top + (lane.picture.mode === "columns" ? 10 : label.row === 0 ? 28 : 42);
    if (y < top || y >= top + 14 || x < label.x || x > label.x + label.text.length * 6.2) continue;
    return { what: "mark", item: label.mark.item, x: label.mark.x, y: markY(lane, label.mark.stack) };
  }
  return undefined;
}

/** The right edge of a cluster's badge, which is never narrower than its number. */
export function clusterEnd(cluster: Cluster): number {
  return Math.max(cluster.x1, cluster.x0 + badgeWidth(badgeText(cluster.items)));
}
