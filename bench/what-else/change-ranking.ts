import { stacksOf } from "../../src/correlate/evidence-stack.ts";
import { rankWhatElse } from "../../src/correlate/what-else.ts";
import type { RankingCase } from "./change-ranking-data.ts";
import { findRanking, readRanking } from "./change-ranking-data.ts";
import { buildEvents, type CaseEvents } from "./change-ranking-events.ts";
import type { MethodResult, Part, PartResult } from "./part.ts";

/**
 * Incidents made of real patches and real logs (Cotroneo et al., ESEC/FSE 2019): which of the deploys before a failure
 * broke it. Only what was recorded up to the symptom is given, and nothing of the truth.
 */
export const changeRanking: Part = {
  name: "change ranking",
  needs: "cases.jsonl and truth.jsonl",
  find: findRanking,
  run: runRanking,
};

/** Gives the changes' ids, the likeliest first; what it leaves out counts as not found. */
type Method = (item: RankingCase, events: CaseEvents) => readonly string[];

async function runRanking(folder: string): Promise<PartResult> {
  const cases = await readRanking(folder);
  const ranks = new Map(methods.map(([name]) => [name, [] as MethodResult["ranks"][number][]]));
  let lines = 0;
  for (const item of cases) {
    const events = buildEvents(item);
    lines += item.lines.length;
    for (const [name, method] of methods) {
      const at = method(item, events).indexOf(item.trueChange);
      ranks.get(name)!.push({ question: item.incident, rank: at < 0 ? null : at + 1 });
    }
  }
  const random = cases.flatMap(({ incident, changes }) =>
    changes.map((_, index) => ({ question: incident, rank: index + 1 })),
  );
  return {
    name: "change ranking",
    asked: `${cases.length} incidents, ${cases[0]?.changes.length ?? 0} deploys before each, ${lines} lines`,
    methods: [
      { method: "random (each rank once)", ranks: random },
      ...methods.map(([method]) => ({ method, ranks: ranks.get(method)! })),
    ],
    notes: ["Methods that cannot tell two changes apart put the later one first."],
  };
}

const methods: readonly (readonly [string, Method])[] = [
  ["latest change", ({ changes }) => latestFirst(changes, () => 0)],
  [
    "service of the failing call",
    (item) => latestFirst(item.changes, ({ file }) => inFailingService(item, file)),
  ],
  ["traceback frame in the changed file", rankByFrame],
  ["what else (ours)", rankOurs],
];

function latestFirst(
  changes: RankingCase["changes"],
  score: (change: RankingCase["changes"][number]) => number,
) {
  return changes.toSorted((a, b) => score(b) - score(a) || (a.ts < b.ts ? 1 : -1)).map((change) => change.id);
}

/** What the command that failed speaks of, and which service keeps it. */
const services: readonly (readonly [RegExp, string])[] = [
  [/volume|cinder|snapshot|backup/i, "cinder"],
  [/network|subnet|port|router|floating|neutron|security/i, "neutron"],
  [/server|instance|keypair|flavor|nova|ssh/i, "nova"],
];

function inFailingService({ symptom }: RankingCase, file: string): number {
  const [, service] = services.find(([words]) => words.test(symptom.text)) ?? [];
  return file.startsWith(`${service}/`) ? 1 : 0;
}

/** The changed file that stands nearest to the innermost call of any stack before the symptom. */
function rankByFrame(item: RankingCase, { earlier }: CaseEvents): readonly string[] {
  const depths = new Map<string, number>();
  for (const { frames } of earlier.flatMap(stacksOf)) {
    for (const [index, { file }] of frames.entries()) {
      const depth = frames.length - 1 - index;
      depths.set(file, Math.min(depth, depths.get(file) ?? depth));
    }
  }
  return latestFirst(item.changes, ({ file }) => 1 / (1 + (depths.get(file) ?? Number.POSITIVE_INFINITY)));
}

function rankOurs(_: RankingCase, { symptom, earlier, changeOf }: CaseEvents): readonly string[] {
  const from = Math.min(...earlier.map((event) => event.occurredAt));
  const counts = new Map<string, number>();
  for (const event of earlier) counts.set(event.type, (counts.get(event.type) ?? 0) + 1);
  const spanMs = Math.max(60_000, symptom.occurredAt - from);
  const { candidates } = rankWhatElse({
    target: { event: symptom, at: symptom.occurredAt },
    earlier,
    edges: [],
    rates: new Map([...counts].map(([type, count]) => [type, { perMs: count / spanMs }])),
    limit: earlier.length,
  });
  return candidates.map(({ event }) => changeOf.get(event.id)).filter((change) => change !== undefined);
}
