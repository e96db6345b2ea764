import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, inject, test } from "vitest";
import { mutants } from "./mutants.ts";

const program = fileURLToPath(new URL("hunt.ts", import.meta.url));

async function hunt(name: string): Promise<{ readonly fault?: string }> {
  const args = [program, name, inject("databaseUrl"), inject("databaseTemplate")];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}

describe("one history tells from retention and erasure", () => {
  test("as they are, in which it finds nothing", async () => {
    expect(await hunt("")).toEqual({});
  });

  test.each(mutants.map(({ name, promise }) => [name, promise] as const))("with %s (%s)", async (name) => {
    expect((await hunt(name)).fault).toEqual(expect.any(String));
  });
});
