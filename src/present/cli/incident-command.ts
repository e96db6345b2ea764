import { Option, type Command } from "commander";
import { severities, eventKinds, type EventKind, type Severity } from "../../model/event.ts";
import { incidentStates } from "../../model/incident.ts";
import { formatInstant } from "../../model/instant.ts";
import type { DossierJson, IncidentAnswerJson, IncidentEditionJson } from "../api/incident-contract.ts";
import { exitCodes } from "./exit-code.ts";
import { addIncidentDocuments } from "./incident-documents-command.ts";
import {
  incidentColumns,
  lengthText,
  pinColumns,
  printIncident,
  timeColumns,
  timeOf,
  timeRows,
} from "./incident-text.ts";
import { addIncidentEntries } from "./incident-entries-command.ts";
import { addVerify } from "./incident-verify-command.ts";
import { parseCount } from "./parse-count.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, parseResource, type ReadOptions } from "./shared-options.ts";

interface OpenOptions extends ReadOptions {
  readonly severity: Severity;
  readonly from?: string;
  readonly to?: string;
  readonly event?: readonly string[];
  readonly resource?: string;
  readonly kind?: readonly EventKind[];
  readonly type?: readonly string[];
  readonly rule?: string;
}

interface ListOptions extends ReadOptions {
  readonly state?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
}

export function addIncidentCommand(program: Command, run: Run): void {
  const command = program
    .command("incident")
    .summary("incidents: what happened, when it was noticed, decided and over")
    .description(
      "Opens incidents, pins events to them, writes what was decided, and makes documents of them. Nothing that was written is ever taken away; what is published is frozen, and later facts are amendments.",
    );
  addOpen(command, run);
  addList(command, run);
  addShow(command, run);
  addIncidentEntries(command, run);
  addIncidentDocuments(command, run);
  addVerify(command, run);
}

function addOpen(parent: Command, run: Run): void {
  const command = parent
    .command("open")
    .summary("open an incident")
    .description(
      "Opens an incident by hand, or with what was selected: events by their ids, or those of a resource, a kind or a type between --from and --to; at most 200 are pinned.",
    )
    .argument("<title>", "what it is called")
    .addOption(new Option("--severity <severity>", "how bad it is").choices(severities).default("warning"))
    .option("--from <time>", "when it began (the earliest selected event, or now)")
    .option("--to <time>", "when it was over")
    .option("--event <id...>", "pin these events")
    .option("--resource <type/id>", "pin what happened to this resource in that time")
    .addOption(new Option("--kind <kind...>", "pin events of these kinds in that time").choices(eventKinds))
    .option("--type <type...>", "pin events of these types in that time; a trailing * matches any ending")
    .option("--rule <key>", "open it once for this key: the same key again finds the same incident");
  addReadOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron incident open "Servers cannot be built in region-1" --severity critical
  $ isochron incident open "Host down" --event evt_4f1c0b7e9a3d4b7f8a5e6c2d
  $ isochron incident open "Host down" --resource host/compute-7 --from "10:00" --to "12:00"`,
    )
    .action(
      run.action(([title], options: OpenOptions) =>
        read(run.host, options, (reading) => open(reading, title ?? "", options)),
      ),
    );
}

async function open(reading: Reading, title: string, options: OpenOptions): Promise<number> {
  const { client, view } = reading;
  const { severity, event, rule } = options;
  const from = await timeOf(reading, options.from);
  const to = await timeOf(reading, options.to);
  const selects = options.resource !== undefined || options.kind !== undefined || options.type !== undefined;
  const resource = options.resource === undefined ? undefined : parseResource(options.resource);
  const selection = {
    from: from ?? formatInstant(reading.now),
    to: to ?? formatInstant(reading.now),
    ...(resource === undefined ? {} : { resource: { kind: resource.kind, id: resource.id } }),
    ...(options.kind === undefined ? {} : { kinds: [...options.kind] }),
    ...(options.type === undefined ? {} : { types: [...options.type] }),
  };
  const { incident, fresh } = await client.incidents.open({
    title,
    severity,
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(event === undefined ? {} : { events: [...event] }),
    ...(selects ? { selection } : {}),
    ...(rule === undefined ? {} : { rule }),
  });
  await printIncident(reading, incident);
  await view.note(fresh ? `Opened ${incident.id}.` : `${incident.id} was opened by that key before.`);
  return exitCodes.ok;
}

function addList(parent: Command, run: Run): void {
  const command = parent
    .command("list")
    .summary("list incidents")
    .description(
      "Lists incidents, the newest first. Through a tenant's eyes it lists what the tenant was told of those that are published.",
    )
    .addOption(new Option("--state <state...>", "only in these states").choices(incidentStates))
    .option("--from <time>", "whose time reaches to this moment or beyond")
    .option("--to <time>", "that began before this moment")
    .option("--limit <count>", "at most so many", parseCount, 100);
  addReadOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron incident list
  $ isochron incident list --state published --from 2026-10-01 --to 2026-11-01 -o csv
  $ isochron incident list --as-project 6f3c9a1e`,
    )
    .action(
      run.action((_, options: ListOptions) => read(run.host, options, (reading) => list(reading, options))),
    );
}

