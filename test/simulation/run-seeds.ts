import { enableCompileCache } from "node:module";
import { mutants } from "./mutants.ts";
import { hookProduct } from "./product-loader.ts";
import type { SeedTask } from "./seed-task.ts";
import { installVirtualTime } from "./virtual-time.ts";

/** A process of its own that runs seeds against the product, or against one mutant of it, and writes what came of it. */
const task = JSON.parse(process.argv[2] ?? "{}") as SeedTask;
const mutant = mutants.find(({ name }) => name === task.mutant);
if (task.mutant !== undefined && mutant === undefined) throw new Error(`there is no mutant ${task.mutant}`);
// Each mutant takes a process of its own.
enableCompileCache();
hookProduct(mutant);
installVirtualTime();
// Only now, so that the product is loaded through the hooks.
const { runHistory } = await import("./history.ts");

for (let seed = task.from; seed < task.from + task.count; seed += task.step) {
  const outcome = await runHistory(seed, {
    trace: task.trace === true,
    ...(mutant === undefined ? {} : { kind: mutant.kind }),
    ...(mutant?.sites === undefined ? {} : { sites: mutant.sites }),
    ...(task.kind === undefined ? {} : { kind: task.kind }),
    ...(task.sites === undefined ? {} : { sites: task.sites }),
    ...(task.busyMs === undefined ? {} : { busyMs: task.busyMs }),
  });
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
  if (task.untilFault === true && outcome.faults.length > 0) break;
}
