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
  const { attribution, history } = ownership;
  const steps = attribution.evidence.map((step, index) => ({ ...step, number: index + 1 }));
  if (view.format === "table" || view.format === "wide") {
    await view.line(view.paint("bold", printable(ownership.summary)));
    if (attribution.because !== undefined) await view.line(printable(attribution.because));
  }
  await view.rows(stepColumns(view), steps);
  for (const earlier of history) {
    const until = view.zone.rfc3339(instant(Date.parse(earlier.recorded_at)));
    await view.note(`recorded ${until}: ${printable(ownerText(earlier.attribution))}`);
  }
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
      wide: true,
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
