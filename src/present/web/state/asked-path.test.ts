import { describe, expect, it } from "vitest";
import { blastPath, comparePath, findingPath } from "./asked-path.ts";
import { plainView } from "./view.ts";

describe("addresses of questions", () => {
  it("name an event, or a resource at a moment", () => {
    expect(blastPath({ event: "evt_1" })).toBe("/blast?event=evt_1");
    expect(blastPath({ resource: { kind: "host", id: "a b" }, at: "2026-11-20T10:00:00.000Z" })).toBe(
      "/blast?resource=host/a+b&at=2026-11-20T10:00:00.000Z",
    );
  });

  it("keep the filter of the timeline, and nothing else of its address", () => {
    const view = { ...plainView("UTC"), kinds: ["symptom"] as const, text: "web", selected: "evt_1" };
    const range = { from: Date.parse("2026-11-20T10:00:00Z"), to: Date.parse("2026-11-20T10:30:00Z") };
    expect(comparePath(range, view)).toBe(
      "/compare?from=2026-11-20T10:00:00.000Z&to=2026-11-20T10:30:00.000Z&q=web&kind=symptom",
    );
  });

  it("lead from a value to the events that have it, where a filter can say so", () => {
    const asked = new URLSearchParams("from=a&to=b&kind=symptom&baseline=rest");
    expect(findingPath({ attribute: "host", value: "h-1" }, asked)).toBe(
      "/t?from=a&to=b&kind=symptom&resource=host/h-1",
    );
    expect(findingPath({ attribute: "kind", value: "change" }, asked)).toBe("/t?from=a&to=b&kind=change");
    expect(findingPath({ attribute: "phase", value: "end" }, asked)).toBeUndefined();
  });
});
