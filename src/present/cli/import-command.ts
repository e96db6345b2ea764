import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { basename } from "node:path";
import { Option, type Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { ownConnection } from "../../model/own-connection.ts";
import type { Host, Ingested } from "./application.ts";
import { exitCodes } from "./exit-code.ts";
import { addIngested, ingestedJson, ingestedText, nothingIngested } from "./ingested-text.ts";
import { ProgressBar } from "./progress-bar.ts";
import type { Run } from "./run.ts";
import { printable } from "./safe-text.ts";
import {
  addPrintOptions,
  addStoreOptions,
  createView,
  flagsOf,
  type PrintOptions,
  type StoreOptions,
} from "./shared-options.ts";
import type { View } from "./view.ts";
import { Zone } from "./zone.ts";

export interface TakingOptions extends StoreOptions, PrintOptions {
  readonly source?: string;
  readonly connection?: string;
  readonly controlPlane: string;
  readonly strict?: true;
}

interface ImportOptions extends TakingOptions {
  readonly timezone?: string;
}

export function addImportCommand(program: Command, run: Run): void {
  const command = program
    .command("import")
    .summary("read recorded files into the store")
    .description(
      "Reads files through exactly the way that live data takes. Importing a file again changes nothing; what cannot be used is set aside whole.",
    )
    .argument("<file...>", "files to read, plain or gzip")
    .addOption(
      new Option("--source <name>", "kind of source").choices(run.host.sources).makeOptionMandatory(),
    )
    .option("--connection <name>", "name of this use of the source (the source's name)")
    .option("--control-plane <name>", "cloud that the ids belong to", "default")
    .option("--timezone <zone>", "zone of the times that a document states none for, such as Europe/Paris")
    .option("--strict", "exit 1 when anything was set aside");
  addPrintOptions(command, ["table", "json"]);
  addStoreOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron import --source openstack-notifications notifications.jsonl.gz
  $ isochron import --source post-mortem --connection incident-880 timeline.md --strict
  $ isochron import --source post-mortem --timezone Europe/Paris timeline.csv
  $ isochron import --source openstack-notifications --control-plane region-2 *.jsonl -o json`,
    )
    .action(run.action((files, options: ImportOptions) => importFiles(run.host, files, options)));
}

async function importFiles(host: Host, files: readonly string[], options: ImportOptions): Promise<number> {
  const source = options.source ?? "";
  const timeZone = readTimeZone(options.timezone);
  refuseReserved("--connection", options.connection, ownConnection.name);
  refuseReserved("--control-plane", options.controlPlane, ownConnection.controlPlane);
  for (const file of files) await checkReadable(file);
  const connection = options.connection ?? source;
  const setup = host.configure({ flags: flagsOf(options), service: false });
  const view = createView(host, options, setup.settings.timeZone);
  const request = { source, connection, controlPlane: options.controlPlane, ...timeZone };
  const opened = await setup.open();
  try {
    if (options.timezone !== undefined)
      await view.note(`Times without a zone of their own are read as ${options.timezone}.`);
    let sum = nothingIngested;
    for (const path of files) {
      const bar = new ProgressBar(host.stderr, host.progress, basename(path));
      const counts = await opened
        .importFile({ ...request, path, onProgress: bar.advance })
        .finally(() => bar.stop());
      if (view.format === "table") await view.line(`${printable(path)}: ${ingestedText(counts)}`);
      sum = addIngested(sum, counts);
    }
    if (view.format === "json") await view.json(ingestedJson(sum));
    else if (files.length > 1) await view.line(`together: ${ingestedText(sum)}`);
    return await warnOfSetAside(view, sum, connection, options);
  } finally {
    await opened.close();
  }
}

/** Throws `usage` for a name under which decisions of the provider's people are stored. */
function refuseReserved(option: string, given: string | undefined, reserved: string): void {
  if (given !== reserved) return;
  throw new IsochronError(
    "usage",
    `${option} ${given} is kept for what is decided here.`,
    "Choose another name.",
  );
}

/** Throws `usage` for a zone that the IANA database does not know. */
function readTimeZone(name: string | undefined): { readonly timeZone?: string } {
  if (name === undefined) return {};
  try {
    return { timeZone: new Zone(name).name };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new IsochronError("usage", `"${name}" is no time zone.`, "Write Europe/Paris, +02:00 or UTC.");
  }
}

async function checkReadable(path: string): Promise<void> {
  let problem: string | undefined;
  try {
    await access(path, constants.R_OK);
    if ((await stat(path)).isDirectory()) problem = "is a folder";
  } catch (error) {
    problem = `cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`;
  }
  if (problem === undefined) return;
  throw new IsochronError(
    "file-unreadable",
    `${path} ${problem}.`,
    "Name a readable file; nothing was imported.",
  );
}

/** Broken records are no failure of the import, but nobody shall miss them. */
export async function warnOfSetAside(
  view: View,
  counts: Ingested,
  connection: string,
  options: StoreOptions & { readonly strict?: true },
): Promise<number> {
  if (counts.setAside === 0) return exitCodes.ok;
  const what = counts.setAside === 1 ? "1 record was" : `${counts.setAside} records were`;
  await view.note(
    `warning: ${what} set aside; see them with: isochron sources ${storeWords(connection, options)}`,
  );
  return options.strict === true ? exitCodes.failure : exitCodes.ok;
}

/** The words after `isochron sources` that look into the same store; a database's URL may hold a password. */
function storeWords(connection: string, { data, databaseUrl, config }: StoreOptions): string {
  const words = [connection];
  if (data !== undefined) words.push("--data", data);
  if (databaseUrl !== undefined)
    words.push("--database-url", /^(env|file):/.test(databaseUrl) ? databaseUrl : "URL");
  if (config !== undefined) words.push("--config", config);
  return words.map((word) => printable(quoteForShell(word))).join(" ");
}

function quoteForShell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
