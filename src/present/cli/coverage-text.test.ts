import { expect, test } from "vitest";
import { instant } from "../../model/instant.ts";
import { lengthText, reportCoverage } from "./coverage-text.ts";

const now = instant(Date.UTC(2024, 7, 2, 12, 0));
const at = (time: string | null, connection = "nova") => ({
  connection,
  state: "running",
  complete_to: time,
});

test("a source that is behind makes the window unknown, not quiet", () => {
  const coverage = {
    complete_to: "2024-08-02T11:38:00Z",
    holes: [],
    connections: [at("2024-08-02T11:38:00Z"), at("2024-08-02T12:00:00Z", "cinder")],
  };
  expect(reportCoverage(coverage, undefined, now)).toEqual({
    complete: false,
    text: "1 of 2 sources complete. Unknown, not quiet: nova is 20 min behind.",
  });
  expect(reportCoverage(coverage, instant(Date.UTC(2024, 7, 2, 11, 38)), now).complete).toBe(true);
});

test("a source that does not say how far it is counts as incomplete", () => {
  const report = reportCoverage({ complete_to: null, holes: [], connections: [at(null)] }, undefined, now);
  expect(report).toEqual({
    complete: false,
    text: "0 of 1 source complete. Unknown, not quiet: nova does not say how far it is.",
  });
});

test("a tenant gets one answer without names", () => {
  const known = { complete_to: "2024-08-02T12:00:00Z", holes: [], connections: [] };
  expect(reportCoverage(known, undefined, now)).toEqual({ complete: true, text: "All sources complete." });
  expect(reportCoverage({ complete_to: null, holes: [], connections: [] }, undefined, now).complete).toBe(
    false,
  );
});

test("a hole inside the window makes it incomplete, and one outside it does not", () => {
  const coverage = {
    complete_to: "2024-08-02T12:00:00Z",
    holes: [{ from: "2024-08-02T09:00:00Z", to: "2024-08-02T09:20:00Z" }],
    connections: [at("2024-08-02T12:00:00Z")],
  };
  expect(reportCoverage(coverage, undefined, now)).toEqual({
    complete: false,
    text: "1 of 1 source complete. Events may be missing from 2024-08-02T09:00:00Z to 2024-08-02T09:20:00Z.",
  });
  const after = instant(Date.UTC(2024, 7, 2, 9, 20));
  expect(reportCoverage(coverage, undefined, now, after).complete).toBe(true);
  const before = instant(Date.UTC(2024, 7, 2, 9, 0));
  expect(reportCoverage(coverage, before, now).complete).toBe(true);
});

test("lengths read as people say them", () => {
  const texts = [250, 45_000, 13 * 60_000, 149 * 60_000, 180 * 60_000, 76 * 3_600_000].map(lengthText);
  expect(texts).toEqual(["250 ms", "45 s", "13 min", "2 h 29", "3 h", "3 d 4 h"]);
});
