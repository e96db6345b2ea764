import { Option, type Command } from "commander";
import { IsochronError } from "../../errors.ts";
import type { Host, Ingested, Opened, Setup } from "./application.ts";
import { exitCodes } from "./exit-code.ts";
import { warnOfSetAside, type TakingOptions } from "./import-command.ts";
import { ingestedJson, ingestedText } from "./ingested-text.ts";
import type { Run } from "./run.ts";
import { addPrintOptions, addStoreOptions, createView, flagsOf } from "./shared-options.ts";
import { untilAborted } from "./until-aborted.ts";
import type { View } from "./view.ts";

interface HarvestOptions extends TakingOptions {
  readonly cloud?: string;
  readonly recorded?: string;
  readonly follow?: true;
  readonly anew?: true;
}

export function addHarvestCommand(program: Command, run: Run): void {
  const command = program
    .command("harvest")
    .summary("read from sources once, or for as long as it runs")
    .description(
      "Runs configured connections once, or a connection that is described on the command line. With --follow it is a worker: any number of them may run over one database, beside `isochron serve`, and each connection is read by one at a time.",
    )
    .argument("[connection...]", "configured connections; all of them when none is named")
    .option("--follow", "go on until interrupted, as a worker among any number")
    .addOption(
      new Option(
        "--anew",
        "read named connections from their beginning, leaving the saved place behind",
      ).conflicts(["follow", "recorded"]),
    )
    .optionsGroup("A connection that no file describes:")
    .addOption(new Option("--source <name>", "kind of source").choices(run.host.sources))
    .option("--cloud <name>", "cloud in clouds.yaml")
    .addOption(
      new Option("--recorded <dir>", "recorded answers that stand in for the API").conflicts("follow"),
    )
    .option("--connection <name>", "name of this use of the source (the source's name)")
    .option("--control-plane <name>", "cloud that the ids belong to", "default")
    .option("--strict", "exit 1 when anything was set aside");
  addPrintOptions(command, ["table", "json", "ndjson"]);
  addStoreOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron harvest
  $ isochron harvest nova@region-1 --follow
  $ isochron harvest --source openstack-inventory --cloud mycloud
  $ isochron harvest --source openstack-inventory --recorded ./rest --control-plane lab`,
    )
    .action(run.action((names, options: HarvestOptions) => harvest(run, names, options)));
}

async function harvest(run: Run, names: readonly string[], options: HarvestOptions): Promise<number> {
  const { host } = run;
  // A pass that is told to stop hands its connection back first, so that nobody waits for its lease.
  run.endsBySignal = true;
  const setup = configure(host, names, options);
  const view = createView(host, options, setup.settings.timeZone);
  const opened = await setup.open();
  try {
    if (options.follow === true) {
      await opened.startHarvest(host.signal);
      await untilAborted(host.signal);
      return exitCodes.interrupted;
    }
    const named = names.length > 0 || options.source !== undefined;
    return await harvestOnce(
      { view, opened, signal: host.signal },
      setup.settings.connections,
      options,
      named,
    );
  } finally {
    await opened.close();
  }
}

/** Throws `usage` when there is nothing to harvest, or a name that no file describes. */
function configure(host: Host, names: readonly string[], options: HarvestOptions): Setup {
  const request = { flags: flagsOf(options), service: true };
  if (options.source !== undefined) {
    if (names.length > 0)
      throw new IsochronError("usage", "--source and names are both given.", "Use one of them.");
    const name = options.connection ?? options.source;
    const config = options.cloud === undefined ? {} : { cloud: options.cloud };
    const extra = { name, source: options.source, controlPlane: options.controlPlane, config };
    return host.configure({ ...request, only: [name], extra });
  }
  if (options.cloud !== undefined || options.recorded !== undefined || options.connection !== undefined) {
    throw new IsochronError(
      "usage",
      "--cloud, --recorded and --connection describe a source.",
      "Add --source NAME.",
    );
  }
  const setup = host.configure(names.length === 0 ? request : { ...request, only: names });
  const known = setup.settings.connections.map((connection) => connection.name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new IsochronError(
      "usage",
      `No connection is called ${unknown.join(", ")}.`,
      "See the configuration file.",
    );
  }
  if (options.anew === true && names.length === 0)
    throw new IsochronError(
      "usage",
      "--anew was given without a name.",
      "Name the connections to read anew.",
    );
  if (known.length > 0) return setup;
  throw new IsochronError(
    "usage",
    "No connection is configured.",
    "Describe some in isochron.yaml, or add --source NAME; docs/configuration.md shows how.",
  );
}

/** What passes are made with; the signal ends one in the middle. */
interface Harvesting {
  readonly view: View;
  readonly opened: Opened;
  readonly signal: AbortSignal;
}

async function harvestOnce(
  harvesting: Harvesting,
  connections: Setup["settings"]["connections"],
  options: HarvestOptions,
  named: boolean,
): Promise<number> {
  const { view } = harvesting;
  const results: unknown[] = [];
  let worst: number = exitCodes.ok;
  for (const { name, enabled } of connections) {
    if (!named && !enabled) continue;
    const counts = await passOf(harvesting, name, options, named);
    if (counts === undefined) continue;
    if (view.format === "table") await view.line(`${name}: ${ingestedText(counts)}`);
    results.push({ connection: name, ...ingestedJson(counts) });
    worst = Math.max(worst, await warnOfSetAside(view, counts, name, options));
  }
  if (view.format === "json") await view.json(results);
  if (view.format === "ndjson") await view.ndjson(results);
  return worst;
}

/** Undefined for what arrives by itself, unless it was asked for by name. */
async function passOf(
  { view, opened, signal }: Harvesting,
  name: string,
  options: HarvestOptions,
  named: boolean,
): Promise<Ingested | undefined> {
  try {
    const { recorded, anew = false } = options;
    return await opened.harvestOnce(name, { signal, anew, ...(recorded === undefined ? {} : { recorded }) });
  } catch (error) {
    if (named || !(error instanceof IsochronError) || error.code !== "usage") throw error;
    await view.note(`${name}: ${error.problem}`);
    return undefined;
  }
}
