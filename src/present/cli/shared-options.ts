import { Option, type Command } from "commander";
import { IsochronError } from "../../errors.ts";
import type { Host, SetupRequest } from "./application.ts";
import { formats, View, type Format } from "./view.ts";
import { Zone } from "./zone.ts";

/** Options of every command that touches a store. */
export interface StoreOptions {
  readonly data?: string;
  readonly databaseUrl?: string;
  readonly config?: string;
  readonly logLevel?: string;
  readonly logFormat?: string;
}

/** Options of every command that prints. */
export interface PrintOptions {
  readonly output: Format;
  readonly color: "auto" | "always" | "never";
  readonly tz?: string;
}

/** Options of every command that reads through the API. */
export interface ReadOptions extends StoreOptions, PrintOptions {
  readonly server?: string;
  readonly token?: string;
  readonly asDomain?: string;
  readonly asProject?: string;
  readonly asCustomer?: string;
  /** Looks as the tenant's administrator, who sees what is sensitive too. */
  readonly asAdmin?: true;
  readonly controlPlane: string;
  readonly strict?: true;
}

export function addStoreOptions(command: Command): Command {
  return command
    .optionsGroup("Store:")
    .option("--data <dir>", "folder of the embedded store (ISOCHRON_DATA)")
    .option(
      "--database-url <url>",
      "PostgreSQL to use instead: URL, env:NAME, file:PATH or credential:NAME (ISOCHRON_DATABASE_URL)",
    )
    .option("--config <file>", "configuration file (ISOCHRON_CONFIG; ./isochron.yaml)")
    .option("--log-level <level>", "least level to log (ISOCHRON_LOG_LEVEL)")
    .option("--log-format <format>", "json or pretty (ISOCHRON_LOG_FORMAT)");
}

export function addPrintOptions(command: Command, allowed: readonly Format[] = formats): Command {
  return command
    .optionsGroup("Output:")
    .addOption(
      new Option("-o, --output <format>", "how to print")
        .choices(allowed)
        .default(allowed.includes("table") ? "table" : allowed[0]),
    )
    .addOption(
      new Option("--color <when>", "colours (NO_COLOR switches them off)")
        .choices(["auto", "always", "never"])
        .default("auto"),
    )
    .option("--tz <zone>", "zone that times are read and shown in (ISOCHRON_TIME_ZONE)");
}

export function addReadOptions(command: Command, allowed: readonly Format[] = formats): Command {
  addPrintOptions(command, allowed);
  command
    .optionsGroup("Where from:")
    .option("--server <url>", "ask this server instead of the store (ISOCHRON_SERVER)")
    .option("--token <token>", "API token, env:NAME, file:PATH or credential:NAME (ISOCHRON_TOKEN)")
    .option("--as-domain <id>", "look through the eyes of this domain")
    .addOption(new Option("--as-project <id>", "look through the eyes of this project").conflicts("asDomain"))
    .addOption(
      new Option("--as-customer <id>", "look through the eyes of this customer").conflicts([
        "asDomain",
        "asProject",
      ]),
    )
    .option("--control-plane <name>", "cloud that the ids belong to", "default");
  return addStoreOptions(command);
}

export function addStrictOption(command: Command): Command {
  return command
    .optionsGroup("Output:")
    .option("--strict", "exit 3 when a source was incomplete in the window");
}

/** The settings among a command's flags, by the setting's name. */
export function flagsOf(
  options: Partial<ReadOptions> & { readonly host?: string; readonly port?: string },
): SetupRequest["flags"] {
  return {
    data: options.data,
    database_url: options.databaseUrl,
    config: options.config,
    log_level: options.logLevel,
    log_format: options.logFormat,
    server: options.server,
    token: options.token,
    time_zone: options.tz,
    host: options.host,
    port: options.port,
  };
}

export function createView(host: Host, options: PrintOptions, timeZone: string | undefined): View {
  const zone = new Zone(timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone);
  return new View(host, { format: options.output, colour: options.color, zone });
}

/** `server/6f3c…` as a resource, for the API. Throws `usage` on anything else. */
export function parseResource(text: string): { kind: string; id: string; key: string } {
  const match = /^([a-z_]+)[/:](.+)$/.exec(text);
  if (match !== null) return { kind: match[1]!, id: match[2]!, key: `${match[1]}/${match[2]}` };
  throw new IsochronError("usage", `"${text}" is no resource.`, "Write TYPE/ID, such as server/6f3c9a1e.");
}
