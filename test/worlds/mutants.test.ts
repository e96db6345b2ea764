import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { mutants } from "./mutants.ts";

const program = fileURLToPath(new URL("hunt.ts", import.meta.url));

/** Far more than any of them outlives; the seed is fixed. */
const worldsMax = 2000;

async function hunt(
  name: string,
  worlds = worldsMax,
): Promise<{ readonly fault?: string; readonly worlds: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, [program, name, String(worlds)]);
  return JSON.parse(stdout);
}

describe("the worlds tell from a resolver", () => {
  it.concurrent("as it is, in which they find nothing", async () => {
    expect(await hunt("", 200)).toEqual({ worlds: 200 });
  });

  it.concurrent.each(mutants.map(({ name, promise }) => [name, promise] as const))(
    "with %s (%s)",
    async (name) => {
      const { fault } = await hunt(name);
      expect(fault).toEqual(expect.any(String));
    },
  );
});
