import type { EventKind } from "../../../model/event.ts";
import { firstAtOrAfter, rankSeverity, type LaneItem } from "./lane-item.ts";
import { msPerPx, xOf, type TimeScale } from "./time-scale.ts";

/** An event drawn at its own time. `stack` moves it down where marks would cover each other. */
export interface Mark {
  readonly item: LaneItem;
  readonly x: number;
  readonly stack: number;
}

/** Marks too close to tell apart: a count over the span that they really take. */
export interface Cluster {
  readonly x0: number;
  readonly x1: number;
  readonly items: readonly LaneItem[];
  /** Drawn below the marks, because a mark that must stay visible lies in the same place. */
  readonly sunk: boolean;
}

/** One column of a crowded lane: how many of each kind fall into [from, to). */
export interface Column {
  readonly from: number;
  readonly to: number;
  readonly x: number;
  readonly width: number;
  readonly counts: Readonly<Record<EventKind, number>>;
  readonly total: number;
}

/** What is drawn of one lane. Every item in the window is in exactly one of the three. */
export interface LanePicture {
  readonly mode: "marks" | "columns";
  readonly marks: readonly Mark[];
  readonly clusters: readonly Cluster[];
  readonly columns: readonly Column[];
  readonly total: number;
}

export interface DetailRules {
  /** Columns are this wide, gap included. */
  readonly columnPx: number;
  /** This many marks within {@link clusterPx} become a cluster. */
  readonly clusterCount: number;
  readonly clusterPx: number;
  /** Storms closer than this, which is about as wide as their counts are, become one pile. */
  readonly pilePx: number;
  /** Marks closer than this are moved below each other. */
  readonly markPx: number;
  readonly stacksMax: number;
  /** More than this many items in badges, and most of a lane, are better shown as columns. */
  readonly clusteredMax: number;
}

export const detailRules: DetailRules = {
  columnPx: 4,
  clusterCount: 4,
  clusterPx: 24,
  pilePx: 64,
  markPx: 10,
  stacksMax: 3,
  clusteredMax: 40,
};

/** How wide a badge with this text is; a badge swallows the marks that it would cover. */
export function badgeWidth(text: string): number {
  return 15 + 7 * text.length;
}

/** `×4,212`: how many single events an item stands for. */
export function foldText(count: number): string {
  return `×${count.toLocaleString("en")}`;
}

/** How many items a badge holds; where storms are among them, how many single events they all are. */
export function badgeText(items: readonly LaneItem[]): string {
  return items.some((item) => item.fold !== undefined) ? foldText(countSingle(items)) : String(items.length);
}

/** Single events behind the items, those that stand for themselves included. */
export function countSingle(items: readonly LaneItem[]): number {
  return items.reduce((sum, item) => sum + (item.fold?.count ?? 1), 0);
}

/** How far a mark reaches to the right beyond its shape: a fold shows its count. */
export function markReach(item: Pick<LaneItem, "fold">): number {
  return item.fold === undefined ? 0 : 2 + 6.6 * foldText(item.fold.count).length;
}

/** Items that must never be averaged away: critical ones, those that stand for many, and those in `keep`. */
export function mustStay(item: LaneItem, keep: ReadonlySet<string>): boolean {
  return item.severity === "critical" || item.fold !== undefined || keep.has(item.id);
}

/** Decides for one lane what is drawn one by one and what together. `items` are in order of time. */
export function pictureLane(
  items: readonly LaneItem[],
  scale: TimeScale,
  keep: ReadonlySet<string>,
  rules: DetailRules = detailRules,
): LanePicture {
  const visible = items.slice(firstAtOrAfter(items, scale.from), firstAtOrAfter(items, scale.to));
  const kept = visible.filter((item) => mustStay(item, keep));
  const ordinary = visible.filter((item) => !mustStay(item, keep));
  const near = clusterItems(ordinary, scale, rules);
  const rare = keepApart(kept, keep, scale, rules);
  if (isCrowded(visible.length, ordinary.length - near.single.length, scale, rules)) {
    return {
      mode: "columns",
      marks: stackMarks(rare.marks, scale, rules),
      clusters: rare.clusters,
      columns: countColumns(ordinary, scale, rules),
      total: visible.length,
    };
  }
  const single = [...near.single, ...rare.marks].toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const marks = stackMarks(single, scale, rules);
  const taken = marks.map(takenByMark);
  return {
    mode: "marks",
    marks,
    clusters: [
      ...near.clusters.map((cluster) =>
        sinkUnder(cluster, [...taken, ...rare.clusters.map(takenByCluster)], rules),
      ),
      ...rare.clusters.map((cluster) => sinkUnder(cluster, taken, rules)),
    ],
    columns: [],
    total: visible.length,
  };
}

/** A lane turns to columns when it has too many items, or when badges would hide most of them. */
function isCrowded(visible: number, clustered: number, scale: TimeScale, rules: DetailRules): boolean {
  if (visible > scale.width / rules.columnPx) return true;
  return clustered > rules.clusteredMax && clustered > visible / 2;
}

