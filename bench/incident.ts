import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { inferTimes } from "../src/correlate/incident-times.ts";
import type { DossierEvent } from "../src/correlate/incident-dossier.ts";
import { IsochronError } from "../src/errors.ts";
import type { Incident, MeasuredTime } from "../src/model/incident.ts";
import { duration, instant } from "../src/model/instant.ts";
import { decoders } from "../src/normalise/decode.ts";
import { postMortem } from "../src/sources/post-mortem.ts";
import { readOptions } from "../test/command-options.ts";
import { parseJson, parseObject, readDataLines, unusable } from "./data-file.ts";

/**
 * How near the times that are inferred of a told incident come to those that its authors state. DIR holds
 * `timeline.jsonl` (rows of `ts`, `component`, `description`) and `truth.json` with `times`; the rows go through the source
 * `post-mortem` as anybody's would, and the truth is read by the judge alone. What is measured is named as the authors
 * name it. Ends with 2 where the folder cannot be read.
 */
const usage = "npm run bench:incident -- --data DIR [--json]";

/** Which stated time is which time of which thing; a time that nothing states of a thing is not judged. */
const judged: readonly (readonly [thing: string, time: MeasuredTime, stated: string])[] = [
  ["messaging", "event", "event"],
  ["messaging", "detection", "detection"],
  ["messaging", "decision", "decision_rollback"],
  ["messaging", "resolution", "resolution_messaging"],
  ["deployments", "decision", "decision_workaround_rabbitmq"],
  ["deployments", "resolution", "resolution_deployments"],
  ["orchestrator", "resolution", "resolution_orchestrator"],
  ["hypervisors", "resolution", "resolution_hypervisors"],
  ["ipsec", "resolution", "resolution_ipsec"],
];

const things = ["messaging", "deployments", "orchestrator", "hypervisors", "ipsec"];

/** Not right, but of use to who corrects it. */
const nearMinutes = 10;

interface Verdict {
  readonly thing: string;
  readonly time: MeasuredTime;
  readonly stated: string;
  readonly inferred: string | null;
  readonly minutesOff: number | null;
  readonly verdict: "right" | "near" | "wrong" | "absent";
  readonly rule: string | null;
}

interface ArmResult {
  readonly arm: string;
  readonly rows: number;
  readonly verdicts: readonly Verdict[];
  readonly unjudged: ReturnType<typeof inferTimes>;
}

/** The same incident told in other sentences, with its own kinds: what holds for one wording only shows here. */
const retold = new URL("../demo/post-mortem-2024-08-02.md", import.meta.url);

async function main(): Promise<number> {
  const { data: dir, json } = readOptions(usage, { data: { type: "string" }, json: { type: "boolean" } });
  if (dir === undefined || !existsSync(join(dir, "timeline.jsonl")) || !existsSync(join(dir, "truth.json"))) {
    console.error(
      dir === undefined ? `Usage: ${usage}` : `${dir} holds no timeline.jsonl beside truth.json.`,
    );
    return 2;
  }
  try {
    const truth = await readTruth(join(dir, "truth.json"));
    const arms = [
      {
        arm: "the authors' rows",
        text: await readTimeline(join(dir, "timeline.jsonl")),
        name: "timeline.csv",
      },
      { arm: "the same day in the demo's words", text: await readFile(retold, "utf8"), name: "retold.md" },
    ];
    const results: ArmResult[] = [];
    for (const { arm, text, name } of arms) {
      const events = await readRows(text, name);
      const marks = inferTimes(materialOf(events));
      const unjudged = marks.filter(
        (mark) => !judged.some(([thing, time]) => thing === mark.thing && time === mark.time),
      );
      results.push({ arm, rows: events.length, verdicts: judge(marks, truth), unjudged });
    }
    console.log(json === true ? JSON.stringify({ arms: results }) : results.map(toTable).join("\n\n"));
    return 0;
  } catch (error) {
    if (!(error instanceof IsochronError) || error.code !== "file-unreadable") throw error;
    console.error(error.message);
    return 2;
  }
}

async function readTimeline(path: string): Promise<string> {
  const lines = (await readDataLines(path)).map(({ text, place }) => parseObject(text, place));
  const cells = lines.map(({ ts, component, description }) => [ts, component ?? "", description]);
  if (lines.length === 0) throw unusable(path, "has no rows");
  return [["Time", "Component", "Description"], ...cells]
    .map((row) => row.map((cell) => `"${String(cell).replaceAll('"', '""')}"`).join(","))
    .join("\n");
}

