import type { Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { formatInstant, instant } from "../../model/instant.ts";
import type { WorkWindowJson } from "../api/maintenance-contract.ts";
import { entityText } from "./event-columns.ts";
import { exitCodes } from "./exit-code.ts";
import { parseCount } from "./parse-count.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, parseResource, type ReadOptions } from "./shared-options.ts";
import { parseDuration } from "./time-text.ts";
import type { Column } from "./view.ts";

interface PlanOptions extends ReadOptions {
  readonly title: string;
  readonly from?: string;
  readonly to?: string;
  readonly for?: string;
  readonly why: string;
}

export function addMaintenanceCommand(program: Command, run: Run): void {
  const command = program
    .command("maintenance")
    .summary("planned work: plan, list, cancel")
    .description(
      "Planned work on hosts, services, regions and the like. What happens to them and to what stands on them meanwhile is expected; it is shown all the same.",
    );
  addPlan(command, run);
  addList(command, run);
  addCancel(command, run);
}

function addPlan(parent: Command, run: Run): void {
  const command = parent
    .command("plan")
    .summary("plan work on things")
    .description("Plans work on things of one cloud. Tenants are told by their notices alone.")
    .argument("<type/id...>", "what is worked on: host/cmp-17, service/nova-compute@cmp-17, region/north")
    .requiredOption("--title <text>", "what is done")
    .option("--from <time>", "when it begins (now)")
    .option("--to <time>", "when it is over; or give --for")
    .option("--for <length>", "how long it takes: 90m, 2h, 1d")
    .requiredOption("--why <reason>", "why, as the audit shall have it");
  addReadOptions(command, ["table", "json"])
    .addHelpText(
      "after",
      `
Examples:
  $ isochron maintenance plan host/cmp-17 --title "New firmware" --for 2h --why "security fix"
  $ isochron maintenance plan backend/ceph@nvme host/sto-3 --title "New disks" --from "22:00 CET" --for 4h --why "capacity"`,
    )
    .action(
      run.action((things, options: PlanOptions) =>
        read(run.host, options, (reading) => plan(reading, things, options)),
      ),
    );
}

async function plan(reading: Reading, things: readonly string[], options: PlanOptions): Promise<number> {
  const { title, why, controlPlane } = options;
  const from = options.from === undefined ? reading.now : await reading.readTime(options.from);
  const to = await endOf(reading, from, options);
  const window = await reading.client.alerts.planWork({
    title,
    from: formatInstant(from),
    to: formatInstant(instant(to)),
    // The usual name says nothing: most stores know one cloud.
    ...(controlPlane === "default" ? {} : { control_plane: controlPlane }),
    on: things.map((text) => {
      const { kind, id } = parseResource(text);
      return { kind, id };
    }),
    why,
  });
  return show(reading, [window]);
}

async function endOf(reading: Reading, from: number, options: PlanOptions): Promise<number> {
  if ((options.to === undefined) === (options.for === undefined))
    throw new IsochronError(
      "usage",
      "It is not said, or said twice, when it is over.",
      "Give --to or --for.",
    );
  if (options.for !== undefined) return from + parseDuration(options.for);
  return reading.readTime(options.to!);
}

function addList(parent: Command, run: Run): void {
  const command = parent
    .command("list", { isDefault: true })
    .summary("planned work, the latest first")
    .description(
      "Lists planned work, cancelled work too. What sources tell of is among the answers of `alerts`.",
    )
    .option("-n, --limit <count>", "at most so many", parseCount);
  addReadOptions(command)
    .addHelpText("after", "\nExamples:\n  $ isochron maintenance list\n  $ isochron maintenance list -o json")
    .action(
      run.action((_, options: ReadOptions & { readonly limit?: number }) =>
        read(run.host, options, async (reading) => {
          const { windows } = await reading.client.alerts.work({ limit: options.limit });
          return show(reading, windows);
        }),
      ),
    );
}

function addCancel(parent: Command, run: Run): void {
  const command = parent
    .command("cancel")
    .summary("cancel planned work")
    .description("Cancels planned work: nothing is expected of it any more, looking back too.")
    .argument("<id>", "the planned work, as `maintenance list` shows it")
    .option("--why <reason>", "why, as the audit shall have it");
  addReadOptions(command, ["table", "json"])
    .addHelpText(
      "after",
      '\nExamples:\n  $ isochron maintenance cancel mnt_0123456789abcdefghijklmnop --why "the disks did not come"',
    )
    .action(
      run.action(([id = ""], options: ReadOptions & { readonly why?: string }) =>
        read(run.host, options, async (reading) =>
          show(reading, [await reading.client.alerts.cancelWork(id, options.why)]),
        ),
      ),
    );
}

async function show({ view, now }: Reading, windows: readonly WorkWindowJson[]): Promise<number> {
  if (view.format === "json") await view.json(windows);
  else if (view.format === "ndjson") await view.ndjson(windows);
  else await view.rows(windowColumns(now), windows);
  return exitCodes.ok;
}

function windowColumns(now: number): readonly Column<WorkWindowJson>[] {
  return [
    { name: "id", title: "ID", value: (one) => one.id ?? "" },
    { name: "state", title: "STATE", value: (one) => stateText(one, now) },
    { name: "from", title: "FROM", value: (one) => one.from },
    { name: "to", title: "TO", value: (one) => one.to ?? "" },
    { name: "on", title: "ON", value: (one) => one.on.map(entityText).join(", ") },
    { name: "title", title: "WHAT", value: (one) => one.title },
    { name: "control_plane", title: "CLOUD", wide: true, value: (one) => one.control_plane },
    { name: "by", title: "BY", wide: true, value: (one) => one.told.person ?? one.told.connection ?? "" },
    { name: "why", title: "WHY", wide: true, value: (one) => one.told.why ?? "" },
  ];
}

function stateText({ cancelled_at: cancelled, from, to }: WorkWindowJson, now: number): string {
  if (cancelled !== null) return "cancelled";
  if (Date.parse(from) > now) return "planned";
  return to === null || Date.parse(to) > now ? "under way" : "over";
}
