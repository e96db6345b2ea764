import type { Command } from "commander";
import { formatInstant, instant } from "../../model/instant.ts";
import type { OperationAnswerJson, OperationJson, OperationSummaryJson } from "../api/operation-contract.ts";
import { lengthText } from "./coverage-text.ts";
import { entityText } from "./event-columns.ts";
import { parseCount } from "./parse-count.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, addStrictOption, parseResource, type ReadOptions } from "./shared-options.ts";
import type { Column, Style, View } from "./view.ts";

interface ListOptions extends ReadOptions {
  readonly since?: string;
  readonly until?: string;
  readonly state?: string;
  readonly template?: string;
  readonly resource?: string;
  readonly tenant?: string;
  readonly stuck?: boolean;
  readonly limit?: number;
}

const barChars = 32;

export function addOperationCommand(program: Command, run: Run): void {
  const group = program
    .command("op")
    .summary("long operations, rebuilt from what was told of their steps")
    .description(
      "Migrations, restores, backups and other long work as spans: how far they came, and what is missing.",
    );
  addList(group, run);
  addShow(group, run);
}

function addList(group: Command, run: Run): void {
  const command = group
    .command("list")
    .summary("operations of a span of time, the latest first")
    .option("--since <time>", "that reach into the span from here on (24 hours before its end)")
    .option("--until <time>", "and that began before here (now)")
    .option("--state <words>", "ok, failed, running, no-end-seen or unknown; several by commas")
    .option("--template <words>", "kinds of operations such as backup,restore")
    .option("--resource <type/id>", "that work on this")
    .option("--tenant <project>", "made of this project's events")
    .option("--stuck", "only those that are waited for in vain")
    .option("-n, --limit <count>", "at most so many", parseCount);
  addStrictOption(command);
  addReadOptions(command, ["table", "wide", "json", "ndjson", "csv", "md"])
    .addHelpText(
      "after",
      `
Examples:
  $ isochron op list --stuck
  $ isochron op list --since 2h --template live-migration,evacuate
  $ isochron op list --resource server/6f3c9a1e-52d4-4c5e-9d0c-1b7a0f6f2c11 -o json`,
    )
    .action(
      run.action((_none, options: ListOptions) =>
        read(run.host, options, (reading) => list(reading, options)),
      ),
    );
}

function addShow(group: Command, run: Run): void {
  const command = group
    .command("show")
    .summary("one operation as a waterfall of its steps and parts")
    .argument("<operation>", "its id, as `op list` tells it");
  addStrictOption(command);
  addReadOptions(command, ["table", "wide", "json", "ndjson", "csv", "md"])
    .addHelpText(
      "after",
      `
Examples:
  $ isochron op show "$(isochron op list --stuck -o json | jq -r '.operations[0].id')"`,
    )
    .action(
      run.action(([id], options: ReadOptions) =>
        read(run.host, options, (reading) => show(reading, id ?? "")),
      ),
    );
}

async function list(reading: Reading, options: ListOptions): Promise<number> {
  const { view } = reading;
  const to = options.until === undefined ? reading.now : await reading.readTime(options.until);
  const from = options.since === undefined ? undefined : await reading.readTime(options.since);
  const answer = await reading.client.operations({
    from: from === undefined ? undefined : formatInstant(from),
    to: formatInstant(to),
    state: options.state,
    template: options.template,
    resource: options.resource === undefined ? undefined : parseResource(options.resource).key,
    tenant: options.tenant,
    stuck: options.stuck === true ? "true" : undefined,
    limit: options.limit,
  });
  if (view.format === "json") await view.json(answer);
  else if (view.format === "ndjson") await view.ndjson(answer.operations);
  else await view.rows(listColumns(view), answer.operations);
  const more = answer.truncated ? " There are more: ask for a shorter span." : "";
  return reading.conclude(`${answer.operations.length} operations.${more}`, answer.coverage, to, from);
}

function listColumns(view: View): readonly Column<OperationSummaryJson>[] {
  return [
    { name: "state", title: "STATE", value: stateText, style: stateStyle },
    {
      name: "began",
      title: "BEGAN",
      value: (one) => one.first_seen_at,
      shown: (one) => view.zone.rfc3339(instant(Date.parse(one.first_seen_at))),
    },
    { name: "took", title: "TOOK", value: tookText },
    { name: "operation", title: "OPERATION", value: ({ title }) => title },
    { name: "on", title: "ON", value: ({ entity }) => entityText(entity) },
    { name: "progress", title: "DONE", value: progressText },
    { name: "says", title: "SAYS", wide: true, value: ({ says }) => says },
    { name: "id", title: "ID", wide: true, value: ({ id }) => id },
  ];
}

