import { Option, type Command } from "commander";
import { formatInstant, instant } from "../../model/instant.ts";
import { alertStates } from "../../model/alert-state.ts";
import type { AlertGroupJson, AlertJson, AlertMemberJson, AlertsJson } from "../api/alert-contract.ts";
import type { Query } from "./api-client.ts";
import { lengthText } from "./coverage-text.ts";
import { entityText } from "./event-columns.ts";
import { exitCodes } from "./exit-code.ts";
import { parseCount } from "./parse-count.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, addStrictOption, type ReadOptions } from "./shared-options.ts";
import { parseDuration } from "./time-text.ts";
import type { Column, View } from "./view.ts";

interface WindowOptions extends ReadOptions {
  readonly since?: string;
  readonly from?: string;
  readonly to?: string;
}

interface ListOptions extends WindowOptions {
  readonly state?: string;
  readonly limit?: number;
}

interface WhyOptions extends ReadOptions {
  readonly why: string;
}

export function addAlertsCommand(program: Command, run: Run): void {
  const command = program
    .command("alerts")
    .summary("alerts in groups: duplicates merged, storms by what they stand on")
    .description(
      "Alerts as they stand: what two monitors tell of one problem is one alert, a storm is one group, and what is expected, flapping or unknown says so.",
    );
  addList(command, run);
  addShow(command, run);
  addSplit(command, run);
  addJoin(command, run);
}

function addWindowOptions(command: Command): Command {
  return command
    .option("--since <length>", "from that long ago until now: 90s, 30m, 2h, 7d (1d)")
    .addOption(new Option("--from <time>", "not over before this moment").conflicts("since"))
    .addOption(
      new Option("--to <time>", "begun before this moment; states are as of then").conflicts("since"),
    );
}

function addList(parent: Command, run: Run): void {
  const command = parent
    .command("list", { isDefault: true })
    .summary("the groups of a window, the latest first")
    .description("Lists groups of alerts, each with its state, the worst severity and what changed before.");
  addWindowOptions(command)
    .addOption(new Option("--state <states>", `only groups of these states: ${alertStates.join(", ")}`))
    .option("-n, --limit <count>", "at most so many", parseCount);
  addStrictOption(command);
  addReadOptions(command, ["table", "wide", "json", "ndjson", "csv", "md"])
    .addHelpText(
      "after",
      `
Examples:
  $ isochron alerts
  $ isochron alerts --since 6h --state firing,unknown
  $ isochron alerts --from "2024-08-02 10:00 CEST" --to "2024-08-02 14:00 CEST" -o json`,
    )
    .action(
      run.action((_, options: ListOptions) =>
        read(run.host, options, (reading) => listGroups(reading, options)),
      ),
    );
}

async function listGroups(reading: Reading, options: ListOptions): Promise<number> {
  const { view } = reading;
  const answer = await reading.client.alerts.list({
    ...(await windowOf(reading, options)),
    state: options.state,
    limit: options.limit,
  });
  if (view.format === "json") await view.json(answer);
  else if (view.format === "ndjson") await view.ndjson(answer.groups);
  else await view.rows(groupColumns(), answer.groups);
  const [from, to] = [answer.window.from, answer.window.to].map((time) => instant(Date.parse(time)));
  return reading.conclude(countText(answer), answer.coverage, to, from);
}

async function windowOf(reading: Reading, { since, from, to }: WindowOptions): Promise<Query> {
  if (since !== undefined) return { from: formatInstant(instant(reading.now - parseDuration(since))) };
  return {
    from: from === undefined ? undefined : formatInstant(await reading.readTime(from)),
    to: to === undefined ? undefined : formatInstant(await reading.readTime(to)),
  };
}

function addShow(parent: Command, run: Run): void {
  const command = parent
    .command("show")
    .summary("one group with its members, and why each belongs to it")
    .description("Shows one group of alerts with every member and the events that tell of them.")
    .argument("<alert>", "the id of a group or of an alert in it, as `alerts` shows it");
  addWindowOptions(command);
  addReadOptions(command, ["table", "json"])
    .addHelpText(
      "after",
      "\nExamples:\n  $ isochron alerts show alg_abcdefghijklmnopqrstuvwxyz --since 2d\n  $ isochron alerts show alg_abcdefghijklmnopqrstuvwxyz -o json",
    )
    .action(
      run.action(([id = ""], options: WindowOptions) =>
        read(run.host, options, async (reading) => {
          const group = await reading.client.alerts.group(id, await windowOf(reading, options));
          if (reading.view.format === "json") await reading.view.json(group);
          else await printGroup(reading.view, group);
          return exitCodes.ok;
        }),
      ),
    );
}

