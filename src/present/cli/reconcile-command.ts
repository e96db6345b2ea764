import { Option, type Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { formatInstant } from "../../model/instant.ts";
import type { Opened, Reconciliation, Setup } from "./application.ts";
import { exitCodes } from "./exit-code.ts";
import { parseCount } from "./parse-count.ts";
import type { Run } from "./run.ts";
import {
  addPrintOptions,
  addStoreOptions,
  createView,
  flagsOf,
  type PrintOptions,
  type StoreOptions,
} from "./shared-options.ts";
import type { Column, View } from "./view.ts";

interface ReconcileOptions extends StoreOptions, PrintOptions {
  readonly hours?: number;
}

interface Compared extends Reconciliation {
  readonly connection: string;
}

export function addReconcileCommand(program: Command, run: Run): void {
  const command = program
    .command("reconcile")
    .summary("compare what is stored with what the sources still know")
    .description(
      "Reads the last hours of configured connections again, stores what was missing, and closes the known holes that this proves whole. It runs by itself as well: see reconcile_every_hours.",
    )
    .argument("[connection...]", "configured connections; all that can be asked when none is named")
    .addOption(
      new Option("--hours <n>", "how far back (the connection's reconcile_span_hours)").argParser(parseCount),
    );
  addPrintOptions(command);
  addStoreOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron reconcile
  $ isochron reconcile tickets@region-1 --hours 168
  $ isochron reconcile -o json | jq '.[] | select(.found_late > 0)'`,
    )
    .action(run.action((names, options: ReconcileOptions) => reconcile(run, names, options)));
}

async function reconcile(run: Run, names: readonly string[], options: ReconcileOptions): Promise<number> {
  const { host } = run;
  // A comparison that is told to stop hands its connection back first, so that nobody waits for its lease.
  run.endsBySignal = true;
  const setup = host.configure({
    flags: flagsOf(options),
    service: false,
    ...(names.length === 0 ? {} : { only: names }),
  });
  const connections = chooseConnections(setup, names);
  const view = createView(host, options, setup.settings.timeZone);
  const opened = await setup.open();
  try {
    const compared: Compared[] = [];
    let code: number = exitCodes.ok;
    for (const name of connections) {
      const asked = { name, named: names.length > 0, signal: host.signal };
      const found = await compare(view, opened, asked, options);
      if (typeof found === "number") code = Math.max(code, found);
      else compared.push({ connection: name, ...found });
    }
    if (view.format === "json") await view.json(compared.map(asJson));
    else if (view.format === "ndjson") await view.ndjson(compared.map(asJson));
    else await view.rows(columns(view), compared);
    return code;
  } finally {
    await opened.close();
  }
}

/** Throws `usage` when there is nothing to compare, or a name that no file describes. */
function chooseConnections({ settings }: Setup, names: readonly string[]): readonly string[] {
  const known = settings.connections.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new IsochronError(
      "usage",
      `No connection is called ${unknown.join(", ")}.`,
      "See the configuration file.",
    );
  }
  if (names.length > 0) return names;
  const enabled = settings.connections.filter((connection) => connection.enabled);
  if (enabled.length > 0) return enabled.map(({ name }) => name);
  throw new IsochronError(
    "usage",
    "No connection is configured.",
    "Describe some in isochron.yaml; docs/configuration.md shows how.",
  );
}

/** An exit code for a connection that cannot be asked, or that failed, unless it was named: the others go on. */
async function compare(
  view: View,
  opened: Opened,
  { name, named, signal }: { readonly name: string; readonly named: boolean; readonly signal: AbortSignal },
  { hours }: ReconcileOptions,
): Promise<Reconciliation | number> {
  try {
    return await opened.reconcile(name, { signal, ...(hours === undefined ? {} : { hours }) });
  } catch (error) {
    if (named || !(error instanceof IsochronError)) throw error;
    const cannotBeAsked = error.code === "usage";
    await view.note(cannotBeAsked ? error.problem : `${name}: ${error.problem}`);
    return cannotBeAsked ? exitCodes.ok : exitCodes.failure;
  }
}

function asJson(one: Compared): Record<string, string | number> {
  return {
    connection: one.connection,
    from: formatInstant(one.from),
    to: formatInstant(one.to),
    records: one.records,
    found_late: one.foundLate,
    holes_closed: one.holesClosed,
    holes_left: one.holesLeft,
  };
}

function columns(view: View): readonly Column<Compared>[] {
  return [
    { name: "connection", title: "CONNECTION", value: (one) => one.connection },
    {
      name: "from",
      title: "FROM",
      value: (one) => formatInstant(one.from),
      shown: (one) => view.zone.rfc3339(one.from),
    },
    {
      name: "to",
      title: "TO",
      value: (one) => formatInstant(one.to),
      shown: (one) => view.zone.rfc3339(one.to),
    },
    { name: "records", title: "READ", value: (one) => String(one.records) },
    {
      name: "found_late",
      title: "FOUND LATE",
      value: (one) => String(one.foundLate),
      style: (one) => (one.foundLate > 0 ? "yellow" : undefined),
    },
    { name: "holes_closed", title: "HOLES CLOSED", value: (one) => String(one.holesClosed) },
    {
      name: "holes_left",
      title: "HOLES LEFT",
      value: (one) => String(one.holesLeft),
      style: (one) => (one.holesLeft > 0 ? "yellow" : undefined),
    },
  ];
}
