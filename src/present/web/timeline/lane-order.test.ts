import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LaneItem } from "./lane-item.ts";
import { groupIntoLanes, lanesMax } from "./lane-order.ts";

function item(id: string, at: number, kind: LaneItem["kind"] = "change"): LaneItem {
  return { id, at, kind, severity: "info", precisionMs: 0, label: "", subject: "" };
}

function into(name: string, ...items: LaneItem[]) {
  return items.map((each) => ({ item: each, lane: { key: name, label: name } }));
}

describe("lanes", () => {
  const grouped = [
    ...into("web 10", item("a", 1), item("b", 2), item("c", 3)),
    ...into("web 9", item("d", 4, "symptom")),
    ...into("db", item("e", 2, "symptom"), item("f", 5)),
  ];

  it("come by their first symptom, lanes without one last", () => {
    expect(groupIntoLanes(grouped, "first-symptom").map((lane) => lane.key)).toEqual([
      "db",
      "web 9",
      "web 10",
    ]);
  });

  it("come by count, or by name with numbers as numbers", () => {
    expect(groupIntoLanes(grouped, "count").map((lane) => lane.key)).toEqual(["web 10", "db", "web 9"]);
    expect(groupIntoLanes(grouped, "name").map((lane) => lane.key)).toEqual(["db", "web 9", "web 10"]);
  });

  it("hold every item exactly once, however many lanes there would be", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 3000 }), (keys) => {
        const all = keys.flatMap((key, index) => into(`lane ${key}`, item(`i${index}`, index)));
        const lanes = groupIntoLanes(all, "count");
        expect(lanes.length).toBeLessThanOrEqual(lanesMax);
        const ids = lanes.flatMap((lane) => lane.items.map((each) => each.id));
        expect(ids.length).toBe(all.length);
        expect(new Set(ids).size).toBe(all.length);
        for (const lane of lanes)
          expect(lane.items.map((each) => each.at)).toEqual(
            lane.items.map((each) => each.at).toSorted((a, b) => a - b),
          );
      }),
      { numRuns: 20 },
    );
  });
});
