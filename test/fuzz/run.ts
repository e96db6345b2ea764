import Table from "cli-table3";
import { startTestServer } from "../database-server.ts";
import { readOptions } from "../command-options.ts";
import { useTestServer } from "../database.ts";
import { Counts, type Size } from "../isolation/report.ts";

const usage = `npm run fuzz -- [--short] [--parts decoders,operations,read-back] [--seed WORD]`;
const values = readOptions(usage, {
  short: { type: "boolean", default: false },
  parts: { type: "string", default: "decoders,operations,read-back" },
  seed: { type: "string", default: "isochron" },
});

/** A part of the fuzzing, as each module of a part exports it. */
interface Fuzzer {
  run(report: Counts, size: Size, seed: string): Promise<void>;
}

const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));

async function main(): Promise<number> {
  const server = await startTestServer();
  useTestServer(server);
  const table = new Table({ head: ["part", "what", "tried", "failed"], style: { head: [] } });
  const words: string[] = [];
  let failed = 0;
  for (const part of values.parts.split(",")) {
    const counts = new Counts();
    const began = performance.now();
    const { run } = (await import(`./${part}.ts`)) as Fuzzer;
    await run(counts, values.short ? "short" : "full", values.seed);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    table.push([part, `${seconds} s`, String(counts.tried), String(counts.wrong)]);
    for (const { name, tried, wrong, detail } of counts.all) {
      table.push(["", name, String(tried), String(wrong)]);
      if (wrong > 0) words.push(`FAILED ${part}, ${name}: ${detail ?? ""}`);
    }
    failed += counts.wrong;
  }
  await server.stop();
  console.log(table.toString());
  for (const reason of unhandled) words.push(`FAILED: an unhandled rejection: ${String(reason)}`);
  for (const line of words) console.log(line);
  return failed + unhandled.length === 0 ? 0 : 1;
}

process.exit(await main());
