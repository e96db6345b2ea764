import { describe, expect, test } from "vitest";
import { Counts } from "./report.ts";
import { run } from "./wall-mutants.ts";
import { withoutEach } from "./wall-mutations.ts";

test("each fourth part of the wall that is taken away or widened turns the statements or the lint red", async () => {
  const counts = new Counts();
  await run(counts, "short");
  expect(
    counts.all.flatMap(({ name, wrong, detail }) => (wrong === 0 ? [] : [`${name}: ${detail}`])),
  ).toEqual([]);
  expect(counts.tried).toBeGreaterThanOrEqual(40);
}, 240_000);

describe("a predicate", () => {
  test("is told without each of its parts, at every depth", () => {
    expect(withoutEach("((a = b(c, (d AND e))) AND ((f) OR ((g) AND (h))))").map(({ rest }) => rest)).toEqual(
      [
        "(((f) OR ((g) AND (h))))",
        "((a = b(c, (d AND e))))",
        "((a = b(c, (d AND e))) AND (((g) AND (h))))",
        "((a = b(c, (d AND e))) AND ((f)))",
        "((a = b(c, (d AND e))) AND ((f) OR ((h))))",
        "((a = b(c, (d AND e))) AND ((f) OR ((g))))",
      ],
    );
  });
});
