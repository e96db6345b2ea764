import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactProbability } from "./exact-tail.ts";
import { usualStretches } from "./over-represented-baseline.ts";
import { adjust, findOverRepresented, type ValueCount } from "./over-represented.ts";
import { instant } from "../model/instant.ts";

/** A small generator with a seed, so that a failure can be had again. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Row = Readonly<Record<string, string>>;

function countValues(rows: readonly Row[], isInside: readonly boolean[]): readonly ValueCount[] {
  const counts = new Map<string, { attribute: string; value: string; inside: number; outside: number }>();
  rows.forEach((row, index) => {
    for (const [attribute, value] of Object.entries(row)) {
      const key = `${attribute}=${value}`;
      const count = counts.get(key) ?? { attribute, value, inside: 0, outside: 0 };
      if (isInside[index] === true) count.inside += 1;
      else count.outside += 1;
      counts.set(key, count);
    }
  });
  return [...counts.values()].filter(({ inside, outside }) => inside + outside > 1);
}

/** Events of many attributes with skewed values, of which a share lies inside by lot alone. */
function drawRows(random: () => number, events: number): readonly Row[] {
  const skewed = (name: string, values: number): string => `${name}-${Math.floor(random() ** 3 * values)}`;
  return Array.from({ length: events }, () => ({
    type: skewed("type", 30),
    host: skewed("host", 60),
    severity: skewed("severity", 3),
    image: skewed("image", 15),
    subject: skewed("subject", 200),
  }));
}

const rate = 0.05;

function compare(rows: readonly Row[], isInside: readonly boolean[]) {
  const inside = isInside.filter(Boolean).length;
  const values = countValues(rows, isInside);
  return findOverRepresented({ inside, outside: rows.length - inside, values, falseDiscoveryRate: rate });
}

describe("what stands out of a selection", () => {
  it("is told in counts, the most telling first", () => {
    const { findings, tested } = findOverRepresented({
      inside: 12,
      outside: 400,
      values: [
        { attribute: "host", value: "h-7", inside: 9, outside: 3 },
        { attribute: "type", value: "volume.retype", inside: 4, outside: 0 },
        { attribute: "kind", value: "change", inside: 6, outside: 200 },
      ],
      falseDiscoveryRate: rate,
    });
    expect(findings.map(({ value, says }) => [value, says])).toEqual([
      ["h-7", "9 of 12 here, 3 of 400 usually"],
      ["volume.retype", "4 of 12 here, never in 400 usually"],
    ]);
    expect(tested).toBe(3);
  });

  it("is also what is usually there and now is not", () => {
    const { findings } = findOverRepresented({
      inside: 60,
      outside: 600,
      values: [{ attribute: "type", value: "backup.end", inside: 0, outside: 300 }],
      falseDiscoveryRate: rate,
    });
    expect(findings).toMatchObject([{ direction: "less", says: "none of 60 here, 300 of 600 usually" }]);
  });

  it("is nothing where there is nothing to hold it against", () => {
    const values = [{ attribute: "host", value: "h", inside: 9, outside: 0 }];
    expect(findOverRepresented({ inside: 9, outside: 0, values, falseDiscoveryRate: rate })).toEqual({
      findings: [],
      tested: 0,
    });
  });

  it("does not depend on the order in which the values or events come", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (seed, otherSeed) => {
        const random = randomOf(seed);
        const rows = drawRows(random, 80).map((row) => ({ row, isInside: random() < 0.3, lot: random() }));
        const asked = (list: typeof rows) =>
          compare(
            list.map(({ row }) => row),
            list.map(({ isInside }) => isInside),
          );
        const other = randomOf(otherSeed);
        const shuffled = rows.map((one) => ({ ...one, lot: other() })).toSorted((a, b) => a.lot - b.lot);
        expect(asked(shuffled)).toEqual(asked(rows));
      }),
      { numRuns: 40 },
    );
  });

  it("finds a planted attribute first, whatever else there is", () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = randomOf(seed);
      const isInside = Array.from({ length: 600 }, () => random() < 0.1);
      const rows = drawRows(random, 600).map((row, index) =>
        (isInside[index] ? random() < 0.7 : random() < 0.02) ? { ...row, backend: "planted" } : row,
      );
      expect(compare(rows, isInside).findings[0], `seed ${seed}`).toMatchObject({ value: "planted" });
    }
  });
});

