import { expect, test } from "vitest";
import { findingMeanings } from "../../../model/source-health.ts";
import {
  completeToAll,
  heardWords,
  needsAttention,
  remedyOf,
  worstFirst,
  type Connection,
} from "./source-words.ts";

function connection(name: string, more: Partial<Connection> = {}): Connection {
  return {
    connection: name,
    source: "sql",
    control_plane: "region-1",
    state: "idle",
    complete_to: "2026-11-21T03:00:00.000Z",
    lag_ms: 0,
    holes: [],
    findings: [],
    last_heard_at: null,
    expect_within_ms: null,
    reconciled: null,
    contract: null,
    last_event_at: null,
    last_success_at: null,
    last_error: null,
    counts: { events: 0, folded: 0, repeated: 0, revised: 0, set_aside: 0, late: 0 },
    ...more,
  };
}

const hole = {
  from: "2026-11-21T03:00:00Z",
  to: "2026-11-21T03:10:00Z",
  reason: "outage",
  says: "",
} as const;

test("the worst connection comes first, and one that is in order but for a hole before those without", () => {
  const order = worstFirst([
    connection("finished", { state: "finished" }),
    connection("b-idle"),
    connection("a-idle"),
    connection("z-holed", { holes: [hole] }),
    connection("running", { state: "running" }),
    connection("degraded", { state: "degraded" }),
    connection("silent", { state: "silent" }),
    connection("failing", { state: "failing" }),
  ]);
  expect(order.map((entry) => entry.connection)).toEqual([
    "failing",
    "silent",
    "degraded",
    "z-holed",
    "running",
    "a-idle",
    "b-idle",
    "finished",
  ]);
  expect(order.filter(needsAttention)).toHaveLength(4);
});

test("all are complete to where the one furthest behind is", () => {
  const behind = connection("behind", { complete_to: "2026-11-21T02:00:00Z" });
  expect(completeToAll([connection("a"), behind, connection("mute", { complete_to: null })])).toBe(
    Date.parse("2026-11-21T02:00:00Z"),
  );
  expect(completeToAll([])).toBeUndefined();
});

test("a quiet source says how long it was not heard, and how long it may be so", () => {
  const now = Date.parse("2026-11-21T03:25:00Z");
  const heard = connection("a", { last_heard_at: "2026-11-21T03:00:00Z", expect_within_ms: 60_000 });
  expect(heardWords(heard, now)).toBe("25 min ago; expected every 1 min");
  expect(heardWords(connection("a"), now)).toBe("never");
});

test("every finding says what to do, and an unknown one keeps silent", () => {
  for (const code of Object.keys(findingMeanings)) expect(remedyOf(code, "nova")).not.toMatch(/NAME|^$/);
  expect(remedyOf("late-commit", "nova@region-1")).toContain("isochron reconcile nova@region-1");
  expect(remedyOf("toString", "nova")).toBeUndefined();
});
