import { expect, test } from "vitest";
import { tryWorlds } from "./worlds.ts";

test("whatever is asked in a random world, each answer holds all that the asker may see of it and nothing else", async () => {
  const { says, wrong, queries } = await tryWorlds({ worlds: 8, seed: 20 });
  expect(wrong, says).toBe(0);
  expect(queries).toBe(240);
});
