import { expect, test } from "vitest";
import { run } from "./pool.ts";
import { Counts } from "./report.ts";

test("no tenant gets a byte of another's over shared connections, whatever happens to them in between", async () => {
  const counts = new Counts();
  await run(counts, "short");
  expect(counts.all.flatMap(({ wrong, detail }) => (wrong === 0 ? [] : [detail]))).toEqual([]);
  expect(counts.all[0]?.tried).toBeGreaterThanOrEqual(1_000);
});
