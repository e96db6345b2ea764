import { expect, test } from "vitest";
import { entryWords, lengthWords, nextStates, precisionOf, provenanceWords } from "./incident-words.ts";

test("a time says how it is known", () => {
  expect(provenanceWords({ kind: "set", by: "an operator", why: "the ticket" })).toBe(
    "set by an operator: the ticket",
  );
  expect(provenanceWords({ kind: "inferred", rule: "first-symptom/1", says: "the first alert" })).toContain(
    "the first alert",
  );
});

test("a length is never told where a time is missing, and never as negative", () => {
  expect(lengthWords({ outcome: "absent", missing: ["event"] })).toBe("not known");
  expect(lengthWords({ outcome: "reversed", length_ms: 60_000 })).toMatch(/^reversed by/);
  expect(lengthWords({ outcome: "measured", length_ms: 60_000, unordered: true })).toContain("no sure order");
  expect(lengthWords({ outcome: "measured", length_ms: 3_000_000, precision_ms: 60_000 })).toBe(
    "50 min ± 1 min",
  );
});

test("a moment is known as well as it is written", () => {
  expect(["2026-11-20T10:14", "2026-11-20T10:14:05"].map(precisionOf)).toEqual([60_000, 1_000]);
});

test("decisions, notes and amendments are told apart", () => {
  const entry = { sequence: 1, recorded_at: "2026-11-21T00:00:00.000Z", by: "an operator" };
  const change = { text: "evacuate", audience: "public" };
  expect(
    ["decision", "note", "amendment"].map((kind) => entryWords({ ...entry, kind, change }).what),
  ).toEqual(["Decision", "Note", "Amendment for everybody"]);
});

test("nothing is published that was not reviewed, and what is published stays so", () => {
  expect(nextStates("draft")).toEqual(["reviewed"]);
  expect(nextStates("reviewed")).toEqual(["published", "draft"]);
  expect(nextStates("published")).toEqual([]);
});
