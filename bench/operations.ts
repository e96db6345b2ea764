import { existsSync } from "node:fs";
import { join } from "node:path";
import { readOptions } from "../test/command-options.ts";
import { byRequestAlone, byTypeAlone } from "./operations/answer.ts";
import { edgeKinds, f1, judgeEdges, sumEdges, type Judged } from "./operations/judge.ts";
import { judgeStates, type StatesJudged } from "./operations/judge-states.ts";
import { answerOf, play, storeRecording } from "./operations/ours.ts";
import { loadOperationsTruth } from "./operations/truth.ts";

/**
 * Operations rebuilt from a recording of a lab, held against what the lab's driver wrote down, beside simpler ways of
 * putting messages together. The truth is read by the judge alone. Ends with 2 where DIR holds no such recording.
 */
const usage = "npm run bench:operations -- --data DIR [--json] [--errors]";

interface Result {
  readonly judged: Judged;
  readonly states?: StatesJudged;
}

async function main(): Promise<number> {
  const { data, json, errors } = readOptions(usage, {
    data: { type: "string" },
    json: { type: "boolean" },
    errors: { type: "boolean" },
  });
  if (data === undefined || !existsSync(join(data, "truth.jsonl.gz"))) {
    console.error(data === undefined ? `Usage: ${usage}` : `${data} holds no recording of a lab.`);
    return 2;
  }
  const truth = await loadOperationsTruth(data);
  const messages = truth.calls.flatMap((call) => call.messages);
  const results: Result[] = [byTypeAlone(messages), byRequestAlone(messages)].map((answer) => ({
    judged: judgeEdges(truth, answer),
  }));
  for (const withInventory of existsSync(join(data, "rest")) ? [false, true] : [false]) {
    const events = await storeRecording(data, withInventory);
    const played = play(events, truth.endsAt);
    const name = withInventory
      ? "operations, with the inventory's listings"
      : "operations, notifications alone";
    const judged = judgeEdges(truth, answerOf(name, events, played.last));
    results.push({ judged, states: judgeStates(truth, played, judged) });
  }
  console.log(
    json === true
      ? JSON.stringify(toJson(truth.calls.length, results))
      : toTable(truth.calls.length, results),
  );
  if (errors === true)
    for (const { judged, states } of results.slice(-1))
      console.log([...judged.errors, ...(states?.errors ?? [])].join("\n"));
  return 0;
}

function toJson(calls: number, results: readonly Result[]): unknown {
  return {
    calls,
    methods: results.map(({ judged, states }) => ({
      method: judged.name,
      edge_f1: f1(sumEdges(judged.edges)),
      edges: Object.fromEntries(
        edgeKinds.map((kind) => [kind, { ...judged.edges[kind], f1: f1(judged.edges[kind]) }]),
      ),
      ...(states === undefined
        ? {}
        : {
            states: states.states,
            partial: states.partial,
            stuck: states.stuck,
            stuck_delays_s: states.delaysS,
            stuck_beside: states.stuckBeside,
          }),
    })),
  };
}

function toTable(calls: number, results: readonly Result[]): string {
  const head = ["edge F1", ...edgeKinds].map((word) => word.padStart(17)).join("");
  const rows = results.map(({ judged }) => {
    const figures = [f1(sumEdges(judged.edges)), ...edgeKinds.map((kind) => f1(judged.edges[kind]))];
    return `  ${judged.name.padEnd(44)}${figures.map((figure) => figure.toFixed(3).padStart(17)).join("")}`;
  });
  const counts = results.at(-1)!.judged.edges;
  const edges = edgeKinds.map((kind) => `${counts[kind].right + counts[kind].missed} ${kind}`).join(", ");
  const states = results.flatMap(({ judged, states: found }) =>
    found === undefined
      ? []
      : [
          `  ${judged.name}`,
          `    states right ${found.states.right} of ${found.states.of}; partial found ${found.partial.right} of ${found.partial.of}, ${found.partial.falseAlarms} wrongly`,
          `    stuck found ${found.stuck.right} of ${found.stuck.of}, ${found.stuck.falseAlarms} wrongly, ${found.stuckBeside} of which the record says nothing; told after ${found.delaysS.join(", ")} s`,
        ],
  );
  return [
    `operations: ${calls} calls with steps; edges of the truth: ${edges}`,
    `  ${"".padEnd(44)}${head}`,
    ...rows,
    "",
    ...states,
  ].join("\n");
}

process.exitCode = await main();
