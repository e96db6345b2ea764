import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventKinds, severities } from "../../../model/event.ts";
import type { LaneItem } from "./lane-item.ts";
import { detailRules, mustStay, pictureLane, type LanePicture } from "./level-of-detail.ts";
import { timeAt, type TimeScale } from "./time-scale.ts";

const day = 86_400_000;

const items = fc
  .array(
    fc.record({
      at: fc.oneof(fc.integer({ min: 0, max: day }), fc.integer({ min: 40_000_000, max: 40_000_400 })),
      kind: fc.constantFrom(...eventKinds),
      severity: fc.oneof(
        { weight: 9, arbitrary: fc.constant("info" as const) },
        fc.constantFrom(...severities),
      ),
      count: fc.oneof(
        { weight: 30, arbitrary: fc.constant(undefined) },
        fc.integer({ min: 2, max: 100_000 }),
      ),
    }),
    { maxLength: 500 },
  )
  .map((drafts) =>
    drafts
      .toSorted((a, b) => a.at - b.at)
      .map(({ count, ...draft }, index): LaneItem => ({
        ...draft,
        ...(count === undefined ? {} : { fold: { count, first: draft.at, last: draft.at } }),
        id: `e${index}`,
        precisionMs: 0,
        label: "",
        subject: "",
      })),
  );

const scale = fc
  .record({
    from: fc.integer({ min: -day, max: day }),
    span: fc.integer({ min: 20, max: 3 * day }),
    width: fc.integer({ min: 200, max: 2400 }),
  })
  .map(({ from, span, width }): TimeScale => ({ from, to: from + span, width }));

const keep = fc
  .uniqueArray(fc.integer({ min: 0, max: 500 }), { maxLength: 6 })
  .map((numbers) => new Set(numbers.map((number) => `e${number}`)));

function inColumns(picture: LanePicture): number {
  return picture.columns.reduce((sum, column) => sum + column.total, 0);
}

function inClusters(picture: LanePicture): number {
  return picture.clusters.reduce((sum, cluster) => sum + cluster.items.length, 0);
}

function within(all: readonly LaneItem[], window: TimeScale): LaneItem[] {
  return all.filter((item) => item.at >= window.from && item.at < window.to);
}

describe("what is drawn of a lane", () => {
  it("adds up: columns, marks and clusters are the items in the window", () => {
    fc.assert(
      fc.property(items, scale, keep, (all, window, kept) => {
        const picture = pictureLane(all, window, kept);
        expect(inColumns(picture) + picture.marks.length + inClusters(picture)).toBe(picture.total);
        expect(picture.total).toBe(within(all, window).length);
      }),
    );
  });

  it("puts every mark at its own time", () => {
    fc.assert(
      fc.property(items, scale, keep, (all, window, kept) => {
        for (const mark of pictureLane(all, window, kept).marks) {
          const halfPx = (window.to - window.from) / window.width / 2;
          expect(Math.abs(timeAt(window, mark.x) - mark.item.at)).toBeLessThanOrEqual(halfPx);
        }
      }),
    );
  });

  it("never averages a critical event, a storm or a kept event away", () => {
    fc.assert(
      fc.property(items, scale, keep, (all, window, kept) => {
        const picture = pictureLane(all, window, kept);
        const marks = new Set(picture.marks.map((mark) => mark.item.id));
        for (const item of within(all, window)) {
          if (kept.has(item.id)) expect(marks.has(item.id)).toBe(true);
          else if (mustStay(item, kept) && !marks.has(item.id)) {
            const cluster = picture.clusters.find((candidate) => candidate.items.includes(item));
            expect(cluster?.items.every((other) => mustStay(other, kept))).toBe(true);
          }
        }
      }),
    );
  });

  it("draws a badge only over the span that its items take", () => {
    fc.assert(
      fc.property(items, scale, (all, window) => {
        for (const cluster of pictureLane(all, window, new Set()).clusters) {
          expect(timeAt(window, cluster.x0)).toBeCloseTo(cluster.items[0]?.at ?? NaN, 3);
          expect(timeAt(window, cluster.x1)).toBeCloseTo(cluster.items.at(-1)?.at ?? NaN, 3);
        }
      }),
    );
  });

  it("leaves a quiet lane its marks however noisy another one is", () => {
    const quiet: LaneItem[] = [1, 2, 3].map((n) => ({
      id: `q${n}`,
      at: n * 10_000_000,
      kind: "change",
      severity: "info",
      precisionMs: 0,
      label: "",
      subject: "",
    }));
    const noisy = Array.from({ length: 400 }, (_, n): LaneItem => ({
      ...(quiet[0] as LaneItem),
      id: `n${n}`,
      at: n * 200_000,
    }));
    const window: TimeScale = { from: 0, to: day, width: 800 };
    expect(pictureLane(quiet, window, new Set()).mode).toBe("marks");
    expect(pictureLane(noisy, window, new Set()).mode).toBe("columns");
  });

  it("keeps columns still while the window moves", () => {
    const many = Array.from({ length: 2000 }, (_, n): LaneItem => ({
      id: `n${n}`,
      at: n * 40_000,
      kind: "activity",
      severity: "info",
      precisionMs: 0,
      label: "",
      subject: "",
    }));
    const starts = (shift: number) =>
      new Set(
        pictureLane(many, { from: shift, to: shift + day / 2, width: 900 }, new Set()).columns.map(
          (column) => column.from,
        ),
      );
    const [before, after] = [starts(0), starts(123_457)];
    const shared = [...before].filter((from) => after.has(from));
    expect(shared.length).toBeGreaterThan(before.size - 4);
    expect(detailRules.columnPx).toBeGreaterThan(1);
  });
});
