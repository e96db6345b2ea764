import type {
  ImportedRow,
  Incident,
  IncidentChange,
  IncidentEntry,
  IncidentState,
  MeasuredThing,
  TimeMark,
} from "./incident.ts";
import type { Instant } from "./instant.ts";

/** What is known of an incident before its first entry. */
export type IncidentOpened = Pick<Incident, "id" | "origin" | "openedAt" | "openedBy">;

/** With what only the next entries need to know. */
export interface FoldedIncident extends Incident {
  /** Who opened it, and who wrote anything but a step from one state to the next; in the order in which they came. */
  readonly authors: readonly string[];
}

/** An incident as its entries leave it. Folding them in any number of parts gives the same. */
export function foldIncident(opened: IncidentOpened, entries: readonly IncidentEntry[]): FoldedIncident {
  return extendIncident(
    {
      ...opened,
      title: "",
      severity: "warning",
      state: "draft",
      window: { from: opened.openedAt },
      pins: [],
      things: [],
      times: [],
      sections: [],
      tell: [],
      rows: [],
      log: [],
      version: 0,
      authors: [opened.openedBy],
    },
    entries,
  );
}

/** The same incident some entries later. */
export function extendIncident(folded: FoldedIncident, entries: readonly IncidentEntry[]): FoldedIncident {
  let incident = folded;
  for (let at = 0; at < entries.length; at += 1) {
    let rows = at;
    while (entries[rows]?.change.kind === "row" && entries[rows]?.by === entries[at]?.by) rows += 1;
    // A document's rows come by the thousand; one after another each would be looked for among all before it.
    const last = Math.max(at, rows - 1);
    incident = addEntry(addRows(incident, entries.slice(at, last)), entries[last]!);
    at = last;
  }
  return incident;
}

function addRows(incident: FoldedIncident, entries: readonly IncidentEntry[]): FoldedIncident {
  return entries.length === 0 ? incident : { ...incident, rows: withRows(incident.rows, entries) };
}

/** Each in the place of the same row of the same document where there is one, at the end otherwise. */
function withRows(before: readonly ImportedRow[], entries: readonly IncidentEntry[]): readonly ImportedRow[] {
  const rows = new Map(before.map((row) => [keyOf(row), row]));
  for (const { change } of entries) if (change.kind === "row") rows.set(keyOf(change.row), change.row);
  return [...rows.values()];
}

function keyOf({ row, document }: ImportedRow): string {
  return `${row} ${document}`;
}

function addEntry(before: FoldedIncident, entry: IncidentEntry): FoldedIncident {
  const { change, by, recordedAt, sequence } = entry;
  if (change.kind === "state")
    return { ...step(before, change, by, recordedAt), version: Math.max(before.version, sequence) };
  const authors = before.authors.includes(by) ? before.authors : [...before.authors, by];
  const { reviewed: _reviewed, ...rest } = before;
  // What was reviewed is not what stands here any more, unless what was inferred is only kept as it was.
  const isKept = change.kind === "time" && change.mark.provenance.kind === "inferred";
  const unreviewed: FoldedIncident =
    before.state === "reviewed" && !isKept ? { ...rest, state: "draft" } : before;
  return {
    ...unreviewed,
    ...changed(unreviewed, entry),
    authors,
    version: Math.max(before.version, sequence),
  };
}

function step(
  before: FoldedIncident,
  { state, hash = "" }: Extract<IncidentChange, { kind: "state" }>,
  by: string,
  at: Instant,
): FoldedIncident {
  const { reviewed: _reviewed, ...rest } = before;
  switch (state) {
    case "draft":
      return { ...rest, state };
    case "reviewed":
      return { ...rest, state, reviewed: { at, by, byAnother: !before.authors.includes(by) } };
    case "published":
      return { ...before, state, published: { at, by, hash } };
  }
}

