import { existsSync } from "node:fs";
import { join } from "node:path";
import { IsochronError } from "../src/errors.ts";
import { readOptions } from "../test/command-options.ts";
import { benchIdentity } from "./identity-attribution.ts";
import { isIdentityFolder } from "./identity-data.ts";
import { benchLab } from "./lab-attribution.ts";

/**
 * How many records are attributed rightly, wrongly or not at all, against a truth that the product never sees. DIR is a
 * recording of a lab (`notifications.jsonl.gz`, `truth.jsonl.gz`, perhaps `rest/`), judged by its driver's own record of
 * what it did, or a stream of service logs (`stream.jsonl.gz`, `truth.jsonl.gz`, perhaps `inventory.jsonl` and
 * `tenants.json`), each region of which is a control plane. Ends with 1 where anything was given to a wrong owner, with
 * 2 where the folder cannot be read, which is told in a line.
 */
const usage = "npm run bench:attribution -- --data DIR [--json] [--all]";

async function main(): Promise<number> {
  const values = readOptions(usage, {
    data: { type: "string" },
    json: { type: "boolean" },
    all: { type: "boolean" },
  });
  const dir = values.data;
  if (dir === undefined) {
    console.error(`Usage: ${usage}`);
    return 2;
  }
  const print = { json: values.json === true, all: values.all === true };
  try {
    return await bench(dir, print);
  } catch (error) {
    if (!(error instanceof IsochronError) || error.code !== "file-unreadable") throw error;
    console.error(error.message);
    return 2;
  }
}

async function bench(dir: string, print: { readonly json: boolean; readonly all: boolean }): Promise<number> {
  if (isIdentityFolder(dir)) return (await benchIdentity(dir, print)) === 0 ? 0 : 1;
  if (existsSync(join(dir, "notifications.jsonl.gz")) && existsSync(join(dir, "truth.jsonl.gz")))
    return (await benchLab(dir, print)) === 0 ? 0 : 1;
  console.error(`${dir} holds neither notifications.jsonl.gz nor stream.jsonl.gz beside truth.jsonl.gz`);
  return 2;
}

process.exitCode = await main();