async function readRows(text: string, name: string): Promise<readonly DossierEvent[]> {
  const file = {
    name,
    modifiedAt: instant(0),
    whole: () => Promise.resolve(new TextEncoder().encode(text)),
    lines: (): never => {
      throw new Error("a post-mortem is read as a whole");
    },
  };
  const events: DossierEvent[] = [];
  for await (const record of postMortem.splitFile!(file, decoders))
    for (const draft of postMortem.normalise(record, decoders).events)
      events.push({ ...draft, id: draft.key, connection: "document" });
  return events;
}

function materialOf(events: readonly DossierEvent[]): Parameters<typeof inferTimes>[0] {
  const at = events.map(({ occurredAt }) => occurredAt);
  const [from, to] = [instant(Math.min(...at)), instant(Math.max(...at))];
  const incident: Incident = {
    id: "inc_00000000000000000000000000",
    origin: "import",
    openedAt: to,
    openedBy: "bench",
    title: "A told incident",
    severity: "error",
    state: "draft",
    window: { from, to },
    pins: [],
    things: things.map((name) => ({ id: name, name })),
    times: [],
    sections: [],
    tell: [],
    rows: [],
    log: [],
    version: 1,
  };
  return { incident, pins: new Map(), around: events, asOf: instant(to + duration(86_400_000)) };
}

async function readTruth(path: string): Promise<Readonly<Record<string, unknown>>> {
  const text = (await readDataLines(path)).map((line) => line.text).join("\n");
  const truth = parseJson(text, path) as { times?: unknown };
  if (typeof truth.times !== "object" || truth.times === null) throw unusable(path, "has no times");
  return truth.times as Readonly<Record<string, unknown>>;
}

function judge(
  marks: ReturnType<typeof inferTimes>,
  truth: Readonly<Record<string, unknown>>,
): readonly Verdict[] {
  return judged.flatMap(([thing, time, name]) => {
    const stated = Date.parse(String((truth[name] as { ts?: unknown } | undefined)?.ts));
    if (Number.isNaN(stated)) return [];
    const mark = marks.find((one) => one.thing === thing && one.time === time);
    const minutesOff = mark === undefined ? null : (mark.at - stated) / 60_000;
    const off = Math.abs(minutesOff ?? 0);
    const verdict =
      minutesOff === null ? "absent" : off < 1 ? "right" : off <= nearMinutes ? "near" : "wrong";
    return [
      {
        thing,
        time,
        stated: clock(stated),
        inferred: mark === undefined ? null : clock(mark.at),
        minutesOff,
        verdict,
        rule: mark?.provenance.kind === "inferred" ? mark.provenance.rule : null,
      },
    ];
  });
}

function toTable({ arm, rows, verdicts, unjudged }: ArmResult): string {
  const count = (word: Verdict["verdict"]): number =>
    verdicts.filter(({ verdict }) => verdict === word).length;
  const lines = verdicts.map(({ thing, time, stated, inferred, minutesOff, verdict, rule }) =>
    [
      `  ${thing.padEnd(14)}${time.padEnd(12)}${stated.padEnd(8)}${(inferred ?? "-").padEnd(10)}`,
      `${minutesOff === null ? "-" : String(minutesOff)}`.padEnd(6),
      verdict.padEnd(8),
      rule ?? "",
    ].join(""),
  );
  const rest = unjudged.map(
    ({ thing, time, at, provenance }) =>
      `  ${thing.padEnd(14)}${time.padEnd(12)}${"-".padEnd(8)}${clock(at).padEnd(24)}${provenance.kind === "inferred" ? provenance.rule : ""}`,
  );
  return [
    `Times inferred from ${rows} rows (${arm}), judged by ${verdicts.length} that are stated (UTC):`,
    `  ${"thing".padEnd(14)}${"time".padEnd(12)}${"stated".padEnd(8)}${"inferred".padEnd(10)}${"off".padEnd(6)}`,
    ...lines,
    `  right ${count("right")}, near (within ${nearMinutes} min) ${count("near")}, wrong ${count("wrong")}, absent ${count("absent")}`,
    "Inferred, and not stated by the authors:",
    ...(rest.length === 0 ? ["  none"] : rest),
  ].join("\n");
}

function clock(at: number): string {
  return new Date(at).toISOString().slice(11, 16);
}

process.exitCode = await main();
