import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { HistoryOutcome } from "./history-outcome.ts";
import type { Site } from "./site.ts";

/** What one process is to run: seeds `from`, `from + step`, … below `from + count`. */
export interface SeedTask {
  readonly from: number;
  readonly count: number;
  readonly step: number;
  /** Against this mutant rather than the product as it is. */
  readonly mutant?: string;
  /** This scenario rather than the one that the seed picks. */
  readonly kind?: string;
  /** These sites of trouble rather than those that the seed picks. */
  readonly sites?: readonly Site[];
  readonly busyMs?: number;
  readonly trace?: boolean;
  /** Ends with the first history that goes wrong. */
  readonly untilFault?: boolean;
}

const program = fileURLToPath(new URL("run-seeds.ts", import.meta.url));

/** Runs the seeds in a process of their own; `onOutcome` is told of each history as it ends. */
export async function runSeeds(task: SeedTask, onOutcome: (outcome: HistoryOutcome) => void): Promise<void> {
  const child = spawn(process.execPath, [program, JSON.stringify(task)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let trouble = "";
  child.stderr.on("data", (text: Buffer) => (trouble += text.toString()));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    onOutcome(JSON.parse(line) as HistoryOutcome);
  }
  const code = await ended;
  if (code !== 0) throw new Error(`the process of ${JSON.stringify(task)} ended with ${code}: ${trouble}`);
}
