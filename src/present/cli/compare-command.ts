import type { Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { formatInstant, instant } from "../../model/instant.ts";
import type { CompareJson, FindingJson } from "../api/compare-contract.ts";
import type { Query } from "./api-client.ts";
import { lengthText } from "./coverage-text.ts";
import {
  addEventFilterOptions,
  readFilter,
  readWindow,
  type EventFilterOptions,
} from "./event-filter-options.ts";
import { parseCount } from "./parse-count.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, addStrictOption, type ReadOptions } from "./shared-options.ts";
import type { Column } from "./view.ts";

interface CompareOptions extends ReadOptions, EventFilterOptions {
  readonly baseline?: string;
  readonly baselineFilter?: readonly string[];
  readonly rate?: string;
  readonly limit?: number;
}

export function addCompareCommand(program: Command, run: Run): void {
  const command = program
    .command("compare")
    .summary("what stands out of a selection, against what is usual")
    .description(
      "Ranks the attributes that a selection of events has more often, or less, than its baseline: by default the same hours of the days before.",
    );
  addEventFilterOptions(command)
    .optionsGroup("Baseline:")
    .option(
      "--baseline <what>",
      "same-hours: the same hours of the days before (the default); rest: all else of the span; FROM..TO: another span",
    )
    .option(
      "--baseline-filter <name=value>",
      "a filter of the baseline's own, such as kind=change; can be given again",
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .optionsGroup("How many:")
    .option("--rate <share>", "of what is told at most this share is chance, on average (0.05)")
    .option("-n, --limit <count>", "at most so many", parseCount);
  addStrictOption(command);
  addReadOptions(command, ["table", "wide", "json", "ndjson", "csv", "md"])
    .addHelpText(
      "after",
      `
Examples:
  $ isochron compare --from 10:00 --to 10:30
  $ isochron compare --around "2024-08-02 12:35 CEST" --window 15m --kind symptom
  $ isochron compare --since 2h --severity error --baseline rest
  $ isochron compare --from 10:00 --to 10:30 --baseline "08:00..09:00" --rate 0.01 -o md
  $ isochron compare --since 1h -r host/cmp-17 --baseline rest --baseline-filter kind=change -o json`,
    )
    .action(
      run.action((_, options: CompareOptions) =>
        read(run.host, options, (reading) => compare(reading, options)),
      ),
    );
}

async function compare(reading: Reading, options: CompareOptions): Promise<number> {
  const { view } = reading;
  const window = await readWindow(reading, options);
  if (window.from === undefined) {
    throw new IsochronError("usage", "The selection has no beginning.", "Give --from, --since or --around.");
  }
  const to = window.to ?? reading.now;
  const answer = await reading.client.compare({
    ...(await readFilter(reading, options)),
    from: formatInstant(window.from),
    to: formatInstant(to),
    ...(await readBaseline(reading, options)),
    rate: options.rate,
    limit: options.limit,
  });
  if (view.format === "json") await view.json(answer);
  else if (view.format === "ndjson") await view.ndjson(answer.findings);
  else await view.rows(findingColumns, answer.findings);
  const first = instant(Math.min(window.from, ...answer.baseline.spans.map(({ from }) => Date.parse(from))));
  return reading.conclude(testedText(answer), answer.coverage, to, first);
}

async function readBaseline(
  reading: Reading,
  { baseline, baselineFilter = [] }: CompareOptions,
): Promise<Query> {
  const given: Record<string, string> = {};
  for (const text of baselineFilter) {
    const [, name, value] = /^([a-z]+)=(.+)$/.exec(text) ?? [];
    if (name === undefined || value === undefined) {
      throw new IsochronError("usage", `"${text}" is no filter.`, "Write NAME=VALUE, such as kind=change.");
    }
    given[`baseline_${name}`] = value;
  }
  const hasFilter = baselineFilter.length > 0;
  // With a filter of its own the baseline has the selection's span, which is what "rest" means too.
  if (baseline === undefined || (baseline === "rest" && hasFilter)) return given;
  if (baseline === "same-hours" || baseline === "rest") {
    if (!hasFilter) return { baseline };
    throw new IsochronError("usage", "The same hours have the same filter.", "Drop --baseline-filter.");
  }
  const [from, to, ...more] = baseline.split("..");
  if (from === undefined || to === undefined || more.length > 0) {
    throw new IsochronError(
      "usage",
      `"${baseline}" is no baseline.`,
      'Write same-hours, rest, or a span such as "08:00..09:00".',
    );
  }
  return {
    ...given,
    baseline_from: formatInstant(await reading.readTime(from.trim())),
    baseline_to: formatInstant(await reading.readTime(to.trim())),
  };
}

const findingColumns: readonly Column<FindingJson>[] = [
  { name: "attribute", title: "ATTRIBUTE", value: (one) => one.attribute },
  { name: "value", title: "VALUE", value: (one) => one.value },
  { name: "direction", title: "HERE", value: (one) => one.direction },
  { name: "inside", value: (one) => String(one.inside) },
  { name: "outside", value: (one) => String(one.outside) },
  { name: "z", title: "Z", value: (one) => one.z.toFixed(1) },
  { name: "log_odds", title: "LOG ODDS", wide: true, value: (one) => one.log_odds.toFixed(2) },
  { name: "adjusted", title: "P", wide: true, value: (one) => one.adjusted.toExponential(1) },
  { name: "says", title: "IN WORDS", value: (one) => one.says },
];

const baselineWords: Readonly<Record<CompareJson["baseline"]["kind"], string>> = {
  "same-hours": "the same hours before",
  rest: "all else of the span",
  given: "the given baseline",
};

function testedText(answer: CompareJson): string {
  const { selection, baseline, found, tested, rate } = answer;
  const length = lengthText(Date.parse(selection.to) - Date.parse(selection.from));
  const held = `${selection.events} events of ${length} against ${baseline.events} of ${baselineWords[baseline.kind]}`;
  if (selection.events === 0 || baseline.events === 0) return `${held}: nothing can be said.`;
  const stands =
    found === 0 ? "nothing stands out" : `${found} ${found === 1 ? "value stands" : "values stand"} out`;
  const cut = answer.truncated ? " There were more events than were counted: the newest were." : "";
  return `${held}: ${stands} of ${tested} tried, at a false discovery rate of ${rate}.${cut}`;
}
