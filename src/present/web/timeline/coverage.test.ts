import { describe, expect, it } from "vitest";
import { coverageRows, unknownFrom } from "./coverage.ts";
import { joinSpans } from "./spans.ts";
import type { LaneItem } from "./lane-item.ts";

describe("coverage", () => {
  const range = { from: 0, to: 1000 };

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