/**
 * Criticals and storms stay visible one by one unless they cover each other themselves; then their cluster is
 * critical, or counts what all its storms stand for.
 */
function keepApart(
  kept: readonly LaneItem[],
  keep: ReadonlySet<string>,
  scale: TimeScale,
  rules: DetailRules,
): { marks: LaneItem[]; clusters: Cluster[] } {
  const named = kept.filter((item) => keep.has(item.id));
  const others = kept.filter((item) => !keep.has(item.id));
  const near = clusterItems(
    others.filter((item) => item.fold === undefined),
    scale,
    { ...rules, clusterCount: rules.stacksMax + 1, clusterPx: rules.markPx },
  );
  const piles = clusterItems(
    others.filter((item) => item.fold !== undefined),
    scale,
    { ...rules, clusterCount: 2, clusterPx: rules.pilePx },
  );
  const marks = [...near.single, ...piles.single, ...named].toSorted(
    (a, b) => a.at - b.at || (a.id < b.id ? -1 : 1),
  );
  return { marks, clusters: [...near.clusters, ...piles.clusters] };
}

/** What a badge must not cover, from left to right. */
interface Taken {
  readonly from: number;
  readonly to: number;
}

function takenByMark({ item, x }: Mark): Taken {
  return { from: x, to: x + markReach(item) };
}

function takenByCluster({ items, x0, x1 }: Cluster): Taken {
  return { from: x0, to: Math.max(x1, x0 + badgeWidth(badgeText(items))) };
}

function sinkUnder(cluster: Cluster, taken: readonly Taken[], rules: DetailRules): Cluster {
  const own = takenByCluster(cluster);
  const covers = taken.some(({ from, to }) => to >= own.from - rules.markPx && from <= own.to + rules.markPx);
  return covers ? { ...cluster, sunk: true } : cluster;
}

function clusterItems(
  items: readonly LaneItem[],
  scale: TimeScale,
  rules: DetailRules,
): { single: LaneItem[]; clusters: Cluster[] } {
  const single: LaneItem[] = [];
  const clusters: Cluster[] = [];
  let start = 0;
  while (start < items.length) {
    const x0 = xOf(scale, items[start]?.at ?? 0);
    let end = start + 1;
    const near = (index: number, px: number) =>
      index < items.length && xOf(scale, items[index]?.at ?? 0) - x0 <= px;
    while (near(end, rules.clusterPx)) end++;
    if (end - start >= rules.clusterCount) {
      while (near(end, badgeWidth(String(end - start)) + rules.markPx + 4)) end++;
      const group = items.slice(start, end);
      clusters.push({ x0, x1: xOf(scale, group.at(-1)?.at ?? 0), items: group, sunk: false });
      start = end;
    } else {
      single.push(...items.slice(start, start + 1));
      start += 1;
    }
  }
  return { single, clusters };
}

function stackMarks(items: readonly LaneItem[], scale: TimeScale, rules: DetailRules): Mark[] {
  const lastX: number[] = [];
  return items.map((item) => {
    const x = xOf(scale, item.at);
    let stack = lastX.findIndex((last) => x - last >= rules.markPx);
    if (stack === -1) stack = lastX.length < rules.stacksMax + 1 ? lastX.length : leastCovered(lastX);
    lastX[stack] = x + markReach(item);
    return { item, x, stack };
  });
}

function leastCovered(lastX: readonly number[]): number {
  return lastX.reduce((best, x, index) => (x < (lastX[best] ?? Infinity) ? index : best), 0);
}

/** The width of a column in time: a power of two, so that columns keep still while the window moves. */
export function columnMs(scale: TimeScale, columnPx: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(msPerPx(scale) * columnPx, 1)));
}

function countColumns(items: readonly LaneItem[], scale: TimeScale, rules: DetailRules): Column[] {
  const width = columnMs(scale, rules.columnPx);
  const byStart = new Map<number, Record<EventKind, number>>();
  for (const item of items) {
    const from = Math.floor(item.at / width) * width;
    let counts = byStart.get(from);
    if (counts === undefined) {
      counts = { change: 0, symptom: 0, recovery: 0, human: 0, activity: 0 };
      byStart.set(from, counts);
    }
    counts[item.kind]++;
  }
  return [...byStart].map(([from, counts]) => ({
    from,
    to: from + width,
    x: xOf(scale, from),
    width: xOf(scale, from + width) - xOf(scale, from),
    counts,
    total: counts.change + counts.symptom + counts.recovery + counts.human + counts.activity,
  }));
}

/** The kind that a cluster shows: the gravest symptom first, then whatever there is most of. */
export function leadingKind(items: readonly LaneItem[]): EventKind {
  const counts = new Map<EventKind, number>();
  for (const item of items) counts.set(item.kind, (counts.get(item.kind) ?? 0) + 1);
  if (counts.has("symptom")) return "symptom";
  if (counts.has("change")) return "change";
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? "activity";
}

export function gravest(items: readonly LaneItem[]): LaneItem["severity"] {
  return items.reduce<LaneItem["severity"]>(
    (worst, item) => (rankSeverity(item.severity) > rankSeverity(worst) ? item.severity : worst),
    "info",
  );
}
