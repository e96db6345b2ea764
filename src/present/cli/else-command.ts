import type { Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { formatInstant, instant } from "../../model/instant.ts";
import type { CandidateJson, WhatElseJson } from "../api/what-else-contract.ts";
import type { Query } from "./api-client.ts";
import { lengthText } from "./coverage-text.ts";
import { entityText, kindStyle, kindText } from "./event-columns.ts";
import { parseCount } from "./parse-count.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, addStrictOption, parseResource, type ReadOptions } from "./shared-options.ts";
import { looksLikeTime, parseDuration } from "./time-text.ts";
import type { Column, View } from "./view.ts";

interface ElseOptions extends ReadOptions {
  readonly at?: string;
  readonly window?: string;
  readonly limit?: number;
  readonly why?: boolean;
}

const windowMinutesMax = 1440;

export function addElseCommand(program: Command, run: Run): void {
  const command = program
    .command("else")
    .summary("what else changed around the same time, ranked")
    .description(
      "Ranks the changes before an event, before a moment, or around a resource, each with its reason. " +
        "Several events are asked about together: what explains most of them comes first.",
    )
    .argument("<event|time|type/id>", "what to look back from")
    .argument("[more-events...]", "further events, up to 200 in all")
    .option("--at <time>", "the moment to look back from, with a resource (now)")
    .option("--window <length>", "how far to look back, up to 1d (3h)")
    .option("-n, --limit <count>", "at most so many", parseCount)
    .option("--why", "show the parts of each score as a table");
  addStrictOption(command);
  addReadOptions(command, ["table", "wide", "json", "ndjson", "csv", "md"])
    .addHelpText(
      "after",
      `
Examples:
  $ isochron else evt_mfzhi6lb5nq3v2ktw4xy7ucdoe
  $ isochron else evt_mfzhi6lb5nq3v2ktw4xy7ucdoe --why
  $ isochron else $(isochron events --kind symptom --from 10:00 --to 10:15 -o ndjson | jq -r .id)
  $ isochron else "2024-08-02 12:35 CEST" --window 2h
  $ isochron else server/6f3c9a1e-52d4-4c5e-9d0c-1b7a0f6f2c11 --at 10:06 --tz Europe/Paris
  $ isochron else evt_mfzhi6lb5nq3v2ktw4xy7ucdoe -o json | jq '.candidates[0].addends'`,
    )
    .action(
      run.action(([target, ...more], options: ElseOptions) =>
        read(run.host, options, (reading) => rankOthers(reading, [target ?? "", ...more.flat()], options)),
      ),
    );
}

async function rankOthers(
  reading: Reading,
  [target = "", ...more]: readonly string[],
  options: ElseOptions,
): Promise<number> {
  const { view } = reading;
  const answer = await reading.client.whatElse({
    ...(more.length === 0
      ? await readTarget(reading, target, options)
      : readEvents([target, ...more], options)),
    window_minutes: options.window === undefined ? undefined : windowMinutes(options.window),
    limit: options.limit,
  });
  if (view.format === "json") await view.json(answer);
  else if (view.format === "ndjson") await view.ndjson(answer.candidates);
  else if (options.why === true) await view.rows(addendColumns, answer.candidates.flatMap(addendRows));
  else await view.rows(candidateColumns(view), answer.candidates);
  const to = instant(Date.parse(answer.window.to));
  return reading.conclude(checkedText(answer), answer.coverage, to);
}

/** An argument is a moment, a resource or else an event's id; ids never look like the first two. */
async function readTarget(reading: Reading, target: string, options: ElseOptions): Promise<Query> {
  if (looksLikeTime(target)) {
    if (options.at !== undefined)
      throw new IsochronError("usage", "The moment is given twice.", "Drop --at.");
    return { at: formatInstant(await reading.readTime(target)) };
  }
  if (!/^[a-z_]+[/:]/.test(target)) {
    if (options.at !== undefined) {
      throw new IsochronError(
        "usage",
        "An event has its own moment.",
        "Drop --at, or give a resource (TYPE/ID).",
      );
    }
    return { event: target };
  }
  const at = options.at === undefined ? reading.now : await reading.readTime(options.at);
  return { resource: parseResource(target).key, at: formatInstant(at) };
}

/** Several arguments are events, which have moments of their own. */
function readEvents(targets: readonly string[], options: ElseOptions): Query {
  const other = targets.find((target) => looksLikeTime(target) || /^[a-z_]+[/:]/.test(target));
  if (other !== undefined || options.at !== undefined) {
    throw new IsochronError(
      "usage",
      "Only events are asked about together.",
      "Give ids of events alone, or one time or TYPE/ID.",
    );
  }
  return { event: targets };
}

interface AddendRow {
  readonly rank: number;
  readonly summary: string;
  readonly name: string;
  readonly value: number;
  readonly says: string;
}

/** The parts of a score, and what they add up to. */
function addendRows({ rank, event, addends, score }: CandidateJson): readonly AddendRow[] {
  const parts = addends.map((addend) => ({ rank, summary: event.summary, ...addend }));
  return [...parts, { rank, summary: event.summary, name: "score", value: score, says: "sum of the parts" }];
}

const addendColumns: readonly Column<AddendRow>[] = [
  { name: "rank", title: "#", value: (one) => String(one.rank) },
  { name: "summary", title: "WHAT", value: (one) => one.summary },
  { name: "part", title: "PART", value: (one) => one.name },
  { name: "value", title: "VALUE", value: (one) => one.value.toFixed(2) },
  { name: "says", title: "SAYS", value: (one) => one.says },
];

function windowMinutes(text: string): number {
  const minutes = Math.ceil(parseDuration(text) / 60_000);
  if (minutes >= 1 && minutes <= windowMinutesMax) return minutes;
  throw new IsochronError("usage", `--window ${text} is outside 1m to 1d.`, "Look back at most a day.");
}

function candidateColumns(view: View): readonly Column<CandidateJson>[] {
  return [
    { name: "rank", title: "#", value: (one) => String(one.rank) },
    { name: "event_id", title: "EVENT", wide: true, value: (one) => one.event.id },
    { name: "occurred_at", value: (one) => one.event.occurred_at },
    { name: "before_ms", title: "BEFORE", value: (one) => String(one.before_ms), shown: beforeText },
    { name: "direction", value: (one) => one.direction },
    {
      name: "kind",
      title: "KIND",
      value: (one) => one.event.kind,
      shown: (one) => kindText(one.event.kind, view.utf8),
      style: (one) => kindStyle(one.event.kind),
    },
    {
      name: "component",
      title: "COMPONENT",
      value: (one) => entityText(one.event.subject),
    },
    { name: "score", title: "SCORE", wide: true, value: (one) => one.score.toFixed(2) },
    {
      name: "summary",
      title: "WHAT",
      value: (one) => one.event.summary,
      shown: (one) => (one.also > 0 ? `${one.event.summary} (+${one.also} more)` : one.event.summary),
    },
    { name: "path", title: "PATH", wide: true, value: pathText },
    { name: "reason", title: "BECAUSE", value: (one) => one.reason },
  ];
}

function beforeText(candidate: CandidateJson): string {
  if (candidate.direction === "unordered") return "same time";
  if (candidate.direction === "in-progress") return `still open, ${lengthText(candidate.before_ms)}`;
  return lengthText(candidate.before_ms);
}

function pathText(candidate: CandidateJson): string {
  const [first] = candidate.path;
  if (first === undefined) return "";
  return candidate.path.reduce((text, hop) => `${text} → ${entityText(hop.to)}`, entityText(first.from));
}

/** What was looked at and held nothing is evidence too, as far as it was looked at. */
function checkedText({ checked, window, followed = [], cover }: WhatElseJson): string {
  const { events, nothing_on, truncated, cut = [], blind = [] } = checked;
  const length = lengthText(Date.parse(window.to) - Date.parse(window.from));
  const more = cut.map(({ of, most }) => `${of} beyond ${most}`).join(", ");
  const rest = truncated ? ` (not all: ${more === "" ? "there were more" : `not ${more}`})` : "";
  const sentences = [
    `${events} earlier ${events === 1 ? "event" : "events"} looked at in the ${length} before${rest}.`,
  ];
  if (nothing_on.length > 0)
    sentences.push(`Checked, nothing found: ${nothing_on.map(entityText).join(", ")}.`);
  if (blind.length > 0) {
    const blindMs = blind.reduce((sum, { from, to }) => sum + Date.parse(to) - Date.parse(from), 0);
    sentences.push(`Of ${lengthText(blindMs)} something may be missing: nothing found there is unknown.`);
  }
  for (const { id, explains } of (cover?.causes ?? []).filter((cause) => cause.explains.length > 1))
    sentences.push(`${id} lay before ${explains.length} symptoms that hang together with it.`);
  if (followed.length > 0) sentences.push(`Followed by ${followed.length} more, which cannot be its cause.`);
  return sentences.join(" ");
}
