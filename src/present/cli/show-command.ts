import type { Command } from "commander";
import { instant } from "../../model/instant.ts";
import type { EventJson } from "../api/contract.ts";
import type { ApiClient } from "./api-client.ts";
import { entityText, eventColumns, kindText, ownerText, precisionText } from "./event-columns.ts";
import { printEditions } from "./editions-text.ts";
import { exitCodes } from "./exit-code.ts";
import { parseCount } from "./parse-count.ts";
import { read } from "./reading.ts";
import type { Run } from "./run.ts";
import { printable, safeJson } from "./safe-text.ts";
import { addReadOptions, type ReadOptions } from "./shared-options.ts";
import type { View } from "./view.ts";

interface ShowOptions extends ReadOptions {
  readonly raw?: true;
  readonly members?: true;
  readonly editions?: true;
  readonly limit: number;
}

/** The most that the API gives at once. */
const pageMembersMax = 2000;

export function addShowCommand(program: Command, run: Run): void {
  const command = program
    .command("show")
    .summary("one event in full")
    .description("Shows one event with both its clocks, what it is about, and what the source said.")
    .argument("<event>", "the event's id")
    .option("--raw", "the event as one line of JSON")
    .option("--members", "what the event of a storm stands for, oldest first")
    .option("--editions", "what each tenant is shown of it, field by field, and what is kept back (provider)")
    .option("-n, --limit <count>", "with --members or --editions: at most so many", parseCount, 200);
  addReadOptions(command, ["table", "json", "ndjson"])
    .addHelpText(
      "after",
      `
Examples:
  $ isochron show evt_mfzhi6lb5nq3v2ktw4xy7ucdoe
  $ isochron show evt_mfzhi6lb5nq3v2ktw4xy7ucdoe --raw | jq .details
  $ isochron show evt_mfzhi6lb5nq3v2ktw4xy7ucdoe --members -n 1000
  $ isochron show evt_mfzhi6lb5nq3v2ktw4xy7ucdoe --editions`,
    )
    .action(
      run.action(([id], options: ShowOptions) =>
        read(run.host, options, async ({ client, view }) => {
          if (options.editions === true) return printEditions(client, view, id ?? "", options.limit);
          if (options.members === true) return printMembers(client, view, id ?? "", options.limit);
          const event = await client.event(id ?? "");
          if (options.raw === true || view.format === "ndjson") await view.ndjson([event]);
          else if (view.format === "json") await view.json(event);
          else await printEvent(view, event);
          return exitCodes.ok;
        }),
      ),
    );
}

async function printMembers(client: ApiClient, view: View, id: string, limit: number): Promise<number> {
  const members: EventJson[] = [];
  let cursor: string | undefined;
  do {
    const left = Math.min(limit - members.length, pageMembersMax);
    const page = await client.members(id, { limit: left, cursor });
    members.push(...page.events);
    cursor = page.next_cursor ?? undefined;
  } while (members.length < limit && cursor !== undefined);
  if (view.format === "ndjson") await view.ndjson(members);
  else if (view.format === "json") await view.json({ events: members, next_cursor: cursor ?? null });
  else await view.rows(eventColumns(view, members), members, true);
  if (members.length === 0) await view.note("The event stands for itself: it has no members.");
  else if (cursor !== undefined)
    await view.note(`There are more than these ${members.length}; ask for more with -n.`);
  return exitCodes.ok;
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
