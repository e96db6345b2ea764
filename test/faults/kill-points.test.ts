import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { killPoints, markOf, mutants, patchText } from "./kill-points.ts";

const sourceOf = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");

describe("the named steps", () => {
  test.each(killPoints.map((point) => [point.name, point] as const))(
    "%s stands beside one statement of the program",
    (_, point) => {
      expect(patchText(point.file, sourceOf(point.file)).split(markOf(point))).toHaveLength(2);
    },
  );

  test("have names of their own", () => {
    expect(new Set(killPoints.map(({ name }) => name)).size).toBe(killPoints.length);
  });
});

describe("the mutants", () => {
  test.each(Object.entries(mutants))("%s still changes the program", (_, mutant) => {
    for (const { file } of mutant.patches) {
      expect(patchText(file, sourceOf(file), mutant)).not.toBe(patchText(file, sourceOf(file)));
    }
  });
});
