import type { Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { SourcesJson } from "../api/contract.ts";
import type { Host, Setup } from "./application.ts";
import { lengthText } from "./coverage-text.ts";
import { exitCodes } from "./exit-code.ts";
import { ingestedText } from "./ingested-text.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { contractLines, healthLines } from "./source-health-text.ts";
import { addReadOptions, createView, flagsOf, type ReadOptions } from "./shared-options.ts";
import type { Column, Style } from "./view.ts";

interface SourcesOptions extends ReadOptions {
  readonly replay?: true;
  readonly forget?: true;
}

type Connection = SourcesJson["connections"][number];
type SetAside = SourcesJson["set_aside"][number];

const stateStyles: Readonly<Record<Connection["state"], Style | undefined>> = {
  idle: undefined,
  finished: undefined,
  retired: undefined,
  running: "green",
  failing: "red",
  degraded: "yellow",
  silent: "yellow",
};

/** `line 2` before `line 10`. */
const byPosition = new Intl.Collator("en", { numeric: true });

export function addSourcesCommand(program: Command, run: Run): void {
  const command = program
    .command("sources")
    .summary("how complete each source is, and what was set aside")
    .description(
      "Lists the connections with their state, how far they are complete, and their counts; with a name, also what the source promises and the records that were set aside.",
    )
    .argument("[connection]", "one connection, with its set-aside records")
    .option("--replay", "read its set-aside records again, the way that live data takes")
    .option("--forget", "expect nothing of it any more; its events and its place stay");
  addReadOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron sources
  $ isochron sources openstack-notifications -o wide
  $ isochron sources openstack-notifications --replay
  $ isochron sources tickets@old-region --forget`,
    )
    .action(
      run.action(([name], options: SourcesOptions) => {
        if (options.replay === true) return replay(run.host, name, options);
        if (options.forget === true) return forget(run.host, name, options);
        return read(run.host, options, (reading) => listSources(reading, name));
      }),
    );
}

async function listSources(reading: Reading, name: string | undefined): Promise<number> {
  const { view } = reading;
  const all = await reading.client.sources();
  const connections = all.connections
    .filter((one) => name === undefined || one.connection === name)
    .sort((left, right) => Number(left.state === "retired") - Number(right.state === "retired"));
  const setAside = all.set_aside
    .filter((one) => one.connection === name)
    .sort((left, right) => byPosition.compare(left.position, right.position));
  if (name !== undefined && connections.length === 0) {
    throw unknownConnection(name);
  }
  if (view.format === "json") {
    await view.json(name === undefined ? all : { connections, set_aside: setAside });
    return exitCodes.ok;
  }
  if (view.format === "ndjson") {
    await view.ndjson(name === undefined ? connections : setAside);
    return exitCodes.ok;
  }
  if (view.format !== "csv" || name === undefined) await view.rows(connectionColumns(reading), connections);
  for (const connection of connections) {
    for (const line of healthLines(connection, name === undefined)) await view.note(line);
  }
  if (name !== undefined) for (const line of contractLines(connections)) await view.note(line);
  if (name !== undefined) await listSetAside(reading, setAside, connections[0]?.counts.set_aside ?? 0);
  else if (connections.length === 0) await view.note("No sources are known here.");
  return exitCodes.ok;
}

async function listSetAside(reading: Reading, records: readonly SetAside[], counted: number): Promise<void> {
  const { view } = reading;
  if (records.length === 0 && view.format === "table") return view.note("Nothing is set aside.");
  if (view.format === "table" || view.format === "wide") await view.line("");
  await view.rows(setAsideColumns(reading), records);
  const more = counted > records.length ? ` of ${counted}` : "";
  await view.note(
    `${records.length}${more} set aside. Once the cause is gone: isochron sources NAME --replay`,
  );
}

async function replay(host: Host, given: string | undefined, options: SourcesOptions): Promise<number> {
  const { setup, name } = configureStore("--replay", host, given, options);
  const view = createView(host, options, setup.settings.timeZone);
  const opened = await setup.open();
  try {
    const counts = await opened.replaySetAside(name);
    if (counts === undefined) throw unknownConnection(name);
    await view.line(`${name}: ${ingestedText(counts)}`);
    if (counts.setAside > 0) await view.note(`warning: ${counts.setAside} still cannot be used.`);
    return exitCodes.ok;
  } finally {
    await opened.close();
  }
}

async function forget(host: Host, given: string | undefined, options: SourcesOptions): Promise<number> {
  const { setup, name } = configureStore("--forget", host, given, options);
  if (setup.settings.connections.some((one) => one.name === name)) {
    throw new IsochronError(
      "usage",
      `${name} is configured, so that it would be read again.`,
      "Take it out of the configuration file first; `enabled: false` only rests it.",
    );
  }
  const view = createView(host, options, setup.settings.timeZone);
  const opened = await setup.open();
  try {
    if (!(await opened.forget(name))) throw unknownConnection(name);
    await view.line(`${name}: retired; nothing is expected of it until it is read again`);
    return exitCodes.ok;
  } finally {
    await opened.close();
  }
}

/** Works on the store of this machine; a server takes no such order from here. Throws `usage`. */
function configureStore(
  flag: string,
  host: Host,
  name: string | undefined,
  options: SourcesOptions,
): { readonly setup: Setup; readonly name: string } {
  if (name === undefined) throw new IsochronError("usage", `${flag} needs a connection.`, "Name one.");
  const setup = host.configure({ flags: flagsOf(options), service: false });
  if (
    setup.settings.server !== undefined &&
    options.data === undefined &&
    options.databaseUrl === undefined
  ) {
    throw new IsochronError(
      "usage",
      `${flag} works on the store itself.`,
      "Run it where the store is, with --data.",
    );
  }
  return { setup, name };
}

function unknownConnection(name: string): IsochronError {
  return new IsochronError(
    "not-found",
    `No connection is called "${name}".`,
    "`isochron sources` lists them.",
  );
}

function connectionColumns(reading: Reading): readonly Column<Connection>[] {
  const time = (text: string | null) =>
    text === null ? "" : reading.view.zone.rfc3339(instant(Date.parse(text)));
  return [
    { name: "connection", title: "CONNECTION", value: (one) => one.connection },
    { name: "source", title: "SOURCE", wide: true, value: (one) => one.source },
    { name: "control_plane", title: "CONTROL PLANE", wide: true, value: (one) => one.control_plane },
    { name: "state", title: "STATE", value: (one) => one.state, style: (one) => stateStyles[one.state] },
    {
      name: "complete_to",
      title: "COMPLETE TO",
      value: (one) => one.complete_to ?? "",
      shown: (one) => (one.complete_to === null ? "unknown" : time(one.complete_to)),
    },
    {
      name: "lag_ms",
      title: "LAG",
      value: (one) => String(one.lag_ms ?? ""),
      shown: (one) => (one.lag_ms === null ? "" : lengthText(one.lag_ms)),
    },
    { name: "events", title: "EVENTS", value: (one) => String(one.counts.events) },
    { name: "folded", title: "FOLDED", value: (one) => String(one.counts.folded) },
    { name: "repeated", title: "REPEATED", wide: true, value: (one) => String(one.counts.repeated) },
    { name: "revised", title: "REVISED", wide: true, value: (one) => String(one.counts.revised) },
    {
      name: "set_aside",
      title: "SET ASIDE",
      value: (one) => String(one.counts.set_aside),
      style: (one) => (one.counts.set_aside > 0 ? "yellow" : undefined),
    },
    {
      name: "holes",
      title: "HOLES",
      value: (one) => String(one.holes.length),
      style: (one) => (one.holes.length > 0 ? "yellow" : undefined),
    },
    { name: "late", title: "LATE", wide: true, value: (one) => String(one.counts.late) },
    { name: "last_heard_at", title: "LAST HEARD", wide: true, value: (one) => time(one.last_heard_at) },
    { name: "last_event_at", title: "LAST EVENT", wide: true, value: (one) => time(one.last_event_at) },
    { name: "last_error", title: "LAST ERROR", wide: true, value: (one) => one.last_error?.message ?? "" },
  ];
}

function setAsideColumns(reading: Reading): readonly Column<SetAside>[] {
  const time = (text: string) => reading.view.zone.rfc3339(instant(Date.parse(text)));
  return [
    { name: "id", title: "ID", wide: true, value: (one) => one.id },
    { name: "position", title: "POSITION", value: (one) => one.position },
    { name: "received_at", title: "RECEIVED", wide: true, value: (one) => time(one.received_at) },
    { name: "attempts", title: "ATTEMPTS", wide: true, value: (one) => String(one.attempts) },
    { name: "code", title: "CODE", value: (one) => one.code },
    { name: "reason", title: "REASON", value: (one) => one.reason },
    { name: "excerpt", title: "BEGINS", wide: true, value: (one) => one.excerpt.slice(0, 80) },
  ];
}
