import { placeLabels, type LabelRoom, type MeasureText, type PlacedLabel } from "./label-rows.ts";
import type { Lane } from "./lane-item.ts";
import { badgeText, badgeWidth, markReach, pictureLane, type LanePicture } from "./level-of-detail.ts";
import { joinSpans, type Span } from "./spans.ts";
import type { TimeScale } from "./time-scale.ts";

/** Where the parts of a lane lie, in CSS pixels from the lane's top. */
export const laneGeometry = {
  tall: { height: 62, markY: 15, sunkY: 34, labelY: [37, 51] as const },
  low: { height: 34, markY: 12, sunkY: 25, labelY: [] as readonly number[] },
  /** In a lane of columns the one row of labels stands beside its marks, above the columns. */
  besideY: 19,
  stackStep: 4,
} as const;

export interface LaneScene {
  readonly lane: Lane;
  readonly top: number;
  readonly height: number;
  readonly tall: boolean;
  readonly picture: LanePicture;
  readonly labels: readonly PlacedLabel[];
  readonly spans: readonly Span[];
}

/** Everything that is drawn, with positions; painting it needs no further decision. */
export interface Scene {
  readonly scale: TimeScale;
  readonly lanes: readonly LaneScene[];
  /** Height of all lanes together, also of those scrolled out of sight. */
  readonly height: number;
}

export interface SceneInput {
  readonly lanes: readonly Lane[];
  readonly scale: TimeScale;
  readonly keep: ReadonlySet<string>;
  readonly tall: boolean;
  /** The part in sight; only these lanes are laid out. */
  readonly scrollTop: number;
  readonly viewHeight: number;
  readonly measure: MeasureText;
}

export function laneHeight(tall: boolean): number {
  return tall ? laneGeometry.tall.height : laneGeometry.low.height;
}

const spanCache = new WeakMap<Lane, Span[]>();

function spansOf(lane: Lane): Span[] {
  let spans = spanCache.get(lane);
  if (spans === undefined) {
    spans = joinSpans(lane.items);
    spanCache.set(lane, spans);
  }
  return spans;
}

/** Lays out the lanes in sight. Pure but for a cache of joined spans per lane object. */
export function layoutScene(input: SceneInput): Scene {
  const { scale, lanes, tall } = input;
  const height = laneHeight(tall);
  const first = Math.max(0, Math.floor(input.scrollTop / height));
  const last = Math.min(lanes.length, Math.ceil((input.scrollTop + input.viewHeight) / height));
  const scenes = lanes.slice(first, last).map((lane, index): LaneScene => {
    const picture = pictureLane(lane.items, scale, input.keep);
    return {
      lane,
      top: (first + index) * height,
      height,
      tall,
      picture,
      labels: tall ? placeLabels(picture.marks, scale.width, input.measure, roomFor(picture)) : [],
      spans: spansOf(lane).filter((span) => span.to > scale.from && span.from < scale.to),
    };
  });
  return { scale, lanes: scenes, height: lanes.length * height };
}

/** Labels keep clear of badges in their row; in a lane of columns they stand beside their marks. */
function roomFor(picture: LanePicture): LabelRoom {
  if (picture.mode === "columns") {
    const marks = picture.marks.map((mark) => ({
      from: mark.x - 9,
      to: mark.x + 9 + markReach(mark.item),
    }));
    return { rows: 1, offsetPx: 12, taken: marks };
  }
  const sunk = picture.clusters.filter((cluster) => cluster.sunk);
  return {
    rows: 2,
    offsetPx: -4,
    taken: sunk.map((cluster) => ({
      from: cluster.x0 - 6,
      to: Math.max(cluster.x1, cluster.x0 + badgeWidth(badgeText(cluster.items))) + 6,
    })),
  };
}

/** How the items in the window are drawn, over all lanes: the parts add up to `total`. */
export interface SceneCounts {
  readonly marks: number;
  readonly clustered: number;
  readonly inColumns: number;
  readonly total: number;
}

export function countLanes(lanes: readonly Lane[], scale: TimeScale, keep: ReadonlySet<string>): SceneCounts {
  const counts = { marks: 0, clustered: 0, inColumns: 0, total: 0 };
  for (const lane of lanes) {
    const picture = pictureLane(lane.items, scale, keep);
    counts.marks += picture.marks.length;
    counts.clustered += picture.clusters.reduce((sum, cluster) => sum + cluster.items.length, 0);
    counts.inColumns += picture.columns.reduce((sum, column) => sum + column.total, 0);
    counts.total += picture.total;
  }
  return counts;
}

/** The mark of an item, if its lane is in sight and it is drawn by itself. */
export function findMark(scene: Scene, id: string): { x: number; y: number; lane: LaneScene } | undefined {
  for (const lane of scene.lanes) {
    const mark = lane.picture.marks.find((candidate) => candidate.item.id === id);
    if (mark !== undefined) return { x: mark.x, y: markY(lane, mark.stack), lane };
  }
  return undefined;
}

export function markY(lane: LaneScene, stack: number): number {
  const geometry = lane.tall ? laneGeometry.tall : laneGeometry.low;
  const step = lane.picture.mode === "columns" ? 0 : laneGeometry.stackStep;
  return lane.top + geometry.markY + stack * step;
}
