import { describe, expect, it } from "vitest";
import { behindAt, coverageRows, holesOfLane, isWhole, unknownFrom, widestClear } from "./coverage.ts";
import { joinSpans } from "./spans.ts";
import type { LaneItem } from "./lane-item.ts";

describe("coverage", () => {
  const range = { from: 0, to: 1000 };
  const hole = (from: number, to: number) => ({ connection: "nova", from, to });

  it("is known up to the watermark, unknown to the present, and nothing after it", () => {
    const [row] = coverageRows([{ connection: "nova", state: "running", completeTo: 400 }], range, 800);
    expect(row).toMatchObject({ knownShare: 0.4, unknownShare: 0.4, unknownFrom: 400 });
  });

  it("has no unknown part where the watermark passed the window", () => {
    const [row] = coverageRows([{ connection: "nova", state: "running", completeTo: 5000 }], range, 9000);
    expect(row).toMatchObject({ knownShare: 1, unknownShare: 0, unknownFrom: undefined });
  });

  it("is unknown from the start where nothing was ever complete", () => {
    const [row] = coverageRows([{ connection: "nova", state: "failing" }], range, 9000);
    expect(row).toMatchObject({ knownShare: 0, unknownShare: 1, unknownFrom: 0 });
  });

  it("keeps its holes in the window apart from its end, and the most blind come first", () => {
    const rows = coverageRows(
      [
        { connection: "cinder", state: "idle", completeTo: 5000 },
        {
          connection: "nova",
          state: "idle",
          completeTo: 900,
          holes: [hole(-100, 100), hole(300, 400), hole(2000, 2100)],
        },
      ],
      range,
      9000,
    );
    expect(rows.map((row) => row.connection)).toEqual(["nova", "cinder"]);
    expect(rows[0]?.holes.map(({ from, to }) => [from, to])).toEqual([
      [0, 0.1],
      [0.3, 0.4],
    ]);
    expect(rows.map(isWhole)).toEqual([false, true]);
  });

  it("puts its words where nothing is hatched", () => {
    const clear = (completeTo: number, ...holes: ReturnType<typeof hole>[]) => {
      const [row] = coverageRows([{ connection: "nova", state: "idle", completeTo, holes }], range, 9000);
      return row === undefined ? undefined : widestClear(row);
    };
    expect(clear(5000)).toEqual({ from: 0, to: 1 });
    expect(clear(5000, hole(200, 300))).toEqual({ from: 0.3, to: 1 });
    expect(clear(800, hole(200, 300), hole(250, 700))).toEqual({ from: 0, to: 0.2 });
    expect(clear(0)).toEqual({ from: 0, to: 0 });
  });

  it("gives a lane the holes of those that feed it, and those that nobody names", () => {
    const nameless = { from: 1, to: 2 };
    const holes = [hole(1, 2), { ...hole(1, 2), connection: "heat" }, nameless];
    expect(holesOfLane(new Set(["nova"]), holes)).toEqual([hole(1, 2), nameless]);
    expect(holesOfLane(new Set(), holes)).toEqual([nameless]);
  });

  it("holds no source to the present moment, and a finished document to nothing", () => {
    const at = (ms: number) => new Date(ms).toISOString();
    const entries = [
      { connection: "near", state: "idle", complete_to: at(950_000) },
      { connection: "far", state: "idle", complete_to: at(800_000) },
      { connection: "read", state: "finished", complete_to: at(1) },
      { connection: "mute", state: "idle", complete_to: null },
    ];
    const names = (to: number) => behindAt(entries, to, 1_000_000).map(({ connection }) => connection);
    expect(names(1_000_000)).toEqual(["far", "mute"]);
    expect(names(700_000)).toEqual(["mute"]);
  });

  it("leaves a lane known as long as one of its sources is", () => {
    const reached = new Map([
      ["nova", 400],
      ["cinder", 700],
      ["heat", undefined],
    ]);
    expect(unknownFrom(["nova", "cinder"], reached)).toBe(700);
    expect(unknownFrom(["nova", "heat"], reached)).toBeUndefined();
    expect(unknownFrom(["gone"], reached)).toBeUndefined();
  });
});

describe("spans", () => {
  function item(id: string, at: number, more: Partial<LaneItem>): LaneItem {
    return { id, at, kind: "change", severity: "info", precisionMs: 0, label: "", subject: "s", ...more };
  }

  it("join a start with its own end only", () => {
    const spans = joinSpans([
      item("a", 1, { operation: "req-1 create", phase: "start" }),
      item("b", 2, { operation: "req-2 create", phase: "start" }),
      item("c", 5, { operation: "req-1 create", phase: "end" }),
    ]);
    expect(spans).toEqual([{ kind: "operation", from: 1, to: 5, severity: "info", ids: ["a", "c"] }]);
  });

  it("do not invent an end for a symptom without recovery", () => {
    expect(
      joinSpans([item("a", 1, { kind: "symptom" }), item("b", 9, { kind: "recovery", subject: "other" })]),
    ).toEqual([]);
  });
});
