import { describe, expect, it } from "vitest";
import type { Lane, LaneItem } from "./lane-item.ts";
import { hitScene } from "./hit-test.ts";
import { paintOverview } from "./overview.ts";
import { paintScene } from "./painter.ts";
import type { Palette } from "./palette.ts";
import { RecordingPen } from "./recording-pen.ts";
import { countLanes, findMark, layoutScene, type SceneInput } from "./scene.ts";
import { paintOverlay } from "./overlay.ts";

const palette: Palette = {
  kinds: { change: "blue", symptom: "orange", recovery: "green", human: "purple", activity: "grey" },
  background: "bg",
  lane: "lane",
  line: "line",
  control: "control",
  text: "text",
  dim: "dim",
  accent: "accent",
  accentWash: "wash",
  impactWash: "impact",
  hatch: "hatch",
  critical: "critical",
  font: "sans",
};

function item(id: string, at: number, more: Partial<LaneItem> = {}): LaneItem {
  return {
    id,
    at,
    kind: "change",
    severity: "info",
    precisionMs: 0,
    label: `label ${id}`,
    subject: id,
    ...more,
  };
}

function sceneOf(lanes: Lane[], more: Partial<SceneInput> = {}) {
  return layoutScene({
    lanes,
    scale: { from: 0, to: 100_000, width: 1000 },
    keep: new Set(),
    tall: true,
    scrollTop: 0,
    viewHeight: 400,
    measure: (text) => text.length * 6,
    ...more,
  });
}

const lanes: Lane[] = [
  {
    key: "a",
    label: "A",
    items: [
      item("one", 10_000),
      item("two", 30_000, { kind: "symptom", severity: "critical", precisionMs: 6000, subject: "web" }),
      item("three", 60_000, { kind: "recovery", subject: "web" }),
    ],
    unknownFrom: 80_000,
  },
  { key: "b", label: "B", items: [item("four", 50_000, { kind: "human" })] },
];

