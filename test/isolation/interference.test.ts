import { expect, test } from "vitest";
import { tryPairs } from "./interference.ts";

test("what a tenant is answered is the same to the byte, whatever there is that it may not see", async () => {
  const { says, wrong, compared } = await tryPairs({ pairs: 2, seed: 5 });
  expect(wrong, says).toBe(0);
  expect(compared).toBeGreaterThan(120);
});
