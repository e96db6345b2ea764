import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { Option, type Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import { domainKey, projectKey } from "../../model/tenant.ts";
import type {
  IncidentEntryJson,
  IncidentKpisJson,
  IncidentImportedJson,
  IncidentRedactionJson,
} from "../api/incident-contract.ts";
import { exitCodes } from "./exit-code.ts";
import { printIncident, spellLength, timeOf } from "./incident-text.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, addStoreOptions, type ReadOptions, type StoreOptions } from "./shared-options.ts";
import type { Column, View } from "./view.ts";

const example = "inc_4f1c0b7e9a3d4b7f8a5e6c2d1b";
const ofIncident = "the incident's id";

interface AudienceOptions {
  readonly audience: "provider" | "public" | "tenant";
  readonly project?: string;
  readonly domain?: string;
  readonly controlPlane: string;
}

/** Documents of incidents, and incidents of documents. */
export function addIncidentDocuments(parent: Command, run: Run): void {
  addExport(parent, run);
  addDiff(parent, run);
  addHistory(parent, run);
  addImport(parent, run);
  addKpis(parent, run);
}

function addAudienceOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--audience <audience>", "for whom")
        .choices(["provider", "public", "tenant"])
        .default("provider"),
    )
    .option("--project <id>", "with --audience tenant: this project")
    .addOption(new Option("--domain <id>", "with --audience tenant: this domain").conflicts("project"));
}

function audienceOf({ audience, project, domain, controlPlane }: AudienceOptions): string {
  if (audience !== "tenant") return audience;
  if (project !== undefined) return `tenant:${projectKey(controlPlane, project)}`;
  if (domain !== undefined) return `tenant:${domainKey(controlPlane, domain)}`;
  throw new IsochronError("usage", "It is not said which tenant.", "Add --project ID or --domain ID.");
}

interface ExportOptions extends StoreOptions, AudienceOptions {
  readonly format: "md" | "html" | "json";
  readonly server?: string;
  readonly token?: string;
}

