import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitText, placeLabels } from "./label-rows.ts";
import type { LaneItem } from "./lane-item.ts";

const measure = (text: string) => text.length * 6;

function mark(x: number, label: string, more: Partial<LaneItem> = {}) {
  const item: LaneItem = {
    id: `${x}`,
    at: x,
    kind: "symptom",
    severity: "info",
    precisionMs: 0,
    label,
    subject: "",
    ...more,
  };
  return { item, x, stack: 0 };
}

describe("labels", () => {
  it("never cover each other and never leave the lane", () => {
    const marks = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 900 }), fc.string({ minLength: 1, maxLength: 60 })),
      {
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(marks, (drafts) => {
        const placed = placeLabels(
          drafts.map(([x, label]) => mark(x, label)),
          900,
          measure,
        );
        for (const row of [0, 1]) {
          const inRow = placed.filter((label) => label.row === row).toSorted((a, b) => a.x - b.x);
          inRow.forEach((label, index) => {
            const next = inRow[index + 1];
            if (next !== undefined) expect(label.x + measure(label.text)).toBeLessThanOrEqual(next.x);
            expect(label.x + measure(label.text)).toBeLessThanOrEqual(900);
          });
        }
      }),
    );
  });

  it("go to the gravest first, then to changes", () => {
    const crowd = [
      mark(100, "information in passing"),
      mark(104, "somebody changed this", { kind: "change" }),
    ];
    const grave = mark(108, "everything is on fire", { severity: "critical" });
    const placed = placeLabels([...crowd, grave], 400, measure);
    expect(placed[0]?.text).toContain("everything");
    expect(placed[1]?.text).toContain("somebody");
    expect(placed).toHaveLength(2);
  });

  it("are cut with an ellipsis where room is short", () => {
    expect(fitText("a long sentence", 60, measure)).toBe("a long se…");
    expect(fitText("short", 60, measure)).toBe("short");
    expect(fitText("a long sentence", 12, measure)).toBe("");
  });
});
