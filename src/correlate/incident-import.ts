import type { EventKind, Severity } from "../model/event.ts";
import { eventKinds, severities } from "../model/event.ts";
import type { IncidentChange, MeasuredThing, MeasuredTime } from "../model/incident.ts";
import { measuredTimes } from "../model/incident.ts";
import type { Instant } from "../model/instant.ts";
import { instant } from "../model/instant.ts";
import type { DocumentLine, DocumentLines } from "./incident-import-lines.ts";
import { readLines } from "./incident-import-lines.ts";
import type { ImportCode, ReadMoment } from "./incident-import-moment.ts";
import { importRemedies, readDay, readMoment, zoneOfHeading } from "./incident-import-moment.ts";
import { kindOfWords } from "./incident-words.ts";

export interface IncidentDocument {
  /** The file's name; rows and times tell it as where they come from. */
  readonly name: string;
  readonly text: string;
  /** By the ending of the name where absent: `.csv` and `.tsv` are CSV. */
  readonly format?: "markdown" | "csv";
  /** `Europe/Paris`, `+02:00` or `UTC`, for times that have none; the importer's word. */
  readonly timezone?: string;
  /** `YYYY-MM-DD`, for times that have no day; the importer's word. */
  readonly date?: string;
  /** Things that are measured already: a component of the same name is the same thing. */
  readonly things?: readonly MeasuredThing[];
}

/** A line that looks as if it told something and cannot be used. */
export interface SetAside {
  readonly line: number;
  /** The whole of it. */
  readonly text: string;
  readonly code: ImportCode;
  readonly remedy: string;
}

export interface IncidentImport {
  /** For an opening or an append; empty where nothing could be used. */
  readonly changes: readonly IncidentChange[];
  /** All lines that are not blank, front matter aside; each is exactly one of the three below. */
  readonly lines: number;
  readonly used: number;
  /** Prose, headings, headers of tables, points and tables without a time. */
  readonly withoutTime: number;
  readonly setAside: readonly SetAside[];
  /** How many lines that are: a point of a list may go over several. */
  readonly setAsideLines: number;
}

/** What a line gives; a table of times gives several. */
type Told =
  | {
      readonly kind: EventKind | "note" | "decision";
      readonly moment: ReadMoment;
      readonly component?: string;
      readonly text: string;
    }
  | {
      readonly kind: "time";
      readonly time: MeasuredTime;
      readonly moment: ReadMoment;
      readonly component: string;
    };

/** Text beyond this is no line of a timeline. */
const textCharsMax = 10_000;

/**
 * A document's timeline as the changes that make an incident of it. Needs no front matter. A line that cannot be used is set
 * aside whole with its reason, and nothing is lost unseen: the counts add up. Throws `record-invalid` for what is no
 * document at all.
 */
export function readIncidentDocument(document: IncidentDocument): IncidentImport {
  const format = document.format ?? (/\.(csv|tsv)$/i.test(document.name) ? "csv" : "markdown");
  const source = readLines(document.text, format);
  const calendar: Calendar = { date: readDay(source.fields.get("date") ?? "")?.date ?? document.date };
  const timezone = source.fields.get("timezone") ?? source.fields.get("time_zone") ?? source.fields.get("tz");
  const zone = timezone ?? document.timezone;
  const setAside: SetAside[] = [];
  const told: { readonly row: number; readonly told: Told }[] = [];
  const counts = { used: 0, withoutTime: 0, aside: 0, row: 0 };
  // In a document of our own all that has a time stands in tables; a point with one is somebody's section.
  const isOwn = source.fields.has("audience");
  for (const line of source.lines) {
    const read = isOwn && line.point !== undefined ? undefined : readLine(line, calendar, zone);
    if (read === undefined) counts.withoutTime += line.span;
    else if (typeof read === "string") {
      counts.row += 1;
      counts.aside += line.span;
      setAside.push({ line: line.line, text: line.raw, code: read, remedy: importRemedies[read] });
    } else {
      counts.row += 1;
      counts.used += line.span;
      told.push(...read.map((one) => ({ row: counts.row, told: one })));
    }
  }
  return {
    changes: told.length === 0 ? [] : changesOf(document, source, told),
    lines: source.lines.reduce((sum, { span }) => sum + span, 0),
    used: counts.used,
    withoutTime: counts.withoutTime,
    setAside,
    setAsideLines: counts.aside,
  };
}