function addExport(parent: Command, run: Run): void {
  const command = parent
    .command("export")
    .summary("print an incident as a document")
    .description(
      "Prints an incident as Markdown, HTML or JSON for one audience. What is published is printed for the provider as it was frozen.",
    )
    .argument("<incident>", ofIncident)
    .addOption(new Option("--format <format>", "how to write").choices(["md", "html", "json"]).default("md"));
  addAudienceOptions(command)
    .option("--control-plane <name>", "cloud that the ids belong to", "default")
    .optionsGroup("Where from:")
    .option("--server <url>", "ask this server instead of the store (ISOCHRON_SERVER)")
    .option("--token <token>", "API token, env:NAME, file:PATH or credential:NAME (ISOCHRON_TOKEN)");
  addStoreOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron incident export ${example} > incident.md
  $ isochron incident export ${example} --audience public --format html > status.html
  $ isochron incident export ${example} --audience tenant --project 6f3c9a1e`,
    )
    .action(
      run.action(([id], options: ExportOptions) =>
        read(run.host, { ...options, output: "table", color: "never" }, async ({ client, host }) => {
          const query = { format: options.format, audience: audienceOf(options) };
          for await (const piece of await client.incidents.export(id ?? "", query, host.signal))
            await host.stdout.write(piece);
          return exitCodes.ok;
        }),
      ),
    );
}

function addDiff(parent: Command, run: Run): void {
  const command = parent
    .command("diff")
    .summary("what an audience's document leaves out, and why")
    .description("Lists what the document for an audience keeps, says otherwise or leaves out, and why.")
    .argument("<incident>", ofIncident);
  addReadOptions(addAudienceOptions(command))
    .addHelpText(
      "after",
      `
Examples:
  $ isochron incident diff ${example} --audience public
  $ isochron incident diff ${example} --audience tenant --project 6f3c9a1e`,
    )
    .action(
      run.action(([id], options: ReadOptions & AudienceOptions) =>
        read(run.host, options, async ({ client, view }) => {
          const answer = await client.incidents.redaction(id ?? "", { audience: audienceOf(options) });
          if (view.format === "json") await view.json(answer);
          else if (view.format === "ndjson") await view.ndjson(answer.fields);
          else await view.rows(fieldColumns, answer.fields);
          return exitCodes.ok;
        }),
      ),
    );
}

const fieldColumns: readonly Column<IncidentRedactionJson["fields"][number]>[] = [
  { name: "field", title: "PART", value: ({ field }) => field },
  { name: "outcome", title: "BECOMES", value: ({ outcome }) => outcome },
  { name: "why", title: "WHY", value: ({ why }) => why },
  { name: "value", title: "THE PROVIDER READS", value: ({ value }) => value },
  { name: "shown", title: "THEY READ", value: ({ shown }) => shown ?? "" },
];

function addHistory(parent: Command, run: Run): void {
  const command = parent
    .command("history")
    .summary("all that was ever written into an incident")
    .description("Lists every entry of an incident in its order: who wrote what, and when.")
    .argument("<incident>", ofIncident);
  addReadOptions(command)
    .addHelpText("after", `\nExamples:\n  $ isochron incident history ${example}`)
    .action(
      run.action(([id], options: ReadOptions) =>
        read(run.host, options, async ({ client, view }) => {
          const { entries } = await client.incidents.history(id ?? "");
          if (view.format === "json") await view.json(entries);
          else if (view.format === "ndjson") await view.ndjson(entries);
          else await view.rows(entryColumns, entries);
          return exitCodes.ok;
        }),
      ),
    );
}

const entryColumns: readonly Column<IncidentEntryJson>[] = [
  { name: "sequence", title: "NO", value: ({ sequence }) => String(sequence) },
  { name: "recorded_at", title: "RECORDED", value: (entry) => entry.recorded_at },
  { name: "by", title: "BY", value: ({ by }) => by },
  { name: "kind", title: "WHAT", value: ({ kind }) => kind },
  { name: "change", title: "SAYS", value: ({ change }) => JSON.stringify(change) },
];

interface ImportOptions extends ReadOptions {
  readonly title?: string;
  readonly timeZone?: string;
  readonly date?: string;
  readonly format?: "markdown" | "csv";
  readonly incident?: string;
  readonly replace?: true;
  readonly dryRun?: true;
}

function addImport(parent: Command, run: Run): void {
  const command = parent
    .command("import")
    .summary("make an incident of a timeline in Markdown or CSV")
    .description(
      "Reads a timeline that people wrote, and opens an incident with its rows, or appends them to one. Lines that cannot be used are told, each with what to do.",
    )
    .argument("<file>", "the document")
    .option("--title <title>", "what the incident is called, where the document does not say")
    .option("--time-zone <zone>", "zone of times that name none, such as Europe/Paris")
    .option("--date <day>", "day of times that name none, such as 2026-11-21")
    .addOption(
      new Option("--format <format>", "how it is written (by its ending)").choices(["markdown", "csv"]),
    )
    .option("--incident <incident>", "append to this incident instead of opening one")
    .option("--replace", "with --incident: rows of a document of the same name that say otherwise give way")
    .option("--dry-run", "only tell what would be taken in");
  addReadOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron incident import post-mortem.md --time-zone Europe/Paris
  $ isochron incident import timeline.csv --title "Queue overloaded" --dry-run`,
    )
    .action(
      run.action(([path], options: ImportOptions) =>
        read(run.host, options, (reading) => importDocument(reading, path ?? "", options)),
      ),
    );
}

async function importDocument(reading: Reading, path: string, options: ImportOptions): Promise<number> {
  const { client, view } = reading;
  const { title, timeZone, date, incident, replace, dryRun } = options;
  const answer = incident === undefined ? undefined : await client.incidents.find(incident);
  if (answer?.kind === "edition")
    throw new IsochronError(
      "not-found",
      `There is no incident ${incident}.`,
      "See `isochron incident list`.",
    );
  const imported = await client.incidents.import({
    name: basename(path),
    format: options.format ?? (path.toLowerCase().endsWith(".csv") ? "csv" : "markdown"),
    text: await readDocument(path),
    ...(title === undefined ? {} : { title }),
    ...(timeZone === undefined ? {} : { time_zone: timeZone }),
    ...(date === undefined ? {} : { date }),
    ...(answer === undefined
      ? {}
      : { incident: answer.incident.id, expected_version: answer.incident.version }),
    replace: replace === true,
    dry_run: dryRun === true,
  });
  if (view.format === "json") await view.json(imported);
  else if (imported.incident !== undefined) await printIncident(reading, imported.incident);
  await tellLines(reading, imported);
  if (dryRun === true || imported.incident !== undefined) return exitCodes.ok;
  await view.note("Nothing was taken in.");
  return exitCodes.failure;
}

