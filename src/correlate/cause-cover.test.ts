import * as fc from "fast-check";
import { expect, test } from "vitest";
import { coverSymptoms } from "./cause-cover.ts";

const explanation = (id: string, score: number, ...explains: readonly string[]) => ({
  id,
  score,
  explains: new Set(explains),
});

test("one cause of forty symptoms is told once, however many lesser ones there are", () => {
  const symptoms = Array.from({ length: 40 }, (_, index) => `s${index}`);
  const lesser = symptoms.map((symptom) => explanation(`reboot of ${symptom}`, 0, symptom));
  const { causes, unexplained } = coverSymptoms(symptoms, [...lesser, explanation("host", 1, ...symptoms)]);
  expect(causes).toEqual([{ id: "host", explains: symptoms }]);
  expect(unexplained).toEqual([]);
});

test("of two that explain as much the likelier is chosen", () => {
  const { causes } = coverSymptoms(["s"], [explanation("a", -2, "s"), explanation("b", 2, "s")]);
  expect(causes.map(({ id }) => id)).toEqual(["b"]);
});

test("what nothing explains is said", () => {
  expect(coverSymptoms(["s", "t"], [explanation("a", 0, "s")]).unexplained).toEqual(["t"]);
});

test("no choice of causes does without one that explains something new", () => {
  const symptoms = ["p", "q", "r", "s", "t"];
  const candidates = fc.uniqueArray(
    fc.record({
      id: fc.string({ minLength: 1, maxLength: 3 }),
      score: fc.double({ min: -10, max: 10, noNaN: true }),
      explains: fc.subarray(symptoms).map((ids) => new Set(ids)),
    }),
    { selector: ({ id }) => id, maxLength: 8 },
  );
  fc.assert(
    fc.property(candidates, (all) => {
      const { causes, unexplained } = coverSymptoms(symptoms, all);
      expect(causes.every(({ explains }) => explains.length > 0)).toBe(true);
      for (const symptom of unexplained)
        expect(all.some(({ explains }) => explains.has(symptom))).toBe(false);
      expect(coverSymptoms(symptoms, all.toReversed())).toEqual({ causes, unexplained });
    }),
  );
});