function addSplit(parent: Command, run: Run): void {
  const command = parent
    .command("split")
    .summary("let one monitor's alert stand alone")
    .description(
      "Takes one monitor's alerts of a problem out of the duplicates that they are merged with, from now on and looking back.",
    )
    .argument("<event>", "an event of the member, as `alerts show` names it")
    .requiredOption("--why <reason>", "why, as the audit shall have it");
  addReadOptions(command, ["table", "json"])
    .addHelpText(
      "after",
      '\nExamples:\n  $ isochron alerts split evt_mfzhi6lb5nq3v2ktw4xy7ucdoe --why "another disk"',
    )
    .action(
      run.action(([event = ""], options: WhyOptions) =>
        read(run.host, options, async ({ client, view }) => {
          const split = await client.alerts.split({ event, why: options.why });
          if (view.format === "json") await view.json(split);
          else await view.line(`${split.id}: ${split.series} stands alone.`);
          return exitCodes.ok;
        }),
      ),
    );
}

function addJoin(parent: Command, run: Run): void {
  const command = parent
    .command("join")
    .summary("take a split back")
    .description("Takes a split back: what was merged before is merged again.")
    .argument("<split>", "the split, as `alerts show` names it")
    .requiredOption("--why <reason>", "why, as the audit shall have it");
  addReadOptions(command, ["table", "json"])
    .addHelpText(
      "after",
      '\nExamples:\n  $ isochron alerts join spl_0123456789abcdefghijklmnop --why "the same disk after all"',
    )
    .action(
      run.action(([id = ""], options: WhyOptions) =>
        read(run.host, options, async ({ client, view }) => {
          const undone = await client.alerts.join(id, { why: options.why });
          if (view.format === "json") await view.json(undone);
          else await view.line(`${undone.id} is taken back.`);
          return exitCodes.ok;
        }),
      ),
    );
}

const styles = {
  firing: "red",
  flapping: "yellow",
  unknown: "yellow",
  expected: undefined,
  resolved: "dim",
} as const;

function groupColumns(): readonly Column<AlertGroupJson>[] {
  return [
    { name: "id", title: "ID", wide: true, value: (one) => one.id },
    { name: "state", title: "STATE", value: (one) => one.state, style: (one) => styles[one.state] },
    { name: "severity", title: "SEVERITY", value: (one) => one.severity },
    { name: "from", title: "SINCE", value: (one) => one.from },
    { name: "alerts", title: "ALERTS", value: (one) => String(one.alerts.length) },
    { name: "on", title: "ON", value: (one) => entityText(one.on ?? one.alerts[0]!.thing) },
    {
      name: "problem",
      title: "WHAT",
      value: (one) => [...new Set(one.alerts.map(({ problem_class: name }) => name))].join(", "),
    },
    { name: "note", title: "NOTE", value: noteText },
    {
      name: "changed_before",
      title: "CHANGED BEFORE",
      value: ({ changed_before: cause }) => cause?.event.summary ?? "",
      shown: ({ changed_before: cause }) =>
        cause === null ? "" : `${cause.event.summary}, ${lengthText(cause.before_ms)} before`,
    },
    { name: "why", title: "WHY", wide: true, value: (one) => one.why },
  ];
}

/** What was expected and what nobody knows is said wherever it holds for any member. */
function noteText({ alerts }: AlertGroupJson): string {
  const members = alerts.flatMap((alert) => alert.members);
  const notes = members.flatMap(({ unknown, expected }) => unknown ?? expected ?? []);
  const [first] = notes;
  if (first === undefined) return "";
  return notes.length < members.length ? `${first} (${notes.length} of ${members.length})` : first;
}

function countText({ groups, windows, checked }: AlertsJson): string {
  const alerts = groups.reduce((sum, group) => sum + group.alerts.length, 0);
  const planned = windows.length === 0 ? "" : ` ${windows.length} of known work reach into it.`;
  const cut = checked.truncated ? " There were more than were looked at or shown." : "";
  return `${alerts} ${alerts === 1 ? "alert" : "alerts"} in ${groups.length} ${groups.length === 1 ? "group" : "groups"}.${planned}${cut}`;
}

async function printGroup(view: View, group: AlertGroupJson): Promise<void> {
  await view.line(`${group.state} (${group.severity}): ${group.why}`);
  if (group.changed_before !== null)
    await view.line(`${group.changed_before.says} (${group.changed_before.event.id})`);
  for (const alert of group.alerts) await printAlert(view, alert);
}

async function printAlert(view: View, alert: AlertJson): Promise<void> {
  await view.line("");
  await view.line(`${alert.id}  ${entityText(alert.thing)}: ${alert.problem_class}, ${alert.state}`);
  for (const member of alert.members) await view.line(`  ${memberText(member)}`);
}

function memberText(member: AlertMemberJson): string {
  const { monitor, problem, state, from, to, first_event: first, why, expected, unknown, split } = member;
  const told = [monitor, `“${problem}”`].filter((word) => word !== undefined).join(" ");
  const span = `${from ?? "before"} to ${to ?? "now"}`;
  const notes = [why, expected, unknown, split === undefined ? undefined : `stands alone by ${split}`];
  const said = notes.filter((note) => note !== undefined).map((note) => `; ${note}`);
  return `${told} ${state}, ${span} (${first})${said.join("")}`;
}