async function tellLines({ view }: Reading, imported: IncidentImportedJson): Promise<void> {
  const { lines, used, without_time: untimed, replaced, set_aside: aside } = imported;
  // A point over several lines is set aside as one.
  await view.note(
    `${lines} lines: ${used} used, ${untimed} without a time, ${lines - used - untimed} set aside.`,
  );
  if (replaced > 0) await view.note(`${replaced} rows of it said something else before.`);
  for (const { line, text, remedy } of aside)
    await view.note(`line ${line}: ${text.slice(0, 80)}: ${remedy}`);
}

export async function readDocument(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    if (code === undefined) throw cause;
    throw new IsochronError("file-unreadable", `${path} cannot be read: ${message}.`, "Check the path.", {
      cause,
    });
  }
}

interface KpiOptions extends ReadOptions {
  readonly from: string;
  readonly to: string;
  readonly period: "week" | "month" | "quarter";
  readonly state?: readonly string[];
}

function addKpis(parent: Command, run: Run): void {
  const command = parent
    .command("kpis")
    .summary("figures over incidents, by period")
    .description("Counts incidents and tells how long it took to notice, decide and resolve, by period.")
    .requiredOption("--from <time>", "the beginning of the first period")
    .requiredOption("--to <time>", "the end, which is not part of it")
    .addOption(
      new Option("--period <period>", "by which periods")
        .choices(["week", "month", "quarter"])
        .default("month"),
    )
    .option("--state <state...>", "only incidents in these states");
  addReadOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron incident kpis --from 2026-01-01 --to 2027-01-01 --period quarter
  $ isochron incident kpis --from 2026-10-01 --to 2026-11-01 --state published -o csv`,
    )
    .action(
      run.action((_, options: KpiOptions) =>
        read(run.host, options, async (reading) => {
          const { client, view } = reading;
          const kpis = await client.incidents.kpis({
            from: await timeOf(reading, options.from),
            to: await timeOf(reading, options.to),
            period: options.period,
            state: options.state?.join(","),
          });
          if (view.format === "json") await view.json(kpis);
          else if (view.format === "ndjson") await view.ndjson(kpis.periods);
          else await view.rows(kpiColumns(view), kpis.periods);
          if (kpis.truncated) await view.note("There are more incidents than were counted: narrow the time.");
          return exitCodes.ok;
        }),
      ),
    );
}

type PeriodJson = IncidentKpisJson["periods"][number];

function kpiColumns(view: View): readonly Column<PeriodJson>[] {
  const length = (name: keyof PeriodJson["lengths"], title: string): Column<PeriodJson> => ({
    name: `median_${name}_ms`,
    title,
    value: ({ lengths }) => String(lengths[name].median_ms ?? ""),
    shown: ({ lengths }) => (lengths[name].median_ms === null ? "" : spellLength(lengths[name].median_ms)),
  });
  return [
    {
      name: "from",
      title: "FROM",
      value: ({ from }) => from,
      shown: ({ from }) => view.zone.rfc3339(instant(Date.parse(from))),
    },
    { name: "to", value: ({ to }) => to },
    { name: "incidents", title: "INCIDENTS", value: ({ incidents }) => String(incidents) },
    { name: "unpublished", title: "UNPUBLISHED", value: ({ unpublished }) => String(unpublished) },
    length("detect", "TO NOTICE"),
    length("decide", "TO DECIDE"),
    length("resolve", "TO RESOLVE"),
    length("total", "IN ALL"),
  ];
}
