import { Option, type Command } from "commander";
import { IsochronError } from "../../errors.ts";
import { formatInstant } from "../../model/instant.ts";
import type { CoverageJson, EventJson } from "../api/contract.ts";
import type { Query } from "./api-client.ts";
import { eventColumns } from "./event-columns.ts";
import {
  addEventFilterOptions,
  readFilter,
  readWindow,
  windowQuery,
  type EventFilterOptions,
  type EventWindow,
} from "./event-filter-options.ts";
import { exitCodes } from "./exit-code.ts";
import { parseCount } from "./parse-count.ts";
import { read, type Reading } from "./reading.ts";
import type { Run } from "./run.ts";
import { printable } from "./safe-text.ts";
import { addReadOptions, addStrictOption, type ReadOptions } from "./shared-options.ts";
import type { View } from "./view.ts";

interface EventsOptions extends ReadOptions, EventFilterOptions {
  readonly watch?: true;
  readonly limit: number;
  readonly all?: true;
  readonly order?: "newest" | "oldest";
}

/** The most that the API gives at once. */
const pageEventsMax = 2000;

export function addEventsCommand(program: Command, run: Run): void {
  const command = program
    .command("events")
    .summary("list events")
    .description(
      "Lists events: newest first, but oldest first with --around and --all. Standard output holds events only.",
    );
  addEventFilterOptions(command)
    .optionsGroup("How many:")
    .option("-n, --limit <count>", "at most so many", parseCount, 200)
    .addOption(new Option("--all", "everything that matches, oldest first").conflicts("limit"))
    .addOption(new Option("--order <order>", "what comes first").choices(["newest", "oldest"]))
    .option(
      "-w, --watch",
      "go on with events as they are stored; `- ID` takes back one that is no longer yours to see",
    );
  addStrictOption(command);
  addReadOptions(command)
    .addHelpText(
      "after",
      `
Examples:
  $ isochron events --since 2h --kind change,symptom --severity warning
  $ isochron events --around "2024-08-02 12:35 CEST" --window 10m --tz Europe/Paris
  $ isochron events -t ACME -r server/6f3c9a1e-52d4-4c5e-9d0c-1b7a0f6f2c11 -o wide
  $ isochron events --since 2h -o ndjson | jq -r '[.occurred_at, .summary] | @tsv'
  $ isochron events --all -o ndjson > everything.ndjson
  $ isochron events -w --severity error --strict || echo "incomplete: $?"`,
    )
    .action(
      run.action((_, options: EventsOptions) => {
        checkCombination(options);
        return read(run.host, options, (reading) => listEvents(reading, options));
      }),
    );
}

function checkCombination(options: EventsOptions): void {
  if (options.watch !== true) return;
  if (options.all === true)
    throw new IsochronError("usage", "--watch never ends, so --all cannot be met.", "Drop one.");
  if (options.output === "json") {
    throw new IsochronError(
      "usage",
      "--watch never ends, so there is no one JSON document.",
      "Use -o ndjson.",
    );
  }
}

async function listEvents(reading: Reading, options: EventsOptions): Promise<number> {
  const window = await readWindow(reading, options);
  const filter = await readFilter(reading, options);
  const order = options.order ?? (options.all === true || options.around !== undefined ? "oldest" : "newest");
  const limit = options.all === true ? Number.POSITIVE_INFINITY : options.limit;
  const query = { ...filter, ...windowQuery(window), order };
  if (options.watch === true)
    return watchEvents(reading, { ...query, order: "newest" }, filter, window, limit);
  if (options.output === "json") return printDocument(reading, query, window, limit);
  const listing = new Listing(reading.view);
  let last: Page | undefined;
  for await (const page of pagesOf(reading, query, limit)) {
    await listing.print(page.events);
    last = page;
  }
  return conclude(reading, filter, window, listing.count, last);
}

interface Page {
  readonly events: readonly EventJson[];
  readonly coverage: CoverageJson;
  readonly next: string | null;
}

