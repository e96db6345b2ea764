import type { Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { formatInstant, instant } from "../../model/instant.ts";
import type { HoldJson } from "../api/retention-contract.ts";
import { exitCodes } from "./exit-code.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, parseResource, type ReadOptions } from "./shared-options.ts";
import { addTenantOptions, namesTenant, tenantTarget, type TenantOptions } from "./tenant-options.ts";
import type { Column, View } from "./view.ts";

interface HoldsOptions extends ReadOptions, TenantOptions {
  readonly controlPlane: string;
  readonly resource?: string;
  readonly from?: string;
  readonly to?: string;
  readonly lift?: string;
  readonly why?: string;
}

export function addHoldsCommand(program: Command, run: Run): void {
  const command = program
    .command("holds")
    .summary("legal holds: what is not to be deleted, whatever its age")
    .description(
      "Places a legal hold on a tenant or a resource, or lifts one; without options lists them. While a hold stands, neither retention nor an erasure deletes what is under it.",
    );
  addTenantOptions(command)
    .option("--resource <type/id>", "a resource, wherever it is mentioned")
    .option("--from <time>", "only what happened from then on")
    .option("--to <time>", "only what happened before then")
    .option("--lift <hold>", "lift this one")
    .option("--why <text>", "why; it is written down");
  addReadOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron holds --project 6f3c9a1e --why "case 12/2026"
  $ isochron holds --resource server/6f3c9a1e --from 2026-10-01 --to 2026-11-01 --why "case 13/2026"
  $ isochron holds --lift hold_4f1c0b7e --why "the case is closed"
  $ isochron holds`,
    )
    .action(
      run.action((_, options: HoldsOptions) => read(run.host, options, (reading) => act(reading, options))),
    );
}

async function act(reading: Reading, options: HoldsOptions): Promise<number> {
  const { client } = reading;
  const { lift, resource, why } = options;
  const places = resource !== undefined || namesTenant(options);
  if (lift === undefined && !places) return show(reading, (await client.holds()).holds);
  if (lift !== undefined && places) throw unclear("One is to be lifted and another placed.");
  if (why === undefined || why.trim() === "") throw unclear("It is not said why.");
  if (lift !== undefined) return show(reading, [await client.liftHold(lift, { why })]);
  return show(reading, [await place(reading, options, why)]);
}

async function place({ client, readTime }: Reading, options: HoldsOptions, why: string): Promise<HoldJson> {
  const { resource, from, to } = options;
  const named = resource === undefined ? undefined : parseResource(resource);
  return client.placeHold({
    target: {
      ...tenantTarget(options),
      ...(named === undefined ? {} : { resource: { kind: named.kind, id: named.id } }),
    },
    ...(from === undefined ? {} : { from: formatInstant(await readTime(from)) }),
    ...(to === undefined ? {} : { to: formatInstant(await readTime(to)) }),
    why,
  });
}

async function show({ view }: Reading, holds: readonly HoldJson[]): Promise<number> {
  if (view.format === "json") await view.json(holds);
  else if (view.format === "ndjson") await view.ndjson(holds);
  else await view.rows(holdColumns(view), holds);
  return exitCodes.ok;
}

function unclear(problem: string): IsochronError {
  return new IsochronError("usage", problem, "Write `isochron holds --project ID --why TEXT`.");
}

function holdColumns(view: View): readonly Column<HoldJson>[] {
  const at = (text: string | null): string =>
    text === null ? "" : view.zone.rfc3339(instant(Date.parse(text)));
  return [
    { name: "id", title: "HOLD", value: ({ id }) => id },
    { name: "of", title: "OF", value: ({ of }) => of },
    { name: "from", title: "FROM", value: ({ from }) => from ?? "", shown: ({ from }) => at(from) },
    { name: "to", title: "TO", value: ({ to }) => to ?? "", shown: ({ to }) => at(to) },
    { name: "state", title: "STATE", value: ({ lifted }) => (lifted === null ? "stands" : "lifted") },
    { name: "placed_by", title: "BY", value: (hold) => hold.placed_by },
    {
      name: "why",
      title: "WHY",
      value: ({ why, lifted }) => (lifted === null ? why : `${why}; lifted: ${lifted.why}`),
    },
  ];
}
