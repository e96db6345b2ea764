import { enableCompileCache } from "node:module";
import { hookProduct } from "../simulation/product-loader.ts";
import { mutants } from "./mutants.ts";

/** A process of its own that tries worlds against one mutant of the resolver, and writes what was found false. */
const [name, worldsMax] = process.argv.slice(2);
const mutant = mutants.find((one) => one.name === name);
if (name !== "" && mutant === undefined) throw new Error(`there is no mutant ${name}`);
enableCompileCache();
hookProduct(mutant);
// Only now, so that the resolver is loaded through the hooks.
const { default: fc } = await import("fast-check");
const { findFault } = await import("./judge.ts");
const { playHistory } = await import("./play.ts");
const { histories } = await import("./step.ts");

let fault: string | undefined;
const outcome = fc.check(
  fc.property(histories, (history) => {
    fault = findFault(playHistory(history));
    return fault === undefined;
  }),
  { numRuns: Number(worldsMax), seed: 1, endOnFailure: true },
);
process.stdout.write(
  `${JSON.stringify({ fault: outcome.failed ? fault : undefined, worlds: outcome.numRuns })}\n`,
);
