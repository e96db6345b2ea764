import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitWeights, labelsMin, type Labelled } from "./fit-weights.ts";

/** `count` symptoms with one confirmed and one ruled-out candidate each. */
function labelled(
  count: number,
  confirmed: (index: number) => Readonly<Record<string, number>>,
  ruledOut: (index: number) => Readonly<Record<string, number>>,
): readonly Labelled[] {
  const toAddends = (values: Readonly<Record<string, number>>) =>
    Object.entries(values).map(([name, value]) => ({ name, value }));
  return Array.from({ length: count }, (_, index) => [
    { symptom: `s${index}`, label: 1 as const, addends: toAddends(confirmed(index)) },
    { symptom: `s${index}`, label: 0 as const, addends: toAddends(ruledOut(index)) },
  ]).flat();
}

const wave = (index: number, length: number) => Math.sin((2 * Math.PI * index) / length);

describe("fitting weights to what people said", () => {
  it("raises what tells confirmed from ruled out, and leaves what tells nothing as it ships", () => {
    const fitted = fitWeights(
      labelled(
        60,
        (index) => ({ path: 0.6 + 0.5 * wave(index, 7), time: wave(index, 11), unseen: 0 }),
        (index) => ({ path: -0.6 + 0.5 * wave(index, 5), time: wave(index, 13), unseen: 0 }),
      ),
    )!;
    const factorOf = (name: string) => fitted.factors.find((one) => one.name === name)!.factor;
    expect(factorOf("path")).toBeGreaterThan(1.5);
    expect(factorOf("time")).toBeLessThan(1);
    expect(factorOf("unseen")).toBeCloseTo(1, 6);
    expect(fitted.fitted.logLoss).toBeLessThan(fitted.shipped.logLoss);
  });

  it("turns round what ships with the wrong sign only where labels say so", () => {
    const misled = labelled(
      60,
      (index) => ({ class: -1 + 0.2 * wave(index, 3) }),
      (index) => ({ class: 1 + 0.2 * wave(index, 4) }),
    );
    expect(fitWeights(misled)!.factors[0]!.factor).toBeLessThan(0);
    expect(fitWeights(misled)!.shipped.auc).toBeLessThan(0.1);
  });

  it("says nothing where labels are few, of one kind, or of one symptom", () => {
    const pair = labelled(
      60,
      () => ({ path: 1 }),
      () => ({ path: -1 }),
    );
    expect(fitWeights(pair.slice(0, labelsMin - 1))).toBeUndefined();
    expect(fitWeights(pair.filter(({ label }) => label === 1))).toBeUndefined();
    expect(fitWeights(pair.map((item) => ({ ...item, symptom: "one" })))).toBeUndefined();
  });

  it("never judges by a symptom that it was fitted to", () => {
    // Each symptom bears a mark of its own that tells its label: it helps only where it was seen before.
    const marked = labelled(
      40,
      (index) => ({ [`mark ${index}`]: 1, path: wave(index, 6) }),
      (index) => ({ [`mark ${index}`]: -1, path: wave(index, 6) }),
    ).map((item, index) => ({ ...item, label: (index % 3 === 0 ? 1 : 0) as 0 | 1 }));
    expect(fitWeights(marked)!.fitted.auc).toBeLessThan(0.8);
  });

  it("gives finite figures for any labels, in any order", () => {
    const anyLabel = fc.record({
      symptom: fc.constantFrom("a", "b", "c", "d"),
      label: fc.constantFrom(0 as const, 1 as const),
      addends: fc.array(
        fc.record({
          name: fc.constantFrom("time", "path", "class"),
          value: fc.double({ min: -50, max: 50, noNaN: true }),
        }),
        { maxLength: 4 },
      ),
    });
    fc.assert(
      fc.property(fc.array(anyLabel, { minLength: labelsMin, maxLength: 60 }), (labels) => {
        const fitted = fitWeights(labels);
        const figures = [
          ...(fitted?.factors ?? []).flatMap(({ factor, error }) => [factor, error]),
          fitted?.fitted.logLoss ?? 0,
        ];
        expect(figures.every(Number.isFinite)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});
