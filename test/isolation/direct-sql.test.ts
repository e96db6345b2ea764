import { expect, test } from "vitest";
import { run } from "./direct-sql.ts";
import { Counts } from "./report.ts";

test("no statement on any login tells or does what it must not, whatever claim is shown", async () => {
  const counts = new Counts();
  await run(counts);
  expect(counts.all.flatMap(({ wrong, detail }) => (wrong === 0 ? [] : [detail]))).toEqual([]);
  const tried = (name: RegExp) =>
    counts.all.filter((count) => name.test(count.name)).reduce((sum, count) => sum + count.tried, 0);
  expect(tried(/^catalogue/)).toBeGreaterThanOrEqual(3_000);
  expect(tried(/^hostile/)).toBeGreaterThanOrEqual(300);
});