async function list(reading: Reading, options: ListOptions): Promise<number> {
  const { client, view } = reading;
  const { incidents, editions } = await client.incidents.list({
    state: options.state?.join(","),
    from: await timeOf(reading, options.from),
    to: await timeOf(reading, options.to),
    limit: options.limit,
  });
  if (view.format === "json") await view.json(editions.length > 0 ? editions : incidents);
  else if (view.format === "ndjson") await view.ndjson(editions.length > 0 ? editions : incidents);
  else if (editions.length > 0) {
    await view.rows(
      [
        { name: "id", title: "INCIDENT", value: ({ id }) => id },
        { name: "published_at", title: "PUBLISHED", value: (one) => one.published_at },
        { name: "title", title: "TITLE", value: ({ title }) => title },
      ],
      editions,
    );
  } else await view.rows(incidentColumns(view), incidents);
  if (Math.max(incidents.length, editions.length) === options.limit)
    await view.note("There may be more: raise --limit.");
  return exitCodes.ok;
}

function addShow(parent: Command, run: Run): void {
  const command = parent
    .command("show")
    .summary("one incident with its times, pinned events and checks")
    .description(
      "Shows the four times of each measured thing and how they are known, the lengths between them, the pinned events, and what is to be looked at before it is published. Through a tenant's eyes it prints what the tenant was told.",
    )
    .argument("<incident>", "the incident's id");
  addReadOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron incident show inc_4f1c0b7e9a3d4b7f8a5e6c2d1b
  $ isochron incident show inc_4f1c0b7e9a3d4b7f8a5e6c2d1b -o json`,
    )
    .action(
      run.action(([id], options: ReadOptions) =>
        read(run.host, options, async (reading) =>
          show(reading, await reading.client.incidents.find(id ?? "")),
        ),
      ),
    );
}

async function show({ view }: Reading, answer: IncidentAnswerJson): Promise<number> {
  if (view.format === "json") await view.json(answer);
  else if (view.format === "ndjson") await view.ndjson([answer]);
  else if (answer.kind === "edition") await showEdition(view, answer);
  else await showDossier(view, answer);
  return exitCodes.ok;
}

async function showEdition(view: Reading["view"], answer: IncidentEditionJson): Promise<void> {
  const { edition, published_at: at, hash, intact, markdown } = answer;
  await view.line(markdown);
  await view.note(
    `Edition ${edition} of ${at} with the hash ${hash}${intact ? "" : "; words were erased from it since"}.`,
  );
}

async function showDossier(view: Reading["view"], dossier: DossierJson): Promise<void> {
  const { incident, pins, times, checks } = dossier;
  await view.rows(incidentColumns(view), [incident]);
  const rows = timeRows(dossier);
  if (rows.length > 0) await view.rows(timeColumns(view), rows);
  for (const { thing, lengths } of times)
    await view.note(
      `${thing.name}: to notice ${lengthText(lengths.detect)}; to decide ${lengthText(lengths.decide)}; to resolve ${lengthText(lengths.resolve)}; in all ${lengthText(lengths.total)}.`,
    );
  if (pins.length > 0) await view.rows(pinColumns(view), pins);
  for (const { severity, says } of checks)
    await view.note(`${severity === "blocks" ? "Before it is published" : "To look at"}: ${says}`);
  if (incident.published !== null)
    await view.note(
      `Published ${incident.published.at} with the hash ${incident.published.hash}${incident.published.intact ? "" : "; words were erased from it since"}.`,
    );
}
