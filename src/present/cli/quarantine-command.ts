import type { Command } from "commander";
import { instant } from "../../model/instant.ts";
import type { QuarantineGroupJson } from "../api/quarantine-contract.ts";
import { tenantText } from "./event-columns.ts";
import { exitCodes } from "./exit-code.ts";
import { read } from "./reading.ts";
import { addAssignCommand, addRuleCommand } from "./quarantine-rule-command.ts";
import type { Run } from "./run.ts";
import { addReadOptions, type ReadOptions } from "./shared-options.ts";
import type { Column, View } from "./view.ts";

interface GroupOptions extends ReadOptions {
  readonly reason?: string;
}

export function addQuarantineCommand(program: Command, run: Run): void {
  const command = program
    .command("quarantine")
    .summary("events that have no owner yet: list, rule, assign")
    .description(
      "Lists the events whose owner is ambiguous or unknown, by reason, and rules whose they are. Nobody but the provider sees them.",
    )
    .addHelpText(
      "after",
      `
Examples:
  $ isochron quarantine
  $ isochron quarantine rule --type 'alert.*' --connection zabbix --alias name:web-1 --tenant 6f3c9a1e --why "their VM"
  $ isochron quarantine assign evt_mfzhi6lb5nq3v2ktw4xy7ucdoe --provider --why "our own test" --yes`,
    );
  addGroups(command, run);
  addRuleCommand(command, run);
  addAssignCommand(command, run);
}

function addGroups(parent: Command, run: Run): void {
  const command = parent
    .command("list", { isDefault: true })
    .summary("group them by reason, type and connection")
    .description("Groups the events that have no owner yet, with what is lacking and who is possible.")
    .option("--reason <reason>", "only this reason, such as no-owner-known or ruling-contradicted");
  addReadOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron quarantine
  $ isochron quarantine --reason several-owners
  $ isochron quarantine -o json | jq -r '.groups[].example.id' | xargs -n 1 isochron why`,
    )
    .action(
      run.action((_, options: GroupOptions) =>
        read(run.host, options, async ({ client, view }) => {
          const quarantine = await client.quarantine({ reason: options.reason });
          if (view.format === "json") await view.json(quarantine);
          else if (view.format === "ndjson") await view.ndjson(quarantine.groups);
          else await view.rows(groupColumns(view), quarantine.groups);
          const least = quarantine.at_least ? "At least " : "";
          const what = quarantine.total === 1 ? "1 event has" : `${quarantine.total} events have`;
          await view.note(`${least}${what} no owner; nobody outside the provider can see them.`);
          if (quarantine.truncated) await view.note("There are more groups; narrow them with --reason.");
          return exitCodes.ok;
        }),
      ),
    );
}

function groupColumns(view: View): readonly Column<QuarantineGroupJson>[] {
  const time = (text: string): string => view.zone.rfc3339(instant(Date.parse(text)));
  return [
    { name: "reason", title: "REASON", value: (group) => group.reason },
    {
      name: "count",
      title: "COUNT",
      value: (group) => String(group.count),
      shown: (group) => (group.at_least ? `${group.count}+` : String(group.count)),
    },
    { name: "type", title: "TYPE", value: (group) => group.type },
    { name: "connection", title: "FROM", value: (group) => group.connection },
    { name: "oldest", title: "OLDEST", value: (group) => group.oldest, shown: (group) => time(group.oldest) },
    {
      name: "newest",
      title: "NEWEST",
      wide: true,
      value: (group) => group.newest,
      shown: (group) => time(group.newest),
    },
    { name: "candidates", title: "POSSIBLE", value: possibleOf },
    { name: "lacks", title: "LACKS", wide: true, value: (group) => group.lacks[0]?.says ?? group.says },
    { name: "example_id", title: "EXAMPLE", value: (group) => group.example.id },
    { name: "example_summary", title: "WHAT", value: (group) => group.example.summary },
  ];
}

function possibleOf({ candidates }: QuarantineGroupJson): string {
  return candidates.map(({ tenant }) => tenantText(tenant)).join(", ");
}