interface Calendar {
  date: string | undefined;
  minutes?: number | undefined;
  heading?: string | undefined;
}

/** Header words per column, compared without case; the first column that matches is taken. */
const columnWords = {
  record: /^record$/,
  precision: /^precision/,
  time: /^(time|timestamp|when|at|date ?\/? ?time|datetime|moment|heure|horodatage|clock|hour|date)(?!\p{L})/u,
  component:
    /^(thing|component|service|system|subsystem|area|team|product|composant|syst[eè]me|domaine|measurement)/,
  text: /^(text|description|event|what|message|details?|summary|action|activity|update|note|[eé]v[eé]nement|[eé]tat)/,
  kind: /^(kind|type|nature|category)/,
} as const;
type Column = keyof typeof columnWords;

const timeColumns: Readonly<Record<MeasuredTime, RegExp>> = {
  event: /^(time of )?(the )?(event|start(ed)?|began|begin(ning)?)(?!\p{L})/u,
  detection: /^(time of )?(the )?(detection|detected|noticed)(?!\p{L})/u,
  decision: /^(time of )?(the )?(decision|decided)(?!\p{L})/u,
  resolution: /^(time of )?(the )?(resolution|resolved|end(ed)?|fixed)(?!\p{L})/u,
};

/** Undefined for a line without a time; a code for one that should have one and cannot be used. */
function readLine(
  line: DocumentLine,
  calendar: Calendar,
  zone: string | undefined,
): readonly Told[] | ImportCode | undefined {
  if (line.heading !== undefined && line.heading !== calendar.heading) {
    calendar.heading = line.heading;
    calendar.date = dayInside(line.heading) ?? calendar.date;
    calendar.minutes = undefined;
  }
  if (line.tooLong === true) return "text-too-long";
  if (line.point !== undefined) return readPoint(line.point, calendar, zone);
  if (line.table === undefined) return undefined;
  const { header, cells } = line.table;
  const times = findTimes(header);
  if (times !== undefined) return readTimes(cells, header, times, calendar, zone);
  const columns = findColumns(header);
  if (columns.time === undefined || columns.text === undefined || cells.every((cell) => cell === ""))
    return undefined;
  return readRow(cells, header, { ...columns, time: columns.time, text: columns.text }, calendar, zone);
}

function dayInside(text: string): string | undefined {
  for (let at = 0; at < text.length; at += 1) {
    const day = /[\p{L}\p{N}]/u.test(text[at - 1] ?? " ") ? undefined : readDay(text.slice(at));
    if (day !== undefined) return day.date;
  }
  return undefined;
}

function findColumns(header: readonly string[]): Partial<Record<Column | "day", number>> {
  const names = header.map((name) => name.trim().toLowerCase());
  const columns: Partial<Record<Column | "day", number>> = {};
  for (const column of Object.keys(columnWords) as Column[]) {
    const taken = new Set(Object.values(columns));
    const index = names.findIndex((name, at) => !taken.has(at) && columnWords[column].test(name));
    if (index !== -1) columns[column] = index;
  }
  const day = names.findIndex((name) => /^date$/.test(name));
  const clock = names.findIndex((name) => /^(time|heure|clock|hour|at)(?!\p{L})/u.test(name));
  return day === -1 || clock === -1 ? columns : { ...columns, day, time: clock };
}

/** The columns of a table of measured times: at least two of the four, and none that tells what happened. */
function findTimes(header: readonly string[]): ReadonlyMap<MeasuredTime, number> | undefined {
  const names = header.map((name) => name.trim().toLowerCase());
  const found = new Map<MeasuredTime, number>();
  for (const time of measuredTimes) {
    const index = names.findIndex((name, at) => at > 0 && timeColumns[time].test(name));
    if (index !== -1) found.set(time, index);
  }
  return found.size >= 2 ? found : undefined;
}

/** Rows go on past midnight: a time more than twelve hours before the one above is the next day's. */
function follow(calendar: Calendar, moment: ReadMoment | ImportCode | undefined): void {
  if (moment === undefined || typeof moment === "string") return;
  calendar.date = moment.date;
  calendar.minutes = moment.minutes;
}

