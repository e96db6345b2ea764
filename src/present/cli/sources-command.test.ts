import { expect, test } from "vitest";
import { runCanned } from "../../../test/cli-host.ts";
import { exitCodes } from "./exit-code.ts";

test("a connection that nobody configures any more is forgotten where the store is, and no other", async () => {
  const run = await runCanned(["sources", "old", "--forget"]);
  expect(run).toMatchObject({ code: 0, closed: 1 });
  expect(run.stdout).toMatch(/^old: retired; /);
  expect((await runCanned(["sources", "gone", "--forget"])).stderr).toContain('"gone"');
  expect((await runCanned(["sources", "--forget"])).code).toBe(exitCodes.usage);
  const named = { name: "old", source: "rest", controlPlane: "lab", enabled: false };
  const kept = await runCanned(["sources", "old", "--forget"], { settings: { connections: [named] } });
  expect(kept).toMatchObject({ code: exitCodes.usage, closed: 0 });
  expect(kept.stderr).toContain("old is configured");
  const far = await runCanned(["sources", "old", "--forget"], { settings: { server: "http://there" } });
  expect(far).toMatchObject({ code: exitCodes.usage, closed: 0 });
});
