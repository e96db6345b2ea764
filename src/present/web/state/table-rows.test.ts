import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventKinds, severities } from "../../../model/event.ts";
import type { EventJson } from "../../api/contract.ts";
import { describeRun, foldRows } from "./table-rows.ts";

function event(id: string, more: Partial<EventJson> = {}): EventJson {
  return {
    id,
    occurred_at: "2026-11-21T01:00:00.000Z",
    recorded_at: "2026-11-21T01:00:00.000Z",
    precision_ms: 0,
    type: "port.update.end",
    kind: "activity",
    category: "network",
    severity: "info",
    subject: { kind: "port", id: "p" },
    related: [],
    attribution: { status: "provider", domain_id: null, project_id: null, affected: [], evidence: [] },
    summary: "",
    details: {},
    ...more,
  };
}

const events = fc
  .array(
    fc.record({
      kind: fc.oneof(
        { weight: 3, arbitrary: fc.constant("activity" as const) },
        fc.constantFrom(...eventKinds),
      ),
      severity: fc.oneof(
        { weight: 5, arbitrary: fc.constant("info" as const) },
        fc.constantFrom(...severities),
      ),
    }),
    { maxLength: 80 },
  )
  .map((drafts) => drafts.map((draft, index) => event(`e${index}`, draft)));

describe("rows of the table", () => {
  it("add up: shown and folded are all events, each in exactly one row", () => {
    fc.assert(
      fc.property(events, fc.boolean(), fc.subarray(["e0", "e5", "e9", "e20"]), (all, fold, open) => {
        const { rows, shown, folded } = foldRows(all, fold, new Set(open), "e7");
        expect(shown + folded).toBe(all.length);
        const ids = rows.flatMap((row) =>
          row.what === "event" ? [row.event.id] : row.open ? [] : row.events.map((each) => each.id),
        );
        expect(ids).toEqual(all.map((each) => each.id));
      }),
    );
  });

  it("fold only routine activity, and never the selection", () => {
    fc.assert(
      fc.property(events, (all) => {
        for (const row of foldRows(all, true, new Set(), "e3").rows) {
          if (row.what !== "run") continue;
          for (const each of row.events)
            expect([each.kind, each.severity, each.id === "e3"]).toEqual(["activity", "info", false]);
        }
      }),
    );
  });

  it("say what a run holds, most frequent first", () => {
    const run = [event("a"), event("b"), event("c", { type: "image.update" })];
    expect(describeRun(run)).toBe("port.update.end 2, image.update 1");
  });
});
