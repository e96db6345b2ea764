import { registerHooks } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { mutants, patchedFiles, patchText } from "./kill-points.ts";

/**
 * Preloaded into a worker with `--import`: marks the steps of the program's text as it is loaded, and strikes at the one
 * that was asked for, by `FAULT_AT` at the start or by a message later. The program itself knows nothing of it.
 */

/** `step` may be `*`; the fault strikes when the step is reached for the `nth` time from now on. */
export interface Strike {
  readonly step: string;
  readonly nth: number;
  readonly signal: "SIGKILL" | "SIGSTOP";
}

let armed: Strike | undefined;
let reached = 0;

function arm(strike: Strike | undefined): void {
  armed = strike;
  reached = 0;
}

function faultPoint(name: string): void {
  if (armed === undefined || (armed.step !== "*" && armed.step !== name)) return;
  reached += 1;
  if (reached < armed.nth) return;
  const { signal } = armed;
  armed = undefined;
  process.kill(process.pid, signal);
  // Nothing may be done after the step, however long the signal takes to arrive.
  const until = performance.now() + (signal === "SIGKILL" ? 10_000 : 0);
  while (performance.now() < until);
}

Object.assign(globalThis, { faultPoint });

const given = process.env["FAULT_AT"];
if (given !== undefined) arm(JSON.parse(given) as Strike);
const mutant = mutants[process.env["FAULT_MUTANT"] ?? ""];
const root = process.env["FAULT_CHECKOUT"] ?? fileURLToPath(new URL("../../", import.meta.url));
const rootUrl = pathToFileURL(root).href.replace(/\/?$/, "/");
const files = patchedFiles(mutant);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.startsWith(rootUrl)) return loaded;
    const file = decodeURIComponent(url.slice(rootUrl.length));
    if (!files.has(file)) return loaded;
    const { source } = loaded;
    const text = typeof source === "string" ? source : new TextDecoder().decode(source as Uint8Array);
    return { ...loaded, source: patchText(file, text, mutant) };
  },
});

process.on("message", (message) => {
  arm(message as Strike);
  process.send?.({ armed: true });
});
// Waiting for messages must not keep a finished command alive.
process.channel?.unref();
