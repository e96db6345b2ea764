import { statSync } from "node:fs";
import { IsochronError } from "../src/errors.ts";
import { readOptions } from "../test/command-options.ts";
import { changeRanking } from "./what-else/change-ranking.ts";
import { labIncident } from "./what-else/lab-incident.ts";
import type { Part, PartResult } from "./what-else/part.ts";
import { sharesOf } from "./what-else/part.ts";
import { postMortems } from "./what-else/post-mortem.ts";

/**
 * How high the true cause stands among what changed before a symptom, beside simpler ways of ranking, on every part whose
 * data DIR holds, which may lie a folder or two below it. The truth is read by the judge alone. Ends with 2 where DIR holds
 * none, or what it holds cannot be read, which is told in a line; the other parts are judged all the same.
 */
const usage = "npm run bench:what-else -- --data DIR [--json]";

const parts: readonly Part[] = [changeRanking, postMortems, labIncident];

async function main(): Promise<number> {
  const { data: dir, json } = readOptions(usage, { data: { type: "string" }, json: { type: "boolean" } });
  if (dir === undefined || !statSync(dir, { throwIfNoEntry: false })?.isDirectory()) {
    console.error(dir === undefined ? `Usage: ${usage}` : `${dir} is no folder.`);
    return 2;
  }
  const results: PartResult[] = [];
  const unread: string[] = [];
  for (const part of parts) {
    const found = part.find(dir);
    if (found !== undefined) await run(part, found, results, unread);
  }
  for (const problem of unread) console.error(problem);
  if (results.length === 0 && unread.length === 0) {
    console.error(`${dir} holds none of: ${parts.map(({ name, needs }) => `${name} (${needs})`).join(", ")}`);
  }
  if (results.length > 0)
    console.log(json === true ? JSON.stringify(toJson(results)) : results.map(toTable).join("\n\n"));
  return results.length === 0 || unread.length > 0 ? 2 : 0;
}

async function run(part: Part, folder: string, results: PartResult[], unread: string[]): Promise<void> {
  try {
    results.push(await part.run(folder));
  } catch (error) {
    if (!(error instanceof IsochronError) || error.code !== "file-unreadable") throw error;
    unread.push(`${part.name}: ${error.message}`);
  }
}

function toJson(results: readonly PartResult[]): unknown {
  return {
    parts: results.map(({ name, asked, methods, notes }) => ({
      name,
      asked,
      methods: methods.map((result) => ({
        method: result.method,
        questions: new Set(result.ranks.map(({ question }) => question)).size,
        ...sharesOf(result),
        ranks: result.ranks,
      })),
      notes,
    })),
  };
}

function toTable({ name, asked, methods, notes }: PartResult): string {
  const rows = methods.map((result) => {
    const { top1, top3, mrr } = sharesOf(result);
    const figures = [top1, top3, mrr].map((share) => share.toFixed(3).padStart(7)).join("");
    return `  ${result.method.padEnd(44)}${figures}`;
  });
  const head = `  ${"".padEnd(44)}${["top-1", "top-3", "MRR"].map((word) => word.padStart(7)).join("")}`;
  return [`${name}: ${asked}`, head, ...rows, ...notes.map((note) => `  ${note}`)].join("\n");
}

process.exitCode = await main();
