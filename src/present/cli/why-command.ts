import type { Command } from "commander";
import { instant } from "../../model/instant.ts";
import type { OwnershipJson } from "../api/contract.ts";
import { entityText, ownerText } from "./event-columns.ts";
import { exitCodes } from "./exit-code.ts";
import { read } from "./reading.ts";
import type { Run } from "./run.ts";
import { printable } from "./safe-text.ts";
import { addReadOptions, type ReadOptions } from "./shared-options.ts";
import type { Column, View } from "./view.ts";

type Arrived = NonNullable<OwnershipJson["recorded"]>["arrived"];
type Step = OwnershipJson["attribution"]["evidence"][number] & { readonly number: number };

export function addWhyCommand(program: Command, run: Run): void {
  const command = program
    .command("why")
    .summary("why an event belongs to its tenant")
    .description(
      "Shows the chain of evidence from the record to its owner, hop by hop, and who may see the event.",
    )
    .argument("<event>", "the event's id");
  addReadOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron why evt_mfzhi6lb5nq3v2ktw4xy7ucdoe
  $ isochron why evt_mfzhi6lb5nq3v2ktw4xy7ucdoe -o json | jq '.attribution.evidence'`,
    )
    .action(
      run.action(([id], options: ReadOptions) =>
        read(run.host, options, async ({ client, view }) => {
          await printOwnership(view, await client.ownership(id ?? ""));
          return exitCodes.ok;
        }),
      ),
    );
}

async function printOwnership(view: View, ownership: OwnershipJson): Promise<void> {
  if (view.format === "json") return view.json(ownership);
  if (view.format === "ndjson") return view.ndjson([ownership]);
  const { attribution } = ownership;
  const steps = attribution.evidence.map((step, index) => ({ ...step, number: index + 1 }));
  const text = view.format === "table" || view.format === "wide";
  if (text) {
    await view.line(view.paint("bold", printable(ownership.summary)));
    // A tenant's summary is that one line already.
    const { because } = attribution;
    if (because !== undefined && because !== ownership.summary) await view.line(printable(because));
    if (ownership.done_by !== undefined) await view.line(printable(actorText(ownership.done_by)));
  }
  await view.rows(stepColumns(view), steps);
  if (text) await printHistory(view, ownership);
}

/** Who did it, and never that this says whose it is. */
function actorText(actor: NonNullable<OwnershipJson["done_by"]>): string {
  const who = actor.user_name ?? actor.user_id ?? "somebody";
  const project = actor.project_name ?? actor.project_id;
  const of = project === undefined ? "" : ` of project ${project}`;
  return `done by ${who}${of} (${actor.is_owner ? "of the owner, which proves nothing" : "not the owner"})`;
}

/** Who knew what when, oldest first, and what arrived in between. */
async function printHistory(view: View, { history, recorded }: OwnershipJson): Promise<void> {
  if (history.length === 0) return;
  const time = (text: string) => view.zone.rfc3339(instant(Date.parse(text)));
  const came = (arrived: Arrived) =>
    arrived === undefined ? "" : `, when ${arrived.connection} ${arrived.source_id} came`;
  await view.line("");
  for (const { recorded_at: from, recorded_until: until, arrived, attribution } of history) {
    const span = until === null ? `since ${time(from)}` : `${time(from)} → ${time(until)}`;
    await view.line(printable(`known ${span}: ${ownerText(attribution)}${came(arrived)}`));
  }
  if (recorded === undefined) return;
  await view.line(printable(`known since ${time(recorded.recorded_at)}: as above${came(recorded.arrived)}`));
}

function stepColumns(view: View): readonly Column<Step>[] {
  const time = (text: string | undefined) =>
    text === undefined ? "" : view.zone.rfc3339(instant(Date.parse(text)));
  const hop = (step: Step) =>
    [step.from, step.to].flatMap((entity) => (entity === undefined ? [] : [entityText(entity)])).join(" → ");
  return [
    {
      name: "step",
      title: "#",
      value: (step) => String(step.number),
      shown: (step) => (step.verdict === "rejected" ? "✗" : String(step.number)),
      style: (step) => (step.verdict === "rejected" ? "dim" : undefined),
    },
    { name: "verdict", value: (step) => step.verdict },
    { name: "hop", title: "HOP", value: hop },
    { name: "rule", title: "RULE", value: (step) => step.rule },
    { name: "confidence", title: "CONFIDENCE", value: (step) => step.confidence },
    {
      name: "valid",
      title: "VALID",
      value: (step) =>
        step.valid_from === undefined && step.valid_until === undefined
          ? ""
          : `${time(step.valid_from)} → ${time(step.valid_until)}`,
    },
    {
      name: "source",
      title: "STATED BY",
      wide: true,
      value: (step) =>
        step.source === undefined ? "" : `${step.source.connection} ${step.source.source_id}`,
    },
    { name: "says", title: "SAYS", value: (step) => step.says },
  ];
}
