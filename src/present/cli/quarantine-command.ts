import type { Command } from "commander";
import { instant } from "../../model/instant.ts";
import type { QuarantineJson } from "../api/quarantine-contract.ts";
import { exitCodes } from "./exit-code.ts";
import { read } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, type ReadOptions } from "./shared-options.ts";
import type { Column, View } from "./view.ts";

type Group = QuarantineJson["groups"][number];

export function addQuarantineCommand(program: Command, run: Run): void {
  const command = program
    .command("quarantine")
    .summary("events that have no owner yet")
    .description("Groups the events whose owner is ambiguous or unknown; nobody but the provider sees them.");
  addReadOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron quarantine
  $ isochron events --attribution ambiguous,unresolved --since 1d
  $ isochron quarantine -o json | jq -r '.groups[].example.id' | xargs -n 1 isochron why`,
    )
    .action(
      run.action((_, options: ReadOptions) =>
        read(run.host, options, async ({ client, view }) => {
          const quarantine = await client.quarantine();
          if (view.format === "json") await view.json(quarantine);
          else if (view.format === "ndjson") await view.ndjson(quarantine.groups);
          else await view.rows(groupColumns(view), quarantine.groups);
          const what = quarantine.total === 1 ? "1 event has" : `${quarantine.total} events have`;
          await view.note(`${what} no owner; nobody outside the provider can see them.`);
          return exitCodes.ok;
        }),
      ),
    );
}

function groupColumns(view: View): readonly Column<Group>[] {
  return [
    { name: "reason", title: "REASON", value: (group) => group.reason },
    { name: "count", title: "COUNT", value: (group) => String(group.count) },
    { name: "type", title: "TYPE", value: (group) => group.type },
    {
      name: "oldest",
      title: "OLDEST",
      value: (group) => group.oldest,
      shown: (group) => view.zone.rfc3339(instant(Date.parse(group.oldest))),
    },
    { name: "example_id", title: "EXAMPLE", value: (group) => group.example.id },
    { name: "example_summary", title: "WHAT", value: (group) => group.example.summary },
  ];
}
