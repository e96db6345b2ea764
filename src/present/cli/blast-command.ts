import type { Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { formatInstant, instant } from "../../model/instant.ts";
import type { BlastItemJson, BlastJson } from "../api/blast-contract.ts";
import type { Query } from "./api-client.ts";
import { entityText, tenantText } from "./event-columns.ts";
import { parseCount } from "./parse-count.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { addReadOptions, addStrictOption, parseResource, type ReadOptions } from "./shared-options.ts";
import { parseDuration } from "./time-text.ts";
import type { Column } from "./view.ts";

interface BlastOptions extends ReadOptions {
  readonly at?: string;
  readonly window?: string;
  readonly hops?: number;
  readonly limit?: number;
}

const windowMinutesMax = 1440;

export function addBlastCommand(program: Command, run: Run): void {
  const command = program
    .command("blast")
    .summary("what a failure reaches: confirmed by symptoms, and predicted")
    .description(
      "Walks from what failed to what depends on it, as things stood at that moment, and tells what of it shows symptoms.",
    )
    .argument("<event|type/id...>", "what failed: events, resources, or both")
    .option("--at <time>", "as things stood then (now for resources, an event's own moment for events)")
    .option("--window <length>", "how long after the moment symptoms confirm, up to 1d (1h)")
    .option("--hops <count>", "how far the harm is followed, up to 6 (4)", parseCount)
    .option("-n, --limit <count>", "list at most so many; all are counted", parseCount);
  addStrictOption(command);
  addReadOptions(command, ["table", "wide", "json", "ndjson", "csv", "md"])
    .addHelpText(
      "after",
      `
Examples:
  $ isochron blast evt_mfzhi6lb5nq3v2ktw4xy7ucdoe
  $ isochron blast host/cmp-17 --at "2024-08-02 10:06 CEST" --window 2h
  $ isochron blast backend/ceph@nvme router/6f3c9a1e-52d4-4c5e-9d0c-1b7a0f6f2c11 -o md
  $ isochron blast host/cmp-17 -o json | jq '.by_tenant'`,
    )
    .action(
      run.action((targets, options: BlastOptions) =>
        read(run.host, options, (reading) => tellBlast(reading, targets, options)),
      ),
    );
}

async function tellBlast(
  reading: Reading,
  targets: readonly string[],
  options: BlastOptions,
): Promise<number> {
  const { view } = reading;
  const answer = await reading.client.blast({
    ...(await readTargets(reading, targets, options)),
    window_minutes: options.window === undefined ? undefined : windowMinutes(options.window),
    hops: options.hops,
    limit: options.limit,
    // The usual name says nothing: most stores know one cloud.
    control_plane: options.controlPlane === "default" ? undefined : options.controlPlane,
  });
  if (view.format === "json") await view.json(answer);
  else if (view.format === "ndjson") await view.ndjson(answer.items);
  else await view.rows(itemColumns(), answer.items);
  const [from, to] = [answer.window.from, answer.window.to].map((time) => instant(Date.parse(time)));
  return reading.conclude(countsText(answer), answer.coverage, to, from);
}

/** A resource is TYPE/ID, which no event's id looks like. */
async function readTargets(
  reading: Reading,
  targets: readonly string[],
  { at }: BlastOptions,
): Promise<Query> {
  const resources = targets.filter((target) => /^[a-z_]+[/:]/.test(target));
  const events = targets.filter((target) => !resources.includes(target));
  const isNow = at === undefined && events.length === 0;
  const moment = at === undefined ? (isNow ? reading.now : undefined) : await reading.readTime(at);
  return {
    event: events.length === 0 ? undefined : events.join(","),
    resource: resources.length === 0 ? undefined : resources.map((text) => parseResource(text).key).join(","),
    at: moment === undefined ? undefined : formatInstant(moment),
  };
}

function windowMinutes(text: string): number {
  const minutes = Math.ceil(parseDuration(text) / 60_000);
  if (minutes >= 1 && minutes <= windowMinutesMax) return minutes;
  throw new IsochronError("usage", `--window ${text} is outside 1m to 1d.`, "Look ahead at most a day.");
}

function itemColumns(): readonly Column<BlastItemJson>[] {
  return [
    {
      name: "state",
      title: "STATE",
      value: (one) => one.state,
      style: (one) => (one.state === "confirmed" ? "red" : undefined),
    },
    { name: "likelihood", title: "LIKELY", value: (one) => one.likelihood },
    { name: "probability", title: "P", value: (one) => one.probability.toFixed(2) },
    { name: "entity", title: "WHAT", value: (one) => entityText(one.entity) },
    { name: "id", title: "ID", wide: true, value: (one) => one.entity.id },
    {
      name: "tenant",
      title: "TENANT",
      value: (one) => (one.tenant === undefined ? "" : tenantText(one.tenant)),
    },
    { name: "depth", title: "HOPS", value: (one) => String(one.depth) },
    { name: "symptoms", title: "SYMPTOMS", value: (one) => String(one.symptoms.count) },
    { name: "first_symptom_at", value: (one) => one.symptoms.first[0]?.occurred_at ?? "" },
    {
      name: "last_seen_at",
      title: "LAST SEEN",
      wide: true,
      value: (one) => `${one.last_seen_at ?? ""}${one.stale ? " (long before)" : ""}`,
    },
    { name: "way", title: "WAY", value: wayText },
  ];
}

function wayText({ way }: BlastItemJson): string {
  const [first] = way;
  if (first === undefined) return "";
  return way.reduce(
    (text, { harmed, says }) => `${text} → ${entityText(harmed)} (${says})`,
    entityText(first.failed),
  );
}

function countsText({ counts, by_kind, by_tenant, unknown }: BlastJson): string {
  const { reached, confirmed } = counts;
  if (reached === 0) return ["Nothing is reached.", ...unknown].join(" ");
  const kinds = by_kind.map(({ kind, reached: those }) => `${those} ${kind.replaceAll("_", " ")}`).join(", ");
  const tenants =
    by_tenant.length === 0 ? "" : ` of ${by_tenant.length} ${by_tenant.length === 1 ? "tenant" : "tenants"}`;
  const lead = `${reached} reached${tenants} (${kinds}): ${confirmed} confirmed by symptoms, ${reached - confirmed} predicted.`;
  return [lead, ...unknown].join(" ");
}