/** The fields that a change leaves otherwise. */
function changed(before: Incident, entry: IncidentEntry): Partial<Incident> {
  const { change, by } = entry;
  switch (change.kind) {
    case "title":
      return { title: change.title };
    case "severity":
      return { severity: change.severity };
    case "window":
      return {
        window: { from: change.from, ...(change.to === undefined ? {} : { to: change.to }) },
      };
    case "pin": {
      const pin = { event: change.event, ...(change.note === undefined ? {} : { note: change.note }), by };
      return { pins: upsert(before.pins, pin, ({ event }) => event === pin.event) };
    }
    case "unpin":
      return { pins: before.pins.filter(({ event }) => event !== change.event) };
    case "note":
    case "decision":
    case "amendment":
      return { log: [...before.log, entry] };
    case "thing":
      return {
        things: upsert<MeasuredThing>(before.things, change.thing, ({ id }) => id === change.thing.id),
      };
    case "drop-thing":
      return {
        things: before.things.filter(({ id }) => id !== change.thing),
        times: before.times.filter(({ thing }) => thing !== change.thing),
      };
    case "time":
      return { times: withTime(before.times, change.mark) };
    case "clear-time":
      return {
        times: before.times.filter(({ thing, time }) => thing !== change.thing || time !== change.time),
      };
    case "section": {
      const { section, audience, text } = change;
      const isIt = (one: Incident["sections"][number]): boolean =>
        one.section === section && one.audience === audience;
      return text === ""
        ? { sections: before.sections.filter((one) => !isIt(one)) }
        : { sections: upsert(before.sections, { section, audience, text }, isIt) };
    }
    case "tell":
      return { tell: [...new Set(change.tenants)] };
    case "row":
      return {
        rows: upsert(
          before.rows,
          change.row,
          ({ document, row }) => row === change.row.row && document === change.row.document,
        ),
      };
    case "state":
      return {};
  }
}

const ranks = { inferred: 0, imported: 1, set: 2 } as const;

/** What somebody set is not replaced by what a document says, nor that by what was inferred and kept on publication. */
function withTime(times: readonly TimeMark[], mark: TimeMark): readonly TimeMark[] {
  const isIt = ({ thing, time }: TimeMark): boolean => time === mark.time && thing === mark.thing;
  const standing = times.find(isIt);
  if (standing !== undefined && ranks[standing.provenance.kind] > ranks[mark.provenance.kind]) return times;
  return upsert(times, mark, isIt);
}

/** In its place where there is one already, at the end otherwise. A document has thousands, so that none is spelled out here. */
function upsert<Item>(items: readonly Item[], item: Item, isIt: (one: Item) => boolean): readonly Item[] {
  const at = items.findIndex(isIt);
  return at < 0 ? [...items, item] : items.with(at, item);
}

/** Why an incident does not take a change; undefined where it does. */
export type IncidentRefusal =
  | "published"
  | "not-published"
  | "no-such-step"
  | "no-hash"
  | "no-such-pin"
  | "no-such-thing"
  | "no-such-time";

const steps: Readonly<Record<IncidentState, readonly IncidentState[]>> = {
  draft: ["reviewed"],
  reviewed: ["draft", "published"],
  published: [],
};

/** Whether a change may be the next one: a published incident takes amendments and nothing else. */
export function refusalOf(incident: Incident, change: IncidentChange): IncidentRefusal | undefined {
  if (change.kind === "amendment") return incident.state === "published" ? undefined : "not-published";
  if (incident.state === "published") return "published";
  const isKnown = (thing: string): boolean => incident.things.some(({ id }) => id === thing);
  switch (change.kind) {
    case "state":
      if (!steps[incident.state].includes(change.state)) return "no-such-step";
      return change.state === "published" && !/^[0-9a-f]{64}$/.test(change.hash ?? "")
        ? "no-hash"
        : undefined;
    case "unpin":
      return incident.pins.some(({ event }) => event === change.event) ? undefined : "no-such-pin";
    case "drop-thing":
      return isKnown(change.thing) ? undefined : "no-such-thing";
    case "time":
      return isKnown(change.mark.thing) ? undefined : "no-such-thing";
    case "clear-time":
      return incident.times.some(({ thing, time }) => thing === change.thing && time === change.time)
        ? undefined
        : "no-such-time";
    case "decision":
      return change.thing === undefined || isKnown(change.thing) ? undefined : "no-such-thing";
    default:
      return undefined;
  }
}
