import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import type { Mutant } from "./mutants.ts";

const root = new URL("../../", import.meta.url);
const timers = new URL("virtual-timers.ts", import.meta.url).href;

/**
 * From here on the product's files wait by the world's clock, and the edits of the mutant are made to their text as it
 * is loaded. Throws when a text that is to be edited does not stand exactly once in its file.
 */
export function hookProduct(mutant: Mutant | undefined): void {
  const edits = Map.groupBy(mutant?.edits ?? [], ({ file }) => new URL(file, root).href);
  for (const [url, list] of edits) edit(readFileSync(fileURLToPath(url), "utf8"), list);
  registerHooks({
    resolve(specifier, context, next) {
      const isProduct = context.parentURL?.startsWith(new URL("src/", root).href) === true;
      if (isProduct && specifier === "node:timers/promises") return { url: timers, shortCircuit: true };
      return next(specifier, context);
    },
    load(url, context, next) {
      const list = edits.get(url);
      const loaded = next(url, context);
      if (list === undefined) return loaded;
      return { ...loaded, source: edit(readFileSync(fileURLToPath(url), "utf8"), list) };
    },
  });
}

function edit(text: string, edits: Mutant["edits"]): string {
  return edits.reduce((edited, { file, find, replace }) => {
    const count = edited.split(find).length - 1;
    if (count !== 1) throw new Error(`${file} holds ${count} times, not once: ${find}`);
    return edited.replace(find, () => replace);
  }, text);
}