describe("painting the lanes", () => {
  it("draws every mark once and reports what it drew", () => {
    const recording = new RecordingPen();
    const painted = paintScene(recording.pen, sceneOf(lanes), palette, [], 400);
    expect(painted).toEqual({ marks: 4, clusters: 0, columns: 0, labels: 4 });
    expect(recording.named("fillText")).toHaveLength(4);
  });

  it("hatches what no source vouches for, from exactly there on", () => {
    const recording = new RecordingPen();
    paintScene(recording.pen, sceneOf(lanes), palette, [], 400);
    const clips = recording.calls.filter(
      (call, index) => recording.calls[index + 1]?.name === "clip" && call.name === "rect",
    );
    expect(clips.map((call) => call.args[0])).toEqual([800]);
  });

  it("hatches each hole of a lane, however short", () => {
    const holes = [
      { connection: "nova", from: 20_000, to: 40_000 },
      { connection: "cinder", from: 30_000, to: 45_000 },
      { connection: "nova", from: 90_000, to: 90_001 },
    ];
    const recording = new RecordingPen();
    paintScene(
      recording.pen,
      sceneOf([{ key: "a", label: "A", items: [item("one", 10_000)], holes }]),
      palette,
      [],
      400,
    );
    const clips = recording.calls.filter(
      (call, index) => recording.calls[index + 1]?.name === "clip" && call.name === "rect",
    );
    expect(clips.map((call) => [call.args[0], call.args[2]])).toEqual([
      [200, 250],
      [900, 3],
    ]);
  });

  it("draws a storm with its count and for as long as it lasted, and storms at one time as one pile", () => {
    const storm = (id: string, at: number, count: number) =>
      item(id, at, { kind: "symptom", precisionMs: 60_000, fold: { count, first: at, last: at + 20_000 } });
    const texts = (items: LaneItem[]) => {
      const recording = new RecordingPen();
      paintScene(recording.pen, sceneOf([{ key: "a", label: "A", items }]), palette, [], 400);
      const lasting = recording.named("fillRect").filter((call) => call.args[3] === 5);
      const counts = recording.named("fillText").map((call) => String(call.args[0]));
      return {
        lasting: lasting.map((call) => call.args[2]),
        counts: counts.filter((text) => /×/.test(text)),
      };
    };
    expect(texts([storm("one", 10_000, 4212)])).toEqual({ lasting: [200], counts: ["×4,212"] });
    expect(texts([storm("one", 10_000, 4212), storm("two", 10_000, 8)]).counts).toEqual(["×4,220"]);
  });

  it("tints a symptom until the recovery of the same subject, and nothing else", () => {
    const recording = new RecordingPen();
    paintScene(recording.pen, sceneOf(lanes), palette, [], 400);
    const washes = recording.named("fillRect").filter((call) => call.fill === "impact");
    expect(washes.map((call) => [call.args[0], call.args[2]])).toEqual([[300, 300]]);
  });

  it("draws a tail as wide as the time is vague", () => {
    const recording = new RecordingPen();
    paintScene(recording.pen, sceneOf(lanes), palette, [], 400);
    const tails = recording.named("fillRect").filter((call) => call.fill === "orange" && call.args[3] === 3);
    expect(tails.map((call) => [call.args[0], call.args[2]])).toEqual([[270, 60]]);
  });

  it("lays out only the lanes in sight, and counts all of them", () => {
    const many = Array.from({ length: 300 }, (_, n): Lane => ({
      key: `${n}`,
      label: `${n}`,
      items: [item(`i${n}`, n * 300)],
    }));
    const scene = sceneOf(many, { tall: false, scrollTop: 3400, viewHeight: 340 });
    expect(scene.lanes.map((lane) => lane.lane.key)).toEqual(
      Array.from({ length: 10 }, (_, n) => `${n + 100}`),
    );
    expect(scene.height).toBe(300 * 34);
    expect(countLanes(many, scene.scale, new Set())).toEqual({
      marks: 300,
      clustered: 0,
      inColumns: 0,
      total: 300,
    });
  });

  it("finds a hole under the pointer where nothing else is", () => {
    const hole = { connection: "nova", from: 20_000, to: 40_000 };
    const scene = sceneOf([{ key: "a", label: "A", items: [item("one", 10_000)], holes: [hole] }]);
    expect(hitScene(scene, 300, 10)).toMatchObject({ what: "hole", holes: [hole] });
    expect(hitScene(scene, 500, 10)?.what).toBe("lane");
    expect(hitScene(scene, 100, 15)?.what).toBe("mark");
  });

  it("finds under the pointer what it drew there", () => {
    const scene = sceneOf(lanes);
    const mark = findMark(scene, "two");
    expect(mark?.x).toBe(300);
    const hit = hitScene(scene, (mark?.x ?? 0) + 5, (mark?.y ?? 0) + 4);
    expect(hit?.what === "mark" && hit.item.id).toBe("two");
    expect(hitScene(scene, 900, 10)?.what).toBe("lane");
    expect(hitScene(scene, 900, 1000)).toBeUndefined();
  });

  it("marks the selection and the ranks on the layer above", () => {
    const recording = new RecordingPen();
    const scene = sceneOf(lanes);
    paintOverlay(
      recording.pen,
      scene,
      {
        selected: lanes[0]?.items[1],
        lookedBack: { from: 0, to: 30_000 },
        ranks: new Map([["one", 1]]),
        pointerAt: 20_000,
        measured: undefined,
        now: { at: 90_000, connected: false },
        fresh: new Set(["four"]),
      },
      palette,
      { top: 0, height: 400 },
    );
    expect(recording.named("fillText").map((call) => call.args[0])).toEqual(["1"]);
    expect(recording.named("setLineDash").some((call) => (call.args[0] as number[]).length > 0)).toBe(true);
    expect(recording.named("strokeRect")).toHaveLength(1);
  });
});

describe("painting the overview", () => {
  it("mirrors: changes above the axis, symptoms below it", () => {
    const recording = new RecordingPen();
    const bins = [{ at: 0, counts: { change: 4, symptom: 2 } }];
    paintOverview(
      recording.pen,
      { from: 0, to: 10_000, width: 100 },
      bins,
      1000,
      { from: 0, to: 10_000 },
      64,
      palette,
    );
    const axis = recording.named("fillRect").find((call) => call.fill === "control")?.args[1] as number;
    const [change, symptom] = ["blue", "orange"].map((fill) =>
      recording.named("fillRect").find((call) => call.fill === fill),
    );
    expect((change?.args[1] as number) + (change?.args[3] as number)).toBe(axis);
    expect(symptom?.args[1]).toBe(axis + 1);
  });
});
