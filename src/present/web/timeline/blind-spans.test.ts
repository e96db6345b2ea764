import { describe, expect, it } from "vitest";
import { blindSpanSentence, incompleteWords, joinBlindSpans, spanWords } from "./blind-spans.ts";

const at = (clock: string, day = 21) => Date.parse(`2026-11-${day}T${clock}Z`);
const night = { from: at("03:00:00"), to: at("04:00:00") };
const nova = { connection: "nova", from: at("03:10:00"), to: at("03:25:00"), reason: "outage" } as const;

describe("spans without sight", () => {
  it("are told in minutes where these say enough, else in seconds, else with their days", () => {
    expect(spanWords(nova, "UTC")).toBe("03:10–03:25 UTC");
    expect(spanWords({ ...nova, to: at("03:25:07") }, "UTC")).toBe("03:10:00–03:25:07 UTC");
    expect(spanWords({ ...nova, to: at("01:00:00", 22) }, "Asia/Colombo")).toBe(
      "2026-11-21 08:40 – 2026-11-22 06:30 UTC+05:30",
    );
  });

  it("say where a window may be incomplete, joined, and of how many sources", () => {
    const cinder = { ...nova, connection: "cinder", to: at("03:40:00") };
    expect(incompleteWords([nova, cinder], night, "UTC")).toBe("03:10–03:40 UTC, 2 sources");
    expect(incompleteWords([nova], night, "UTC")).toBe("03:10–03:25 UTC, 1 source");
  });

  it("say nothing of a window that they only border on", () => {
    expect(incompleteWords([nova], { from: nova.to, to: night.to }, "UTC")).toBeUndefined();
    expect(incompleteWords([nova], { from: night.from, to: nova.from }, "UTC")).toBeUndefined();
  });

  it("tell the first few of many, and how many more there are", () => {
    const many = [1, 2, 3, 4, 5].map((minute) => ({
      from: night.from + minute * 120_000,
      to: night.from + minute * 120_000 + 60_000,
    }));
    expect(incompleteWords(many, night, "UTC")).toBe(
      "03:02–03:03 UTC; 03:04–03:05 UTC; 03:06–03:07 UTC and 2 more spans",
    );
  });

  it("tell a tenant the time alone", () => {
    expect(blindSpanSentence({ from: nova.from, to: nova.to }, "UTC")).toBe(
      "Something may be missing from 03:10:00 to 03:25:00 UTC.",
    );
    expect(blindSpanSentence(nova, "UTC")).toBe(
      "nova: events may be missing from 03:10:00 to 03:25:00 UTC: an outage.",
    );
  });

  it("are joined where they touch, and where they overlap", () => {
    expect(
      joinBlindSpans([
        { from: 5, to: 9 },
        { from: 1, to: 3 },
        { from: 3, to: 4 },
        { from: 6, to: 7 },
      ]),
    ).toEqual([
      { from: 1, to: 4 },
      { from: 5, to: 9 },
    ]);
  });
});
