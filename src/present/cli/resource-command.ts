import type { Command } from "commander";
import { formatInstant, instant } from "../../model/instant.ts";
import type { ResourceJson } from "../api/contract.ts";
import { entityText, eventColumns, ownerText } from "./event-columns.ts";
import { exitCodes } from "./exit-code.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { printable } from "./safe-text.ts";
import { addReadOptions, parseResource, type ReadOptions } from "./shared-options.ts";
import type { Column, View } from "./view.ts";

interface ResourceOptions extends ReadOptions {
  readonly at?: string;
  readonly knownAt?: string;
}

export function addResourceCommand(program: Command, run: Run): void {
  const command = program
    .command("resource")
    .summary("a resource as of a moment: owner, surroundings, events")
    .description(
      "Shows whose a resource was, what it stood on and what stood on it, as of a moment, with its events.",
    )
    .argument("<type/id>", "the resource, such as server/6f3c9a1e or host/cmp-17")
    .option("--at <time>", "as of this moment (now)")
    .option("--known-at <time>", "by what was known at this moment; provider only");
  addReadOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron resource host/cmp-17 --at "2024-08-02 12:35 CEST"
  $ isochron resource volume/9d1c0f2e --at 2024-08-02 --known-at 2024-08-03
  $ isochron resource server/6f3c9a1e-52d4-4c5e-9d0c-1b7a0f6f2c11 -o json | jq .relations`,
    )
    .action(
      run.action(([target], options: ResourceOptions) =>
        read(run.host, options, (reading) => showResource(reading, target ?? "", options)),
      ),
    );
}

async function showResource(reading: Reading, target: string, options: ResourceOptions): Promise<number> {
  const { client, view } = reading;
  const { kind, id } = parseResource(target);
  const at = options.at === undefined ? undefined : formatInstant(await reading.readTime(options.at));
  const plane = options.controlPlane === "default" ? undefined : options.controlPlane;
  const knownAt =
    options.knownAt === undefined ? undefined : formatInstant(await reading.readTime(options.knownAt));
  const query = { at, known_at: knownAt, control_plane: plane };
  const resource = await client.resource(kind, id, query);
  if (view.format === "json") await view.json(resource);
  else if (view.format === "ndjson") await view.ndjson(resource.events);
  else if (view.format === "csv") await view.rows(eventColumns(view, resource.events), resource.events);
  else await printResource(view, resource);
  return exitCodes.ok;
}

async function printResource(view: View, resource: ResourceJson): Promise<void> {
  const time = (text: string) => view.zone.rfc3339(instant(Date.parse(text)));
  const { owner, known_since: since } = resource;
  await view.line(
    view.paint("bold", printable(`${entityText(resource.resource)} (${resource.resource.id})`)),
  );
  const known = resource.known_at === undefined ? "" : `, by what was known ${time(resource.known_at)}`;
  await view.line(`as of ${time(resource.at)} (${view.zone.name})${known}`);
  await view.line(printable(`owner: ${owner === null ? "unknown" : (owner.because ?? ownerText(owner))}`));
  await view.line(since === null ? "known since: never seen" : `known since: ${time(since)}`);
  if (resource.ownership.length > 0) await view.line("");
  await view.rows(ownershipColumns(time), resource.ownership);
  if (resource.aliases.length > 0) await view.line("");
  await view.rows(aliasColumns(time), resource.aliases);
  if (resource.relations.length > 0) await view.line("");
  await view.rows(relationColumns(time), resource.relations);
  if (resource.events.length > 0) await view.line("");
  await view.rows(eventColumns(view, resource.events), resource.events);
  if (resource.events.length === 0) await view.note("No events about it are known.");
}

/** When something held, since when we know, and who said so. */
type Held = Pick<
  ResourceJson["ownership"][number],
  "valid_from" | "valid_until" | "known_since" | "stated_by"
>;

function heldColumns<Row extends Held>(time: (text: string) => string): readonly Column<Row>[] {
  const optional = (text: string | null | undefined) =>
    text === null || text === undefined ? "" : time(text);
  return [
    { name: "valid_from", title: "SINCE", value: (one) => time(one.valid_from) },
    { name: "valid_until", title: "UNTIL", value: (one) => optional(one.valid_until) },
    { name: "known_since", title: "KNOWN SINCE", wide: true, value: (one) => optional(one.known_since) },
    {
      name: "stated_by",
      title: "STATED BY",
      wide: true,
      value: ({ stated_by: by }) => (by === undefined ? "" : `${by.connection} ${by.source_id}`),
    },
  ];
}

function ownershipColumns(
  time: (text: string) => string,
): readonly Column<ResourceJson["ownership"][number]>[] {
  return [
    { name: "owner", title: "OWNER", value: (one) => entityText(one.owner) },
    {
      name: "domain",
      title: "DOMAIN",
      value: ({ domain }) => (domain === undefined ? "" : (domain.name ?? domain.id)),
    },
    ...heldColumns<ResourceJson["ownership"][number]>(time),
  ];
}

function aliasColumns(time: (text: string) => string): readonly Column<ResourceJson["aliases"][number]>[] {
  return [
    { name: "relation", title: "ALIAS", value: (one) => one.relation },
    { name: "alias", title: "NAME", value: (one) => one.alias.id },
    ...heldColumns<ResourceJson["aliases"][number]>(time),
  ];
}

function relationColumns(
  time: (text: string) => string,
): readonly Column<ResourceJson["relations"][number]>[] {
  return [
    {
      name: "relation",
      title: "RELATION",
      value: (one) => (one.direction === "to" ? one.relation : `${one.relation} (from)`),
    },
    { name: "entity", title: "RESOURCE", value: (one) => entityText(one.entity) },
    { name: "id", title: "ID", wide: true, value: (one) => one.entity.id },
    ...heldColumns<ResourceJson["relations"][number]>(time),
  ];
}