async function* pagesOf(reading: Reading, query: Query, limit: number): AsyncGenerator<Page> {
  let left = limit;
  let cursor: string | undefined;
  do {
    const page = await reading.client.events({ ...query, limit: Math.min(left, pageEventsMax), cursor });
    left -= page.events.length;
    cursor = page.next_cursor ?? undefined;
    yield { events: page.events, coverage: page.coverage, next: page.next_cursor };
  } while (left > 0 && cursor !== undefined);
}

/** Scripts find every field of the canonical event in each line: what is not known is null, not absent. */
function withEveryField(event: EventJson): EventJson {
  if (event.connection === undefined) return event;
  const { phase = null, actor = null, operation = null } = event;
  return { ...event, phase, actor, operation } as EventJson;
}

/** Prints events page by page, with one heading. */
class Listing {
  readonly #view: View;
  #heading = true;
  count = 0;

  constructor(view: View) {
    this.#view = view;
  }

  async print(events: readonly EventJson[]): Promise<void> {
    this.count += events.length;
    if (this.#view.format === "ndjson") return this.#view.ndjson(events.map(withEveryField));
    await this.#view.rows(eventColumns(this.#view, events), events, this.#heading);
    if (events.length > 0 || this.#view.format !== "table") this.#heading = false;
  }

  /** Takes back what may have been printed: by its id alone, which is all that is known of it now. */
  async retract(id: string): Promise<void> {
    const { format } = this.#view;
    if (format === "ndjson") await this.#view.ndjson([{ retracted: id }]);
    else if (format === "table" || format === "wide") await this.#view.line(`- ${printable(id)}`);
    // Rows of CSV and Markdown are events; what is said about them goes beside.
    else await this.#view.note(`retracted: ${printable(id)}`);
  }
}

/** One object: `total` is known only when everything is in it. */
async function printDocument(
  reading: Reading,
  query: Query,
  window: EventWindow,
  limit: number,
): Promise<number> {
  const events: EventJson[] = [];
  let last: Page | undefined;
  for await (const page of pagesOf(reading, query, limit)) {
    events.push(...page.events.map(withEveryField));
    last = page;
  }
  await reading.view.json({
    events,
    window: {
      from: window.from === undefined ? null : formatInstant(window.from),
      to: window.to === undefined ? null : formatInstant(window.to),
      time_zone: reading.view.zone.name,
    },
    coverage: last?.coverage,
    total: last?.next === null ? events.length : null,
    next_cursor: last?.next ?? null,
  });
  return conclude(reading, {}, window, events.length, last);
}

/** Quiet, filtered out and unknown are three different things, and are said in different words. */
async function conclude(
  reading: Reading,
  filter: Query,
  window: EventWindow,
  count: number,
  last: Page | undefined,
): Promise<number> {
  if (last === undefined) return exitCodes.ok;
  const filtered = Object.values(filter).some((value) => value !== undefined);
  const none = filtered ? "No events match." : "No events.";
  const more = last.next === null ? "." : ", and there are more: raise -n or use --all.";
  const lead = count === 0 ? none : `${count} ${count === 1 ? "event" : "events"}${more}`;
  return reading.conclude(lead, last.coverage, window.to, window.from);
}

/** The latest events in ascending order, then each one as it is stored: the stream opens first, so that none falls between. */
async function watchEvents(
  reading: Reading,
  query: Query,
  filter: Query,
  window: EventWindow,
  limit: number,
): Promise<number> {
  const { client, view, host } = reading;
  const live = await client.live(filter, host.signal);
  const page = await client.events({ ...query, limit: Math.min(limit, pageEventsMax) });
  const listing = new Listing(view);
  const shown = new Set(page.events.map((event) => event.id));
  await listing.print(page.events.toReversed());
  const lead = `${page.events.length} ${page.events.length === 1 ? "event" : "events"}, watching for more.`;
  const code = await reading.conclude(lead, page.coverage, window.to, window.from);
  if (code !== exitCodes.ok) return code;
  for await (const { event, retracted } of live) {
    if (retracted !== undefined) await listing.retract(retracted);
    else if (!shown.delete(event.id)) await listing.print([event]);
  }
  if (host.signal.aborted) return exitCodes.interrupted;
  throw new IsochronError("server-unavailable", "The live stream has ended.", "Run the command again.");
}
