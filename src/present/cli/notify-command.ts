import { InvalidArgumentError, Option, type Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { categories, eventKinds, severities } from "../../model/event.ts";
import { incidentStates } from "../../model/incident.ts";
import { instant } from "../../model/instant.ts";
import { notificationFormats, ruleGroupings } from "../../model/notification.ts";
import type { CreateRuleJson, DeliveryJson, EditRuleJson, RuleJson } from "../api/notification-contract.ts";
import { tenantText } from "./event-columns.ts";
import { exitCodes } from "./exit-code.ts";
import { parseCount } from "./parse-count.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, type ReadOptions } from "./shared-options.ts";
import { parseDuration } from "./time-text.ts";
import type { Column, View } from "./view.ts";

interface AddOptions extends ReadOptions {
  readonly name: string;
  readonly url: string;
  readonly format: CreateRuleJson["format"];
  readonly type?: string;
  readonly kind?: string;
  readonly category?: string;
  readonly severity?: (typeof severities)[number];
  readonly resource?: string;
  readonly query?: string;
  readonly atLeast?: number;
  readonly within?: string;
  readonly missingFor?: string;
  readonly severityRise?: true;
  readonly incidentState?: string;
  readonly groupBy?: string;
  readonly quiet: string;
  readonly project?: string;
  readonly domain?: string;
  readonly signingSecret?: string;
  readonly authorization?: string;
  readonly opensIncident?: true;
}

/** Rules that tell others of events. */
export function addNotifyCommand(program: Command, run: Run): void {
  const command = program
    .command("notify")
    .summary("rules that tell others of events: list, show, add, disable, enable, test, replay")
    .description(
      "A rule posts a message to a webhook when events match a query and a condition. It is told what its maker may see, and nothing else.",
    );
  addList(command, run);
  addShow(command, run);
  addAdd(command, run);
  addSwitch(command, run, "disable", false);
  addSwitch(command, run, "enable", true);
  addTest(command, run);
  addReplay(command, run);
}

function addList(parent: Command, run: Run): void {
  const command = parent
    .command("list")
    .summary("list the rules")
    .description("Lists the rules as they stand.");
  addReadOptions(command)
    .addHelpText("after", "\nExamples:\n  $ isochron notify list\n  $ isochron notify list -o json")
    .action(
      run.action((_, options: ReadOptions) =>
        read(run.host, options, async ({ client, view }) => {
          const listed = await client.notifications.list();
          if (view.format === "json") await view.json(listed);
          else if (view.format === "ndjson") await view.ndjson(listed.rules);
          else await view.rows(ruleColumns, listed.rules);
          return exitCodes.ok;
        }),
      ),
    );
}

function addShow(parent: Command, run: Run): void {
  const command = parent
    .command("show")
    .summary("what became of a rule's messages")
    .description("Lists the messages of one rule, latest first, with what the target answered.")
    .argument("<rule>", "the rule, as `notify list` shows it");
  addReadOptions(command)
    .addHelpText("after", "\nExamples:\n  $ isochron notify show ntf_0c1d2e3f4a5b6c7d8e9f")
    .action(
      run.action(([id = ""], options: ReadOptions) =>
        read(run.host, options, async ({ client, view }) => {
          const rule = await client.notifications.find(id);
          const { deliveries } = await client.notifications.deliveries(id);
          if (view.format === "json") await view.json({ ...rule, deliveries });
          else if (view.format === "ndjson") await view.ndjson(deliveries);
          else await view.rows(deliveryColumns(view), deliveries);
          if (rule.paused !== null) await view.note(`It rests: ${rule.paused.why}`);
          return exitCodes.ok;
        }),
      ),
    );
}

function addAdd(parent: Command, run: Run): void {
  const command = parent
    .command("add")
    .summary("make a rule")
    .description(
      "Makes a rule. The key that its messages are signed with (Standard Webhooks) is printed this once.",
    )
    .requiredOption("--name <name>", "what it is for")
    .requiredOption(
      "--url <url>",
      "where messages are posted; kept sealed, and only its origin is shown again",
    )
    .addOption(
      new Option("--format <format>", "how messages are written")
        .choices(notificationFormats)
        .default("webhook"),
    )
    .optionsGroup("Events:")
    .option("--type <types>", "of any of these types; a trailing * matches any ending")
    .addOption(listOption("--kind <kinds>", "of any of these kinds", eventKinds))
    .addOption(listOption("--category <categories>", "of any of these categories", categories))
    .addOption(new Option("--severity <severity>", "of this severity and above").choices(severities))
    .option("-r, --resource <type/id>", "about this resource, or mentioning it")
    .option("-q, --query <text>", "with this text in summary, names or ids")
    .optionsGroup("Condition (each event where none is given):")
    .addOption(
      new Option("--at-least <number>", "so many within --within")
        .argParser(parseCount)
        .conflicts("missingFor"),
    )
    .option("--within <length>", "the span for --at-least, such as 10m")
    .option("--missing-for <length>", "none for so long, such as 26h")
    .addOption(
      new Option("--severity-rise", "an event is worse than the one before it").conflicts([
        "atLeast",
        "missingFor",
      ]),
    )
    .addOption(listOption("--group-by <groupings>", "gather by any of these", ruleGroupings))
    .option("--quiet <length>", "no second message of the same group within", "0s")
    .optionsGroup("Whose:")
    .addOption(new Option("--project <id>", "of this project").conflicts("domain"))
    .option("--domain <id>", "of this domain")
    .optionsGroup("Of the provider's rules:")
    .option("--signing-secret <reference>", "credential:notify-NAME or env:NOTIFY_NAME to sign with")
    .option("--authorization <reference>", "the same for the value of the Authorization header")
    .addOption(
      listOption(
        "--incident-state <states>",
        "when an incident comes into any of these",
        incidentStates,
      ).conflicts(["atLeast", "missingFor", "severityRise", "opensIncident"]),
    )
    .option("--opens-incident", "open an incident too, one for each group and day");
  addReadOptions(command, ["table", "json"])
    .addHelpText(
      "after",
      `
Examples:
  $ isochron notify add --name "no backup" --type backup.end --missing-for 26h --group-by resource --url https://hooks.example.org/T1 --format slack
  $ isochron notify add --name critical --severity critical --quiet 15m --group-by resource --url https://am.example.org --format alertmanager`,
    )
    .action(
      run.action((_, options: AddOptions) => read(run.host, options, (reading) => add(reading, options))),
    );
}

async function add({ client, view }: Reading, options: AddOptions): Promise<number> {
  const made = await client.notifications.make(orderOf(options));
  if (view.format === "json") await view.json(made);
  else if (made.signing_key !== undefined) await view.line(made.signing_key);
  await view.note(
    made.signing_key === undefined
      ? `Rule ${made.id} is made.`
      : `Rule ${made.id} is made. Its messages are signed with this key, which is shown this once: give it to the receiver.`,
  );
  return exitCodes.ok;
}

function orderOf(options: AddOptions): CreateRuleJson {
  const { name, url, format, severity, resource, query, project, domain, controlPlane } = options;
  const list = (text: string | undefined) => text?.split(",").map((word) => word.trim());
  const owner =
    project === undefined && domain === undefined
      ? undefined
      : { control_plane: controlPlane ?? "default", project_id: project, domain_id: domain };
  const order = {
    name,
    url,
    format,
    query: {
      type: list(options.type),
      kind: list(options.kind),
      category: list(options.category),
      severity,
      resource,
      q: query,
    },
    condition: conditionOf(options),
    group_by: list(options.groupBy) ?? [],
    quiet_seconds: Math.round(parseDuration(options.quiet) / 1_000),
    owner,
    signing_secret: options.signingSecret,
    authorization: options.authorization,
    opens_incident: options.opensIncident === true,
  };
  // The server checks every word of it; what is absent stays out of the JSON.
  return JSON.parse(JSON.stringify(order)) as CreateRuleJson;
}

function conditionOf({
  atLeast,
  within,
  missingFor,
  severityRise,
  incidentState,
}: AddOptions): NonNullable<CreateRuleJson["condition"]> {
  if (incidentState !== undefined) {
    const states = incidentState.split(",").map((word) => word.trim());
    return { kind: "incident-state", states: incidentStates.filter((state) => states.includes(state)) };
  }
  if (missingFor !== undefined)
    return { kind: "absence", span_seconds: Math.round(parseDuration(missingFor) / 1_000) };
  if (severityRise === true) return { kind: "severity-rise" };
  if (atLeast === undefined) return { kind: "each" };
  if (within === undefined)
    throw new IsochronError("usage", "--at-least says no span.", "Add --within, such as --within 10m.");
  return { kind: "at-least", count: atLeast, within_seconds: Math.round(parseDuration(within) / 1_000) };
}

function addSwitch(parent: Command, run: Run, name: "disable" | "enable", enabled: boolean): void {
  const command = parent
    .command(name)
    .summary(enabled ? "let a rule run again, on your own right" : "let a rule rest")
    .description(
      enabled
        ? "Lets a rule that was disabled or that rests run again, from now on. It then rests on your right; secrets that it names are named anew."
        : "Lets a rule rest until somebody enables it. What waits to be sent waits on.",
    )
    .argument("<rule>", "the rule, as `notify list` shows it");
  if (enabled)
    command
      .option("--signing-secret <reference>", "credential:notify-NAME or env:NOTIFY_NAME to sign with")
      .option("--authorization <reference>", "the same for the value of the Authorization header");
  addReadOptions(command, ["table", "json"])
    .addHelpText("after", `\nExamples:\n  $ isochron notify ${name} ntf_0c1d2e3f4a5b6c7d8e9f`)
    .action(
      run.action(([id = ""], options: AddOptions) =>
        read(run.host, options, async ({ client, view }) => {
          const before = await client.notifications.find(id);
          const rule = await client.notifications.edit(id, editOf(before, enabled, options));
          if (view.format === "json") await view.json(rule);
          await view.note(`${rule.name} ${enabled ? "runs" : "is disabled"} (version ${rule.version}).`);
          return exitCodes.ok;
        }),
      ),
    );
}

/** The rule as it stands; a secret is kept where the answer names it, or named by the options. */
function editOf(rule: RuleJson, enabled: boolean, options: AddOptions): EditRuleJson {
  const { name, query, condition, group_by, quiet_seconds, horizon_hours, format, opens_incident } = rule;
  const signing = options.signingSecret ?? rule.target.signing_secret ?? undefined;
  const authorization = options.authorization ?? rule.target.authorization ?? undefined;
  return {
    name,
    query,
    condition,
    group_by,
    quiet_seconds,
    horizon_hours,
    format,
    opens_incident,
    enabled,
    expected_version: rule.version,
    ...(signing === undefined ? {} : { signing_secret: signing }),
    ...(authorization === undefined ? {} : { authorization }),
  };
}

function addTest(parent: Command, run: Run): void {
  const command = parent
    .command("test")
    .summary("send a message that tells of nothing")
    .description(
      "Posts a test message, once, and tells what the target answered. Exits 1 when it was not taken.",
    )
    .argument("<rule>", "the rule, as `notify list` shows it");
  addReadOptions(command, ["table", "json"])
    .addHelpText("after", "\nExamples:\n  $ isochron notify test ntf_0c1d2e3f4a5b6c7d8e9f")
    .action(
      run.action(([id = ""], options: ReadOptions) =>
        read(run.host, options, async ({ client, view }) => {
          const delivery = await client.notifications.test(id);
          if (view.format === "json") await view.json(delivery);
          else await view.line(delivery.last_answer ?? "Nothing was sent.");
          return delivery.state === "sent" ? exitCodes.ok : exitCodes.failure;
        }),
      ),
    );
}

function addReplay(parent: Command, run: Run): void {
  const command = parent
    .command("replay")
    .summary("send again what was given up")
    .description("Makes the dead messages of a rule wait again, all of them or one.")
    .argument("<rule>", "the rule, as `notify list` shows it")
    .option("--delivery <id>", "only this message");
  addReadOptions(command, ["table", "json"])
    .addHelpText("after", "\nExamples:\n  $ isochron notify replay ntf_0c1d2e3f4a5b6c7d8e9f")
    .action(
      run.action(([id = ""], options: ReadOptions & { readonly delivery?: string }) =>
        read(run.host, options, async ({ client, view }) => {
          const answer = await client.notifications.replay(id, options.delivery);
          if (view.format === "json") await view.json(answer);
          await view.note(
            `${answer.replayed} ${answer.replayed === 1 ? "message waits" : "messages wait"} again.`,
          );
          return exitCodes.ok;
        }),
      ),
    );
}

function listOption(flags: string, description: string, allowed: readonly string[]): Option {
  return new Option(flags, `${description}, comma-separated`).choices(allowed).argParser((text) => {
    const unknown = text.split(",").filter((word) => !allowed.includes(word.trim()));
    if (unknown.length > 0) throw new InvalidArgumentError(`Allowed are ${allowed.join(", ")}.`);
    return text;
  });
}

const ruleColumns: readonly Column<RuleJson>[] = [
  { name: "id", title: "RULE", value: ({ id }) => id },
  { name: "name", title: "NAME", value: ({ name }) => name },
  {
    name: "state",
    title: "STATE",
    value: ({ enabled, paused }) =>
      !enabled ? "disabled" : paused === null ? "running" : `rests: ${paused.why}`,
  },
  {
    name: "owner",
    title: "WHOSE",
    value: ({ owner }) => (owner === null ? "the provider" : tenantText(owner)),
  },
  { name: "when", title: "WHEN", value: ({ condition }) => condition.kind },
  { name: "target", title: "TO", value: ({ format, target }) => `${format} ${target.origin}` },
  { name: "messages", title: "MESSAGES", value: ({ counts }) => String(counts.messages) },
  { name: "last", title: "LAST", value: ({ last_deliveries: [last] }) => last?.state ?? "" },
];

function deliveryColumns(view: View): readonly Column<DeliveryJson>[] {
  return [
    { name: "id", title: "MESSAGE", value: ({ id }) => id },
    {
      name: "made_at",
      title: "MADE",
      value: ({ made_at }) => made_at,
      shown: ({ made_at }) => view.zone.rfc3339(instant(Date.parse(made_at))),
    },
    { name: "kind", title: "KIND", value: ({ kind, late }) => (late ? `${kind}, late` : kind) },
    { name: "events", title: "EVENTS", value: ({ events }) => String(events) },
    { name: "state", title: "STATE", value: ({ state }) => state },
    { name: "attempts", title: "TRIES", value: ({ attempts }) => String(attempts) },
    { name: "last_answer", title: "ANSWER", value: ({ last_answer }) => last_answer ?? "" },
  ];
}