/** Like `readMoment`, with the calendar's day, or the day behind it where the clock went round. */
function readNext(
  text: string,
  calendar: Calendar,
  timezone: string | undefined,
): ReadMoment | ImportCode | undefined {
  const moment = readMoment(text, { date: calendar.date, timezone });
  if (moment === undefined || typeof moment === "string" || readDay(text) !== undefined) return moment;
  if (calendar.date === undefined || (calendar.minutes ?? 0) - moment.minutes <= 12 * 60) return moment;
  const date = new Date(Date.parse(`${calendar.date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
  return readMoment(text, { date, timezone });
}

/** `10:06 UTC – text`, `[10:06] text`, `2026-05-14 10:06: text`; a point that begins with no time tells none. */
function readPoint(
  point: string,
  calendar: Calendar,
  zone: string | undefined,
): readonly Told[] | ImportCode | undefined {
  const open = /^[([]\s*/.exec(point)?.[0] ?? "";
  const moment = readNext(point.slice(open.length), calendar, zone);
  if (moment === undefined || typeof moment === "string") return moment;
  follow(calendar, moment);
  const text = moment.rest.replace(/^\s*[)\]]?\s*(?:[:–—|-]+(?=\s|$))?\s*/, "");
  return told(moment, { text });
}

function readRow(
  cells: readonly string[],
  header: readonly string[],
  columns: Partial<Record<Column | "day", number>> & { readonly time: number; readonly text: number },
  calendar: Calendar,
  zone: string | undefined,
): readonly Told[] | ImportCode {
  const cell = (column: Column | "day"): string => cells[columns[column] ?? -1]?.trim() ?? "";
  const day = readDay(cell("day"))?.date;
  if (day !== undefined) Object.assign(calendar, { date: day, minutes: undefined });
  const headed = zoneOfColumn(header[columns.time] ?? "") ?? zoneOfColumn(header[columns.day ?? -1] ?? "");
  const moment = readNext(cell("time"), calendar, headed ?? zone);
  if (moment === undefined) return "time-unreadable";
  if (typeof moment === "string") return moment;
  if (moment.rest.trim() !== "") return "time-unreadable";
  follow(calendar, moment);
  const width = /^\d{1,9}$/.exec(cell("precision"))?.[0];
  const exact =
    width === undefined ? moment : { ...moment, precision: Number(width) as ReadMoment["precision"] };
  const [component, text] = [cell("component"), cell("text")];
  const kind = cell("kind").toLowerCase();
  const record = cell("record").toLowerCase();
  if (columns.record !== undefined && !/^(event|row|note|decision|time|)$/.test(record))
    return "record-unknown";
  if (record === "time") {
    const time = measuredTimes.find((one) => one === kind);
    if (time === undefined) return "kind-unknown";
    return component === "" ? "thing-missing" : [{ kind: "time", time, moment: exact, component }];
  }
  // Where a row leaves the component out, its text stands one column to the left.
  if (text === "" && component !== "" && cells.length < header.length)
    return told(exact, { kind, text: component });
  return told(exact, { kind, text, ...(component !== "" && { component }) });
}

/** `UTC` in `Time (UTC)`; an uncertain one is asked for rather than passed over. */
function zoneOfColumn(heading: string): string | undefined {
  return zoneOfHeading(heading);
}

function told(
  moment: ReadMoment,
  {
    kind = "",
    text,
    component,
  }: { readonly kind?: string; readonly text: string; readonly component?: string },
): readonly Told[] | ImportCode {
  if (text === "") return "text-missing";
  if (text.length > textCharsMax) return "text-too-long";
  const known = [...eventKinds, "note", "decision"] as const;
  const given = known.find((one) => one === kind);
  if (kind !== "" && given === undefined) return "kind-unknown";
  return [{ kind: given ?? kindOfWords(text), moment, text, ...(component !== undefined && { component }) }];
}

function readTimes(
  cells: readonly string[],
  header: readonly string[],
  times: ReadonlyMap<MeasuredTime, number>,
  calendar: Calendar,
  zone: string | undefined,
): readonly Told[] | ImportCode | undefined {
  const component = cells[0]?.trim() ?? "";
  const found: Told[] = [];
  const days: Calendar = { date: calendar.date };
  for (const [time, index] of times) {
    const cell = cells[index]?.trim() ?? "";
    if (/^([-–—?]*|n\/?a|unknown|not (known|recorded))$/i.test(cell)) continue;
    const moment = readNext(cell, days, zoneOfColumn(header[index] ?? "") ?? zone);
    if (moment === undefined) return "time-unreadable";
    if (typeof moment === "string") return moment;
    if (moment.rest.trim() !== "") return "time-unreadable";
    follow(days, moment);
    found.push({ kind: "time", time, moment, component });
  }
  if (found.length === 0) return undefined;
  return component === "" ? "thing-missing" : found;
}

function changesOf(
  document: IncidentDocument,
  { fields, title }: DocumentLines,
  told: readonly { readonly row: number; readonly told: Told }[],
): readonly IncidentChange[] {
  const things = thingsOf(
    document,
    told.map((one) => one.told),
  );
  const idOf = (component: string): string => things.get(component.toLowerCase())?.id ?? component;
  const known = new Set((document.things ?? []).map(({ id }) => id));
  const severity = severities.find((one) => one === fields.get("severity")?.toLowerCase());
  const name = fields.get("title") ?? title;
  return [
    ...(name === undefined ? [] : [{ kind: "title" as const, title: name.slice(0, 300) }]),
    ...severityChange(severity),
    windowOf(
      fields,
      told.map((one) => one.told),
    ),
    ...[...things.values()].flatMap((thing): IncidentChange[] =>
      known.has(thing.id) ? [] : [{ kind: "thing", thing }],
    ),
    ...told.map(({ row, told: one }) => changeOf(document.name, row, one, idOf)),
  ];
}

function severityChange(severity: Severity | undefined): readonly IncidentChange[] {
  return severity === undefined ? [] : [{ kind: "severity", severity }];
}

/** From what the front matter says, else from the first to the last line. */
function windowOf(fields: ReadonlyMap<string, string>, told: readonly Told[]): IncidentChange {
  const moments = told.map(({ moment }) => moment.at);
  const said = (name: string): Instant | undefined => {
    const moment = readMoment(fields.get(name) ?? "", {});
    return moment === undefined || typeof moment === "string" ? undefined : moment.at;
  };
  const from = said("from") ?? instant(Math.min(...moments));
  const to = said("from") === undefined ? instant(Math.max(...moments)) : said("to");
  return { kind: "window", from, ...(to !== undefined && { to }) };
}

/** What a table of times measures, or where there is none every component; by lower-case name. */
function thingsOf(document: IncidentDocument, told: readonly Told[]): ReadonlyMap<string, MeasuredThing> {
  const things = new Map((document.things ?? []).map((thing) => [thing.name.toLowerCase(), thing]));
  const measured = told.filter(({ kind }) => kind === "time");
  for (const { component } of measured.length > 0 ? measured : told) {
    if (component === undefined || things.has(component.toLowerCase())) continue;
    const taken = new Set([...things.values()].map(({ id }) => id));
    const slug = slugOf(component);
    let id = slug;
    for (let number = 2; taken.has(id); number += 1) id = `${slug}-${number}`;
    things.set(component.toLowerCase(), { id, name: component });
  }
  return things;
}

function slugOf(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}]+/gu, "-")
      .replaceAll(/^-|-$/g, "")
      .slice(0, 60) || "thing"
  );
}

function changeOf(
  document: string,
  row: number,
  told: Told,
  idOf: (component: string) => string,
): IncidentChange {
  const { at, precision } = told.moment;
  if (told.kind === "time") {
    const provenance = { kind: "imported", document, row } as const;
    return {
      kind: "time",
      mark: { thing: idOf(told.component), time: told.time, at, precision, provenance },
    };
  }
  const thing = told.component === undefined ? {} : { thing: idOf(told.component) };
  if (told.kind === "note") return { kind: "note", text: told.text, about: at };
  if (told.kind === "decision") return { kind: "decision", text: told.text, decidedAt: at, ...thing };
  return {
    kind: "row",
    row: { document, row, at, precision, eventKind: told.kind, ...thing, text: told.text },
  };
}
