import { InvalidArgumentError, Option, type Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { categories, eventKinds, severities } from "../../model/event.ts";
import { formatInstant, instant, type Instant } from "../../model/instant.ts";
import type { Query } from "./api-client.ts";
import type { Reading } from "./reading.ts";
import { parseResource } from "./shared-options.ts";
import { parseDuration } from "./time-text.ts";

export interface EventFilterOptions {
  readonly since?: string;
  readonly from?: string;
  readonly to?: string;
  readonly around?: string;
  readonly window: string;
  readonly tenant?: string;
  readonly project?: string;
  readonly customer?: string;
  readonly resource?: string;
  readonly kind?: string;
  readonly category?: string;
  readonly type?: string;
  readonly severity?: string;
  readonly source?: string;
  readonly attribution?: string;
  readonly query?: string;
}

/** An option whose value is a comma-separated list of the allowed words; completion knows them. */
function listOption(flags: string, description: string, allowed: readonly string[]): Option {
  const option = new Option(flags, `${description}, comma-separated`).choices(allowed);
  return option.argParser((text) => {
    const unknown = text.split(",").filter((word) => !allowed.includes(word.trim()));
    if (unknown.length > 0) throw new InvalidArgumentError(`Allowed are ${allowed.join(", ")}.`);
    return text;
  });
}

export function addEventFilterOptions(command: Command): Command {
  return command
    .optionsGroup("Time:")
    .option("--since <length>", "from that long ago until now: 90s, 30m, 2h, 7d")
    .addOption(new Option("--from <time>", "not before this moment").conflicts(["since", "around"]))
    .addOption(new Option("--to <time>", "before this moment").conflicts(["since", "around"]))
    .addOption(new Option("--around <time>", "as much before as after this moment").conflicts("since"))
    .option("--window <length>", "how much before and after, with --around", "30m")
    .optionsGroup("Filter:")
    .option("-t, --tenant <domain>", "of this domain: its id, or its name where that is unique")
    .option("-p, --project <project>", "of this project: its id, or its name where that is unique")
    .option("--customer <id>", "of the tenants of this configured customer")
    .option("-r, --resource <type/id>", "about this resource, or mentioning it")
    .addOption(listOption("--kind <kinds>", "of any of these kinds", eventKinds))
    .addOption(listOption("--category <categories>", "of any of these categories", categories))
    .option("--type <types>", "of any of these types; a trailing * matches any ending")
    .addOption(new Option("--severity <severity>", "of this severity and above").choices(severities))
    .option("--source <connections>", "from any of these connections")
    .addOption(
      listOption("--attribution <statuses>", "attributed so", [
        "owned",
        "shared",
        "provider",
        "ambiguous",
        "unresolved",
      ]),
    )
    .option("-q, --query <text>", "with this text in summary, names or ids");
}

export interface EventWindow {
  readonly from?: Instant;
  readonly to?: Instant;
}

/** The moments that the time options mean. Throws `time-invalid`, or `usage` when the window is empty. */
export async function readWindow(reading: Reading, options: EventFilterOptions): Promise<EventWindow> {
  if (options.since !== undefined) return { from: instant(reading.now - parseDuration(options.since)) };
  if (options.around !== undefined) {
    const middle = await reading.readTime(options.around);
    const halfMs = parseDuration(options.window);
    return { from: instant(middle - halfMs), to: instant(middle + halfMs) };
  }
  const from = options.from === undefined ? undefined : await reading.readTime(options.from);
  const to = options.to === undefined ? undefined : await reading.readTime(options.to);
  if (from !== undefined && to !== undefined && to <= from) {
    throw new IsochronError("usage", "--to is not after --from.", "Turn them round.");
  }
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}

/** The query of a filter without its window. */
export async function readFilter(reading: Reading, options: EventFilterOptions): Promise<Query> {
  const resource = options.resource === undefined ? undefined : parseResource(options.resource).key;
  return {
    tenant: await idOf(reading, "domain", options.tenant),
    project: await idOf(reading, "project", options.project),
    customer: options.customer,
    resource,
    kind: options.kind,
    category: options.category,
    type: options.type,
    severity: options.severity,
    source: options.source,
    attribution: options.attribution,
    q: options.query,
  };
}

export function windowQuery(window: EventWindow): Query {
  return {
    from: window.from === undefined ? undefined : formatInstant(window.from),
    to: window.to === undefined ? undefined : formatInstant(window.to),
  };
}

/** Keystone's own spellings of ids; anything else may be a name that a person remembers. */
const idPattern = /^([0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|default)$/i;

/** A name is looked up for people's sake only, said aloud, and never guessed when it is not unique. */
async function idOf(
  reading: Reading,
  what: "domain" | "project",
  text: string | undefined,
): Promise<string | undefined> {
  if (text === undefined || idPattern.test(text)) return text;
  const { tenants } = await reading.client.tenants();
  const known = new Map<string, string>();
  for (const tenant of tenants) {
    const id = what === "domain" ? tenant.domain_id : tenant.project_id;
    const name = what === "domain" ? tenant.domain_name : tenant.project_name;
    if (id === text) return text;
    if (id !== undefined && name === text) known.set(id, name);
  }
  const ids = [...known.keys()];
  if (ids.length > 1) {
    throw new IsochronError(
      "usage",
      `${ids.length} ${what}s are called "${text}".`,
      `Give an id: ${ids.join(", ")}.`,
    );
  }
  if (ids[0] === undefined) return text;
  await reading.view.note(`reading "${text}" as ${what} ${ids[0]}`);
  return ids[0];
}
