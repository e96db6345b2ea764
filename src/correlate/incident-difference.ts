import type { Disclosure } from "../model/disclosure.ts";
import type { Json } from "../model/json.ts";
import type { IncidentDossier, ReportReader } from "./incident-dossier.ts";
import type { IncidentReport, TracedReport } from "./incident-report.ts";
import { traceReport } from "./incident-report.ts";

/** What became of one field of the provider's document in an audience's, with the reason. The provider's alone. */
export interface AudienceDifference extends Disclosure {
  /** One sentence for people. */
  readonly why: string;
}

/** Parts whose places differ between two documents of one incident. */
const placedParts = ["things", "timeline", "sections"] as const;
type PlacedPart = (typeof placedParts)[number];

/** Classes of fields in the order in which they are asked, and why each is treated as it is; `*` stands for any place. */
const classes: readonly {
  readonly name: string;
  readonly field: RegExp;
  readonly replaced?: string;
  readonly withheld: string;
}[] = [
  {
    name: "title",
    field: /^title$/,
    replaced:
      "The title is the provider's; another is taken from the summary that was written for this audience, or a general one.",
    withheld: "The title is the provider's.",
  },
  {
    name: "people",
    field: /^(timeline\.\d+\.by|status\.(publishedBy|amendments\.\d+\.by))$/,
    withheld: "It says which person wrote it.",
  },
  {
    name: "time source",
    field: /^things\.\d+\.times\.\d+\.(source|event)$/,
    withheld: "It says who set the time, or quotes an event.",
  },
  {
    name: "thing",
    field: /^things\.\d+\.(id|ref)/,
    withheld: "It is the id of a thing of the provider or of a tenant.",
  },
  {
    name: "thing name",
    field: /^things\.\d+\.name$/,
    replaced: "The provider's things have general names here, and a tenant's own the name that it knows.",
    withheld: "The thing is some tenant's, and not this reader's.",
  },
  {
    name: "time",
    field: /^things\.\d+\./,
    withheld: "Its thing is not told to this audience, or it was read from what happened to another tenant.",
  },
  {
    name: "pin note",
    field: /^timeline\.\d+\.note$/,
    withheld: "Notes are written for the provider's people.",
  },
  {
    name: "event",
    field: /^timeline\.\d+\./,
    replaced: "The tenant's own edition of the event stands in its place.",
    withheld: "The event has no edition for this reader, or the line was written for the provider's people.",
  },
  {
    name: "section",
    field: /^sections\.\d+\./,
    replaced: "The first line of the summary became the title.",
    withheld:
      "It is written for another audience, another text stands before it, or it names what must not be told.",
  },
  { name: "tenant", field: /^told/, withheld: "It says which tenants are told." },
  { name: "pin", field: /^missing/, withheld: "It speaks of events that are not told." },
  { name: "check", field: /^status\.checks/, withheld: "Checks are for whoever publishes." },
  {
    name: "amendment",
    field: /^status\.amendments/,
    withheld: "It is written for another audience.",
  },
  { name: "audience", field: /^audience$/, replaced: "It says whose document it is.", withheld: "" },
  {
    name: "id",
    field: /^(id|status\.hash)$/,
    replaced: "The audience knows it by another id.",
    withheld: "It is an id.",
  },
];

const otherClass = {
  name: "incident",
  replaced: "This audience is told something else.",
  withheld: "It is not part of this audience's document.",
};

/**
 * Field by field what an audience's document keeps, says otherwise or leaves out of the provider's. Every field of the
 * provider's document is told of exactly once.
 */
export function compareAudiences(
  dossier: IncidentDossier,
  reader: ReportReader,
): readonly AudienceDifference[] {
  const whole = traceReport(dossier, { kind: "provider" });
  const theirs = traceReport(dossier, reader);
  return leavesOf(whole.report).map(({ field, value }) => {
    const place = placeIn(field, whole, theirs);
    const shown = place === undefined ? undefined : valueAt(theirs.report, place);
    const { name, ...words } = classes.find((one) => one.field.test(field)) ?? otherClass;
    if (shown === undefined) return { field, class: name, outcome: "withheld", value, why: words.withheld };
    if (shown === value)
      return { field, class: name, outcome: "shown", value, why: "This audience may have it." };
    const why = words.replaced ?? otherClass.replaced;
    return { field, class: name, outcome: "replaced", value, shown, why };
  });
}

/** Where the same part stands in the audience's document; undefined where it has none. */
function placeIn(field: string, whole: TracedReport, theirs: TracedReport): string | undefined {
  const [part = "", index = "", ...rest] = field.split(".");
  if (part === "status" && index === "amendments") return amendmentPlace(rest, whole.report, theirs.report);
  if (!isPlaced(part)) return field;
  const from = whole[part].indexOf(Number(index));
  const to = from === -1 ? undefined : theirs[part][from];
  if (to === undefined) return undefined;
  const [list, at = "", ...below] = rest;
  if (part !== "things" || list !== "times") return [part, to, ...rest].join(".");
  // A time that the audience is not told moves those behind it up.
  const time = whole.report.things[Number(index)]?.times[Number(at)]?.time;
  const place = theirs.report.things[to]?.times.findIndex((one) => one.time === time) ?? -1;
  return place === -1 ? undefined : [part, to, list, place, ...below].join(".");
}

/** The audience's list has the same amendments in the same order, without those for others. */
function amendmentPlace(
  [index = "", ...rest]: readonly string[],
  whole: IncidentReport,
  theirs: IncidentReport,
): string | undefined {
  const own = whole.status.amendments[Number(index)];
  const place = theirs.status.amendments.findIndex(({ at, text }) => at === own?.at && text === own.text);
  return place === -1 ? undefined : ["status", "amendments", place, ...rest].join(".");
}

function isPlaced(part: string): part is PlacedPart {
  return (placedParts as readonly string[]).includes(part);
}

interface Leaf {
  readonly field: string;
  readonly value: Json;
}

/** Every value that holds no other, by its path; empty lists and objects say nothing. */
export function leavesOf(report: IncidentReport): readonly Leaf[] {
  const leaves: Leaf[] = [];
  const walk = (value: unknown, path: readonly string[]): void => {
    if (typeof value === "object" && value !== null) {
      for (const [name, item] of Object.entries(value)) walk(item, [...path, name]);
    } else if (value !== undefined) leaves.push({ field: path.join("."), value: value as Json });
  };
  walk(report, []);
  return leaves;
}

function valueAt(report: IncidentReport, field: string): Json | undefined {
  let value: unknown = report;
  for (const name of field.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return typeof value === "object" ? undefined : (value as Json | undefined);
}
