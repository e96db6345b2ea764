import { mkdir, open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Option, type Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { exitCodes } from "./exit-code.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addStoreOptions, type StoreOptions } from "./shared-options.ts";
import { addTenantOptions, type TenantOptions } from "./tenant-options.ts";

interface ExportOptions extends StoreOptions, TenantOptions {
  readonly controlPlane: string;
  readonly output: string;
  readonly format: "ndjson" | "csv";
  readonly cursor?: string;
  readonly server?: string;
  readonly token?: string;
}

export function addExportCommand(program: Command, run: Run): void {
  const command = program
    .command("export")
    .summary("take all that a tenant is shown with you, as files")
    .description(
      "Writes all that a tenant's administrator is shown: events.ndjson (or events.csv), and a manifest with counts, hashes and how complete the sources are known to be.",
    );
  addTenantOptions(command)
    .addOption(new Option("-o, --output <dir>", "a folder, or - for standard output").default("-"))
    .addOption(new Option("--format <format>", "how to write").choices(["ndjson", "csv"]).default("ndjson"))
    .option("--cursor <cursor>", "go on where an export was cut off")
    .option("--control-plane <name>", "cloud that the ids belong to", "default")
    .optionsGroup("Where from:")
    .option("--server <url>", "ask this server, with a token of the tenant's (ISOCHRON_SERVER)")
    .option("--token <token>", "API token, env:NAME, file:PATH or credential:NAME (ISOCHRON_TOKEN)");
  addStoreOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron export --project 6f3c9a1e -o ./leaving-customer
  $ isochron export --customer acme --format csv > acme.csv
  $ isochron export --server https://isochron.example.org --token file:token -o ./export`,
    )
    .action(
      run.action((_, options: ExportOptions) => {
        const { project, domain, customer, output, ...others } = options;
        const reading = {
          ...others,
          output: "table" as const,
          color: "never" as const,
          asAdmin: true as const,
          ...(project === undefined ? {} : { asProject: project }),
          ...(domain === undefined ? {} : { asDomain: domain }),
          ...(customer === undefined ? {} : { asCustomer: customer }),
        };
        return read(run.host, reading, (opened) => exportTo(opened, output, options));
      }),
    );
}

async function exportTo(reading: Reading, output: string, options: ExportOptions): Promise<number> {
  const { host, client, view } = reading;
  const { format, cursor } = options;
  const text = await client.export({ format: format === "csv" ? "csv" : undefined, cursor }, host.signal);
  if (format === "csv" || output === "-") {
    await writeAll(text, output === "-" ? undefined : output, host);
    return exitCodes.ok;
  }
  await mkdir(output, { recursive: true });
  const end = await splitLines(text, join(output, "events.ndjson"));
  if (end.manifest === undefined) {
    throw new IsochronError(
      "server-unavailable",
      "The export was cut off.",
      end.cursor === undefined ? "Begin again." : `Go on with --cursor ${end.cursor} into another folder.`,
    );
  }
  await writeFile(join(output, "manifest.json"), `${JSON.stringify(end.manifest, null, 2)}\n`);
  await view.note(`Written to ${output}: events.ndjson and manifest.json.`);
  return exitCodes.ok;
}

async function writeAll(
  text: AsyncIterable<string>,
  folder: string | undefined,
  host: Reading["host"],
): Promise<void> {
  if (folder === undefined) {
    for await (const piece of text) await host.stdout.write(piece);
    return;
  }
  await mkdir(folder, { recursive: true });
  const file = await open(join(folder, "events.csv"), "w", 0o600);
  try {
    for await (const piece of text) await file.write(piece);
  } finally {
    await file.close();
  }
}

/** All lines but the manifest go to the file as they come, so that its hash is the manifest's. */
async function splitLines(
  text: AsyncIterable<string>,
  path: string,
): Promise<{ readonly manifest?: object; readonly cursor?: string }> {
  const file = await open(path, "w", 0o600);
  let rest = "";
  let cursor: string | undefined;
  try {
    for await (const piece of text) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line.startsWith('{"manifest":')) return JSON.parse(line) as { manifest: object };
        if (line.startsWith('{"cursor":')) ({ cursor } = JSON.parse(line) as { cursor: string });
        await file.write(`${line}\n`);
      }
    }
    return cursor === undefined ? {} : { cursor };
  } finally {
    await file.close();
  }
}
