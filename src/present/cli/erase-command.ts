import type { Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { ErasureCountsJson, ErasureJson } from "../api/retention-contract.ts";
import { exitCodes } from "./exit-code.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, type ReadOptions } from "./shared-options.ts";
import { addTenantOptions, namesTenant, tenantTarget, type TenantOptions } from "./tenant-options.ts";
import type { Column, View } from "./view.ts";

interface EraseOptions extends ReadOptions, TenantOptions {
  readonly controlPlane: string;
  readonly user?: string;
  readonly word?: readonly string[];
  readonly why?: string;
  readonly dryRun?: true;
}

export function addEraseCommand(program: Command, run: Run): void {
  const command = program
    .command("erase")
    .summary("erase a tenant or a person, so that nothing brings them back")
    .description(
      "Deletes all that is a tenant's own and its part of the rest, or takes a person out of all that is stored. It cannot be undone; --dry-run tells what would go. Without options lists what was erased.",
    );
  addTenantOptions(command)
    .option("--user <id>", "a person, by the id that the cloud knows")
    .option("--word <text>", "with --user: what else names the person; may be repeated", collect)
    .option("--why <text>", "why; it is written down")
    .option("--dry-run", "tell what would go, and change nothing");
  addReadOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron erase --project 6f3c9a1e --dry-run
  $ isochron erase --customer acme --why "the contract has ended"
  $ isochron erase --user 91b2 --word jo.smith@example.org --why "asked for by the person"
  $ isochron erase`,
    )
    .action(
      run.action((_, options: EraseOptions) =>
        read(run.host, options, (reading) => {
          if (namesTenant(options) || options.user !== undefined) return erase(reading, options);
          return list(reading);
        }),
      ),
    );
}

function collect(word: string, before: readonly string[] = []): readonly string[] {
  return [...before, word];
}

async function list({ client, view }: Reading): Promise<number> {
  const { erasures } = await client.erasures();
  if (view.format === "json") await view.json(erasures);
  else if (view.format === "ndjson") await view.ndjson(erasures);
  else await view.rows(erasureColumns(view), erasures);
  return exitCodes.ok;
}

async function erase({ client, view }: Reading, options: EraseOptions): Promise<number> {
  const { user, word, why, dryRun } = options;
  const target =
    user === undefined
      ? tenantTarget(options)
      : { user_id: user, ...(word === undefined ? {} : { words: [...word] }) };
  if (user !== undefined && namesTenant(options)) throw unclear("A person and a tenant are both named.");
  if (dryRun !== true && (why === undefined || why.trim() === "")) throw unclear("It is not said why.");
  const { counts, confirm } = await client.erasureDryRun(target);
  if (dryRun === true || why === undefined) {
    if (view.format === "table") await view.rows(countColumns, [counts]);
    else await (view.format === "json" ? view.json(counts) : view.ndjson([counts]));
    await view.note("Nothing was changed.");
    return exitCodes.ok;
  }
  const erasure = await client.erase({ target, why, confirm });
  if (view.format === "table") await view.rows(erasureColumns(view), [erasure]);
  else await (view.format === "json" ? view.json(erasure) : view.ndjson([erasure]));
  if (erasure.state === "held")
    await view.note("Legal holds keep the rest; it goes when they are lifted (see `isochron holds`).");
  return exitCodes.ok;
}

function unclear(problem: string): IsochronError {
  return new IsochronError("usage", problem, "Write `isochron erase --project ID --why TEXT`.");
}

const countColumns: readonly Column<ErasureCountsJson>[] = [
  { name: "events", title: "EVENTS", value: ({ events }) => String(events) },
  { name: "changed", title: "CHANGED", value: ({ changed }) => String(changed) },
  { name: "editions", title: "EDITIONS", value: ({ editions }) => String(editions) },
  { name: "storm_members", title: "STORM MEMBERS", value: (counts) => String(counts.storm_members) },
  { name: "set_aside", title: "SET ASIDE", value: (counts) => String(counts.set_aside) },
  { name: "facts", title: "FACTS", value: ({ facts }) => String(facts) },
  { name: "held", title: "HELD", value: ({ held }) => String(held) },
];

function erasureColumns(view: View): readonly Column<ErasureJson>[] {
  return [
    { name: "id", title: "ERASURE", value: ({ id }) => id },
    { name: "state", title: "STATE", value: ({ state }) => state },
    { name: "events", title: "EVENTS", value: ({ counts }) => String(counts.events) },
    { name: "changed", title: "CHANGED", value: ({ counts }) => String(counts.changed) },
    { name: "held", title: "HELD", value: ({ counts }) => String(counts.held) },
    {
      name: "asked_at",
      title: "ASKED",
      value: (erasure) => erasure.asked_at,
      shown: (erasure) => view.zone.rfc3339(instant(Date.parse(erasure.asked_at))),
    },
    { name: "asked_by", title: "BY", value: (erasure) => erasure.asked_by },
    { name: "why", title: "WHY", value: ({ why }) => why },
  ];
}