describe("false discoveries", () => {
  it("are made on random labels no more often than the rate allows", () => {
    const seeds = 400;
    let withAny = 0;
    for (let seed = 1; seed <= seeds; seed += 1) {
      const random = randomOf(seed * 7919);
      const rows = drawRows(random, 300);
      // Where nothing is true, each comparison that tells anything tells only false things.
      const share = 0.02 + random() * 0.4;
      if (
        compare(
          rows,
          rows.map(() => random() < share),
        ).findings.length > 0
      )
        withAny += 1;
    }
    // Three standard errors above the rate: that a right procedure fails so is one in a thousand, and these seeds do not.
    expect(withAny / seeds).toBeLessThanOrEqual(rate + 3 * Math.sqrt((rate * (1 - rate)) / seeds));
  });

  it("are held down by all that were tried, not each by itself", () => {
    const values = Array.from({ length: 100 }, (_, index) => {
      return { attribute: "subject", value: String(index), inside: 2, outside: 6 };
    });
    const [alone] = findOverRepresented({
      inside: 40,
      outside: 400,
      values: values.slice(0, 1),
      falseDiscoveryRate: 0.4,
    }).findings;
    expect(alone?.probability).toBeLessThan(0.4);
    const one = { attribute: "subject", value: "one", inside: 4, outside: 6 };
    const noise = Array.from({ length: 99 }, (_, index) => {
      return { attribute: "subject", value: `noise ${index}`, inside: 1, outside: 10 };
    });
    const tried = { inside: 40, outside: 400, falseDiscoveryRate: rate };
    expect(findOverRepresented({ ...tried, values: [one] }).findings).toHaveLength(1);
    expect(findOverRepresented({ ...tried, values: [one, ...noise] }).findings).toHaveLength(0);
  });

  it("are adjusted as Benjamini and Hochberg have it", () => {
    const adjusted = adjust([0.01, 0.04, 0.03, 0.5]);
    expect(adjusted.map((p) => Number(p.toFixed(4)))).toEqual([0.04, 0.0533, 0.0533, 0.5]);
  });
});

describe("Fisher's exact test", () => {
  it("is the share of all labellings that are as lopsided, on either side", () => {
    // Of the 210 ways to take 4 of 10, one takes all four that have it.
    expect(exactProbability(4, 4, 0, 6)).toBeCloseTo(2 / 210, 12);
    expect(exactProbability(0, 4, 4, 6)).toBeCloseTo((2 * 15) / 210, 12);
    expect(exactProbability(1, 10, 3, 30)).toBe(1);
  });

  it("is a probability for any counts, and least for the most lopsided", () => {
    const counts = fc.tuple(fc.nat(60), fc.nat(400), fc.nat(60), fc.nat(400));
    fc.assert(
      fc.property(counts, ([inside, more, outside, others]) => {
        const p = exactProbability(inside, inside + more, outside, outside + others);
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(exactProbability(outside, outside + others, inside, inside + more)).toBeCloseTo(p, 8);
      }),
    );
  });
});

describe("the same hours before", () => {
  it("are those of the seven days before, or of whole days for what is longer", () => {
    const at = (text: string) => instant(Date.parse(text));
    const hour = { from: at("2026-11-20T10:00:00Z"), to: at("2026-11-20T11:00:00Z") };
    const days = usualStretches(hour);
    expect(days).toHaveLength(7);
    expect(days[6]).toEqual({ from: at("2026-11-13T10:00:00Z"), to: at("2026-11-13T11:00:00Z") });
    const long = usualStretches({ from: at("2026-11-18T10:00:00Z"), to: at("2026-11-20T11:00:00Z") });
    expect(long).toHaveLength(4);
    expect(long[0]).toEqual({ from: at("2026-11-15T10:00:00Z"), to: at("2026-11-17T11:00:00Z") });
  });
});
