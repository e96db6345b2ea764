import type { Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { RulingJson, RulingVersionJson } from "../api/quarantine-contract.ts";
import { tenantText } from "./event-columns.ts";
import { exitCodes } from "./exit-code.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, type ReadOptions } from "./shared-options.ts";
import type { Column, View } from "./view.ts";

interface RulingsOptions extends ReadOptions {
  readonly withdraw?: true;
  readonly why?: string;
}

export function addRulingsCommand(program: Command, run: Run): void {
  const command = program
    .command("rulings")
    .summary("what was ruled about events without an owner")
    .description(
      "Lists the rulings, the latest decision first; with an id, all versions of one: who decided, when and why.",
    )
    .argument("[ruling]", "one ruling, with its history")
    .option("--withdraw", "take it back: what rested on it waits again")
    .option("--why <text>", "with --withdraw: why");
  addReadOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron rulings
  $ isochron rulings rul_4f1c0b7e9a3d4b7f8a5e
  $ isochron rulings rul_4f1c0b7e9a3d4b7f8a5e --withdraw --why "the VM was renamed"`,
    )
    .action(
      run.action(([id], options: RulingsOptions) =>
        read(run.host, options, (reading) => {
          if (options.withdraw === true) return withdraw(reading, id, options.why);
          return id === undefined ? list(reading) : show(reading, id);
        }),
      ),
    );
}

async function list({ client, view }: Reading): Promise<number> {
  const listed = await client.rulings();
  if (view.format === "json") await view.json(listed);
  else if (view.format === "ndjson") await view.ndjson(listed.rulings);
  else await view.rows([...rulingColumns(), ...versionColumns<RulingJson>(view)], listed.rulings);
  if (listed.truncated) await view.note("There are older rulings than these.");
  return exitCodes.ok;
}

async function show({ client, view }: Reading, id: string): Promise<number> {
  const ruling = await client.ruling(id);
  if (view.format === "json") await view.json(ruling);
  else if (view.format === "ndjson") await view.ndjson(ruling.versions);
  else {
    await view.rows(
      [
        { name: "version", title: "VERSION", value: ({ version }) => String(version) },
        ...versionColumns(view),
      ],
      ruling.versions,
    );
  }
  await view.note(
    `It is ${ruling.state === "in-force" ? "in force" : "withdrawn"}, and ${countText(ruling)} rest on it.`,
  );
  return exitCodes.ok;
}

async function withdraw(
  { client, view }: Reading,
  id: string | undefined,
  why: string | undefined,
): Promise<number> {
  if (id === undefined || why === undefined || why.trim() === "") {
    throw new IsochronError(
      "usage",
      "It is not said which ruling is withdrawn, or why.",
      "Write `isochron rulings ID --withdraw --why TEXT`.",
    );
  }
  const { version, ...before } = await client.ruling(id);
  const ruling = await client.withdrawRuling(id, { why, expected_version: version });
  if (view.format === "json") await view.json(ruling);
  else if (view.format === "ndjson") await view.ndjson([ruling]);
  await view.note(`Ruling ${id} is withdrawn; ${countText(before)} rested on it.`);
  return exitCodes.ok;
}

function countText({ events, at_least: least }: Pick<RulingJson, "events" | "at_least">): string {
  return `${least ? "at least " : ""}${events} ${events === 1 ? "event" : "events"}`;
}

function rulingColumns(): readonly Column<RulingJson>[] {
  return [
    { name: "id", title: "RULING", value: ({ id }) => id },
    { name: "version", title: "VERSION", value: ({ version }) => String(version) },
    { name: "state", title: "STATE", value: ({ state }) => state },
    { name: "events", title: "EVENTS", value: ({ events }) => String(events) },
  ];
}

function versionColumns<Row extends RulingVersionJson>(view: View): readonly Column<Row>[] {
  return [
    { name: "match", title: "ABOUT", value: matchText },
    { name: "answer", title: "WHOSE", value: answerText },
    {
      name: "decided_at",
      title: "DECIDED",
      value: (version) => version.decided_at,
      shown: (version) => view.zone.rfc3339(instant(Date.parse(version.decided_at))),
    },
    { name: "by", title: "BY", value: ({ by }) => by },
    { name: "why", title: "WHY", value: ({ why, withdrawn }) => (withdrawn ? `withdrawn: ${why}` : why) },
  ];
}

function matchText({ match }: RulingVersionJson): string {
  return Object.entries(match)
    .flatMap(([name, value]) => {
      if (value === undefined) return [];
      return [
        `${name.replaceAll("_", " ")} ${typeof value === "string" ? value : `${value.kind}:${value.id}`}`,
      ];
    })
    .join(", ");
}

function answerText({ answer: { tenant } }: RulingVersionJson): string {
  return tenant === undefined ? "the provider" : tenantText(tenant);
}
