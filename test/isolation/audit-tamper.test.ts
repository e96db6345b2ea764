import { expect, test } from "vitest";
import { run } from "./audit-tamper.ts";
import { Counts } from "./report.ts";

test("whatever is changed in an audit trail is found where it is, and nothing is found where nothing was changed", async () => {
  const counts = new Counts();
  await run(counts, "short");
  expect(counts.all.filter(({ wrong }) => wrong > 0)).toEqual([]);
  expect(counts.tried).toBeGreaterThanOrEqual(900);
});
