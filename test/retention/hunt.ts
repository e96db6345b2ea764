import { enableCompileCache } from "node:module";
import { hookProduct } from "../simulation/product-loader.ts";
import { mutants } from "./mutants.ts";

/** A process of its own that plays the history with one mutant in the product, and writes what was found false. */
const [name, url = "", template = ""] = process.argv.slice(2);
const mutant = mutants.find((one) => one.name === name);
if (name !== "" && mutant === undefined) throw new Error(`there is no mutant ${name}`);
enableCompileCache();
hookProduct(mutant);
// Only now, so that the product is loaded through the hooks.
const { openTestStore, useTestServer } = await import("../database.ts");
const { findFault } = await import("./judge.ts");

useTestServer({ url, template });
const db = await openTestStore();
try {
  process.stdout.write(JSON.stringify({ fault: await findFault(db) }));
} finally {
  await db.close();
}
