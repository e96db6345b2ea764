import type { EntityKind } from "../model/entity.ts";
import type { Phase } from "../model/event.ts";

const phaseWords: Readonly<Record<Phase, string>> = {
  start: "started",
  progress: "in progress",
  end: "finished",
  error: "failed",
};

/** First parts that say which service speaks, and nothing of what was done. */
const services = new Set(["compute", "identity", "orchestration", "audit", "octavia", "dns"]);

/** Second parts that only announce what comes behind them. */
const announcing = new Set(["action", "migration", "status"]);

/** A part that says itself how it came out needs no word for the phase. */
const telling = /(ed|ing|able|active|complete|error.*|down|gone|in_use|in_progress)$/;

/** What OpenStack's types call a thing that goes by another word elsewhere. */
const otherNames: ReadonlyMap<string, string> = new Map([["instance", "server"]]);

/** API calls have types that speak of the protocol. */
const callWords: ReadonlyMap<string, string> = new Map([
  ["audit.http.request", "API call started"],
  ["audit.http.response", "API call finished"],
  ["audit.http.response.refused", "API call refused"],
]);

/**
 * What was done, in words made of a type that OpenStack publishes and of the phase: `transfer create finished`. The parts
 * that repeat what is `shown`, the kind of thing that the reader is told of, are left out, and no others.
 */
export function tellAction(type: string, phase: Phase | undefined, shown: EntityKind): string {
  const call = callWords.get(type);
  if (call !== undefined) return call;
  const steps = type.split(".");
  if (phase !== undefined && Object.hasOwn(phaseWords, steps.at(-1) ?? "")) steps.pop();
  const repeated = steps.slice(0, 3).findLastIndex((step, index) => repeats(step, shown, index));
  const from = repeated >= 0 ? repeated + 1 : services.has(steps[0]!) ? 1 : 0;
  const action = steps.slice(from);
  const done = phase === undefined || telling.test(action.at(-1) ?? "") ? [] : [phaseWords[phase]];
  const words = [...action.map((step) => step.replaceAll("_", " ")), ...done].join(" ");
  return words === "" ? type : words;
}

function repeats(step: string, shown: EntityKind, index: number): boolean {
  if (index === 1 && announcing.has(step)) return true;
  const name = otherNames.get(step) ?? step;
  return name === shown || name === shown.replaceAll("_", "") || shown.split("_").includes(name);
}
