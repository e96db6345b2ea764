import type { Command } from "commander";
import { instant } from "../../model/instant.ts";
import type { EventJson } from "../api/contract.ts";
import { entityText, kindText, ownerText, precisionText } from "./event-columns.ts";
import { exitCodes } from "./exit-code.ts";
import { read } from "./reading.ts";
import type { Run } from "./run.ts";
import { printable, safeJson } from "./safe-text.ts";
import { addReadOptions, type ReadOptions } from "./shared-options.ts";
import type { View } from "./view.ts";

interface ShowOptions extends ReadOptions {
  readonly raw?: true;
}

export function addShowCommand(program: Command, run: Run): void {
  const command = program
    .command("show")
    .summary("one event in full")
    .description("Shows one event with both its clocks, what it is about, and what the source said.")
    .argument("<event>", "the event's id")
    .option("--raw", "the event as one line of JSON");
  addReadOptions(command, ["table", "json", "ndjson"])
    .addHelpText(
      "after",
      `
Examples:
  $ isochron show evt_mfzhi6lb5nq3v2ktw4xy7ucdoe
  $ isochron show evt_mfzhi6lb5nq3v2ktw4xy7ucdoe --raw | jq .details`,
    )
    .action(
      run.action(([id], options: ShowOptions) =>
        read(run.host, options, async ({ client, view }) => {
          const event = await client.event(id ?? "");
          if (options.raw === true || view.format === "ndjson") await view.ndjson([event]);
          else if (view.format === "json") await view.json(event);
          else await printEvent(view, event);
          return exitCodes.ok;
        }),
      ),
    );
}

async function printEvent(view: View, event: EventJson): Promise<void> {
  const time = (text: string) => view.zone.rfc3339(instant(Date.parse(text)));
  const width = precisionText(event.precision_ms);
  const actor = event.actor;
  const fields: [string, string | undefined][] = [
    ["event", event.id],
    ["occurred", `${time(event.occurred_at)}${width === "" ? "" : ` ±${width}`} (${view.zone.name})`],
    ["recorded", time(event.recorded_at)],
    ["kind", `${kindText(event.kind, view.utf8)}, ${event.severity}, ${event.category}`],
    ["type", event.phase === undefined ? event.type : `${event.type} (${event.phase})`],
    [
      "about",
      `${entityText(event.subject)}${event.subject.name === undefined ? "" : ` (${event.subject.id})`}`,
    ],
    ["owner", event.attribution.because ?? ownerText(event.attribution)],
    ["actor", actor === undefined ? undefined : (actor.user_name ?? actor.user_id)],
    ["operation", event.operation?.request_id ?? event.operation?.workflow_id],
    [
      "source",
      event.connection === undefined ? undefined : [event.connection, ...(event.source_ids ?? [])].join(" "),
    ],
    ...event.related.map((related): [string, string] => [related.role, entityText(related)]),
  ];
  await view.line(view.paint("bold", printable(event.summary)));
  for (const [name, value] of fields) {
    if (value !== undefined) await view.line(`${view.paint("dim", name.padEnd(12))}${printable(value)}`);
  }
  for (const change of event.changes ?? []) {
    const said = `${change.field}: ${safeJson(change.before)} → ${safeJson(change.after)}`;
    await view.line(`${view.paint("dim", "changed".padEnd(12))}${printable(said)}`);
  }
  if (Object.keys(event.details).length > 0) await view.line(safeJson(event.details, 2));
}
