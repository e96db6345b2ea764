import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { material, sampleMaterial } from "../../test/incident-sample.ts";
import { duration, instant } from "../model/instant.ts";
import { assembleDossier } from "./incident-assembly.ts";
import type { SpanLength } from "./incident-dossier.ts";
import type { IncidentFigures } from "./incident-kpis.ts";
import { figuresOf, kpiPeriods, summariseIncidents } from "./incident-kpis.ts";

function on(date: string): ReturnType<typeof instant> {
  return instant(Date.parse(`${date}T00:00:00Z`));
}

function measured(minutes: number): SpanLength {
  return {
    outcome: "measured",
    length: duration(minutes * 60_000),
    precision: duration(0),
    unordered: false,
  };
}

function figures(
  id: string,
  date: string,
  total: SpanLength = measured(10),
  key = "host:a",
): IncidentFigures {
  const absent: SpanLength = { outcome: "absent", missing: ["detection"] };
  return {
    id,
    severity: "error",
    from: on(date),
    published: true,
    things: [
      {
        key,
        name: key,
        spans: { detect: absent, decide: absent, resolve: absent, total },
        bases: ["set", "inferred"],
      },
    ],
  };
}

const year = { from: on("2026-01-01"), to: on("2027-01-01") };

describe("figures over incidents", () => {
  test("give the median, the 90th percentile and how many are measured, and tell what is left out and why", () => {
    const lengths = [1, 2, 3, 4, 5, 6, 7, 8, 9, 100].map(measured);
    const all = [
      ...lengths,
      { outcome: "reversed", by: duration(1) } as const,
      { outcome: "absent", missing: ["event"] } as const,
    ];
    const [summary] = summariseIncidents(
      all.map((total, index) => figures(`i${index}`, "2026-02-03", total)),
      "quarter",
      { from: on("2026-01-01"), to: on("2026-04-01") },
    );
    expect(summary?.spans.total).toEqual({
      n: 10,
      median: 330_000,
      p90: 540_000,
      missing: 1,
      reversed: 1,
      unordered: 0,
    });
    expect(summary?.spans.detect).toEqual({ n: 0, missing: 12, reversed: 0, unordered: 0 });
    expect(summary?.bases).toEqual({ set: 12, imported: 0, inferred: 12 });
  });

  test("tell of empty periods too", () => {
    const months = summariseIncidents([figures("a", "2026-05-31")], "month", year);
    expect(months.map(({ incidents }) => incidents)).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    expect(months[0]?.spans.total).toEqual({ n: 0, missing: 0, reversed: 0, unordered: 0 });
  });

  test("begin weeks on Monday and quarters in January, April, July and October", () => {
    const [week] = summariseIncidents([], "week", { from: on("2026-05-17"), to: on("2026-05-18") });
    expect([week?.from, week?.to]).toEqual([on("2026-05-11"), on("2026-05-18")]);
    const [quarter] = summariseIncidents([], "quarter", { from: on("2026-06-30"), to: on("2026-07-01") });
    expect([quarter?.from, quarter?.to]).toEqual([on("2026-04-01"), on("2026-07-01")]);
  });

  test("count the same thing within 30 days as a recurrence, across periods and from before the range", () => {
    const all = [
      figures("a", "2026-01-20"),
      figures("b", "2026-02-10"),
      figures("c", "2026-03-13"),
      figures("d", "2026-03-14", measured(1), "host:b"),
    ];
    const months = summariseIncidents(all, "month", { from: on("2026-02-01"), to: on("2026-04-01") });
    expect(months.map(({ things }) => things.map(({ key, recurred }) => [key, recurred]))).toEqual([
      [["host:a", 1]],
      [
        ["host:a", 0],
        ["host:b", 0],
      ],
    ]);
  });

  test("put every incident of the range into one period, whatever the period", () => {
    const dates = fc.integer({ min: year.from, max: year.to - 1 });
    fc.assert(
      fc.property(fc.array(dates, { maxLength: 20 }), fc.constantFrom(...kpiPeriods), (moments, period) => {
        const all = moments.map((moment, index) => ({
          ...figures(`i${index}`, "2026-01-01"),
          from: instant(moment),
        }));
        const summaries = summariseIncidents(all, period, year);
        expect(summaries.reduce((sum, { incidents }) => sum + incidents, 0)).toBe(moments.length);
        expect(summaries.every(({ from }, index) => index === 0 || from === summaries[index - 1]?.to)).toBe(
          true,
        );
        expect(summaries[0]!.from <= year.from && summaries.at(-1)!.to >= year.to).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  test("refuse a range without end", () => {
    const range = { from: on("1970-01-01"), to: on("2199-01-01") };
    expect(() => summariseIncidents([], "week", range)).toThrow(RangeError);
  });

  test("are made of dossiers, a thing being known by its reference or its name", () => {
    const sample = figuresOf(assembleDossier(sampleMaterial()));
    expect(sample.things.map(({ key }) => key)).toEqual([
      "host:compute-77",
      "server:0c5b2f9e-3333-4444-8555-66667777aaaa",
      "server:9d1e7a60-3333-4444-8555-66667777bbbb",
    ]);
    const { incident } = material();
    const named = material({ incident: { ...incident, things: [{ id: "x", name: " Messaging " }] } });
    expect(figuresOf(assembleDossier(named)).things[0]?.key).toBe("name:messaging");
  });
});