function stateText({ state, stuck }: OperationSummaryJson): string {
  return stuck ? `${state}, stuck` : state;
}

function stateStyle({ state, stuck }: OperationSummaryJson): Style | undefined {
  if (state === "failed" || stuck) return "red";
  return state === "ok" ? "green" : "yellow";
}

function tookText({ started_at: started, ended_at: ended }: OperationSummaryJson): string {
  return started === undefined || ended === undefined
    ? ""
    : lengthText(Date.parse(ended) - Date.parse(started));
}

function progressText({ progress: { done, total } }: OperationSummaryJson): string {
  return `${done} of ${total}`;
}

/** One line of the waterfall. */
interface Line {
  readonly name: string;
  readonly on: string;
  readonly state: string;
  readonly from: number;
  readonly to: number;
  readonly attempts: number;
}

async function show(reading: Reading, id: string): Promise<number> {
  const { view } = reading;
  const answer = await reading.client.operation(id);
  const lines = linesOf(answer);
  if (view.format === "json") await view.json(answer);
  else if (view.format === "ndjson") await view.ndjson(lines);
  else await view.rows(waterfallColumns(view, lines), lines);
  const { operation } = answer;
  const missing = operation.missing.length === 0 ? "" : ` Not seen: ${operation.missing.join(", ")}.`;
  const text = `${operation.title}: ${stateText(operation)}, ${progressText(operation)}. ${operation.says}${missing}`;
  return reading.conclude(text, answer.coverage, instant(Date.parse(operation.last_seen_at)));
}

function linesOf({ operation, parts }: OperationAnswerJson): readonly Line[] {
  const depths = new Map([[operation.id, 0]]);
  const lines = operationLines(operation, 0);
  for (const part of parts) {
    const depth = (depths.get(part.within) ?? 0) + 1;
    depths.set(part.id, depth);
    lines.push(...operationLines(part, depth));
  }
  return lines;
}

function operationLines(operation: OperationJson, depth: number): Line[] {
  const head = {
    name: `${"  ".repeat(depth)}${operation.title}`,
    on: entityText(operation.entity),
    state: stateText(operation),
    ...spanOf(operation),
    attempts: operation.attempts,
  };
  const steps = operation.steps.map((step) => ({
    name: `${"  ".repeat(depth + step.depth + 1)}${step.name}`,
    on: entityText(step.entity),
    state: step.state,
    ...spanOf(step),
    attempts: step.attempts,
  }));
  return [head, ...steps];
}

function spanOf(one: {
  readonly first_seen_at: string;
  readonly last_seen_at: string;
}): Pick<Line, "from" | "to"> {
  return { from: Date.parse(one.first_seen_at), to: Date.parse(one.last_seen_at) };
}

function waterfallColumns(view: View, lines: readonly Line[]): readonly Column<Line>[] {
  const from = Math.min(...lines.map((line) => line.from));
  const to = Math.max(...lines.map((line) => line.to), from + 1);
  const full = view.utf8 ? "█" : "#";
  const bar = (line: Line): string => {
    const start = Math.floor(((line.from - from) / (to - from)) * (barChars - 1));
    const end = Math.max(start + 1, Math.ceil(((line.to - from) / (to - from)) * barChars));
    const open = line.state === "open" || line.state.startsWith("no-end") ? "?" : "";
    return `${" ".repeat(start)}${full.repeat(end - start)}${open}`;
  };
  return [
    { name: "step", title: "STEP", value: (line) => line.name },
    { name: "on", title: "ON", value: (line) => line.on },
    {
      name: "state",
      title: "STATE",
      value: (line) => (line.attempts > 1 ? `${line.state} at try ${line.attempts}` : line.state),
    },
    { name: "began_at", value: (line) => formatInstant(instant(line.from)) },
    { name: "took_ms", value: (line) => String(line.to - line.from) },
    { name: "took", title: "TOOK", tableOnly: true, value: (line) => lengthText(line.to - line.from) },
    { name: "waterfall", title: "WHEN", tableOnly: true, value: bar },
  ];
}
