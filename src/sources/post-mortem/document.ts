import { YAMLParseError, parse } from "yaml";
import { IsochronError } from "../../errors.ts";
import { readDate } from "./calendar-date.ts";
import { clockMinutes } from "./clock-time.ts";
import { readHeadingZone } from "./time-zone.ts";

/** A document's table rows, in order, each with the date and zone that hold for it. */
export interface Document {
  readonly title?: string;
  readonly rows: readonly Row[];
}

export interface Row {
  readonly cells: Cells;
  /** Counted from 1 over all tables of the document. */
  readonly number: number;
  /** `YYYY-MM-DD`; absent where neither the document nor a row before says. */
  readonly date?: string;
  /** An IANA name or an offset, as the document gives it. */
  readonly timezone?: string;
}

export interface Cells {
  readonly time: string;
  readonly component?: string;
  readonly description: string;
  readonly kind?: string;
  readonly severity?: string;
}

/** A table as it stands: its header's cells, its rows' cells, and the date of the heading above it. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly headingDate?: string;
}

export interface FrontMatter {
  readonly title?: string;
  readonly date?: string;
  readonly timezone?: string;
}

/** The most rows that one document may have. */
const rowsMax = 5_000;

/** The longest front matter that is read. */
const frontMatterCharsMax = 10_000;

/** Header words per column, compared without case; the first column that matches is taken. */
const columnWords = {
  time: /^(time|timestamp|when|at|date ?\/? ?time|datetime|heure|horodatage|clock|hour|date)\b/,
  component: /^(component|service|system|subsystem|area|team|product|composant|syst[eè]me|domaine)/,
  description:
    /^(description|event|what|message|details?|summary|action|activity|update|[eé]v[eé]nement|[eé]tat)/,
  kind: /^(kind|type|nature)/,
  severity: /^(severity|level|impact|s[eé]v[eé]rit[eé]|gravit[eé])/,
} as const;
type Column = keyof typeof columnWords;

type Columns = Partial<Record<Column | "date", number>>;

/**
 * Reads the front matter: YAML between two lines of `---`. Values are taken as they are written.
 * Throws `record-invalid` where it is no YAML.
 */
export function readFrontMatter(yaml: string): FrontMatter {
  let value: unknown;
  try {
    if (yaml.length > frontMatterCharsMax) throw new RangeError("too long");
    value = parse(yaml, { schema: "failsafe", logLevel: "error" });
  } catch (error) {
    // A reference error is its answer to aliases without end, a range error to nesting without end.
    const known =
      error instanceof YAMLParseError || error instanceof ReferenceError || error instanceof RangeError;
    if (!known) throw error;
    throw new IsochronError(
      "record-invalid",
      "The front matter is not YAML.",
      "Write it as `name: value` lines.",
    );
  }
  const fields = new Map(
    typeof value === "object" && value !== null
      ? Object.entries(value).map(([name, field]) => [name.toLowerCase(), field as unknown] as const)
      : [],
  );
  const text = (name: string): string | undefined => {
    const field = fields.get(name);
    return typeof field === "string" && field.trim() !== "" ? field.trim() : undefined;
  };
  const title = text("title");
  const date = readDate(text("date") ?? "");
  const timezone = text("timezone") ?? text("time_zone") ?? text("tz");
  return {
    ...(title !== undefined && { title }),
    ...(date !== undefined && { date }),
    ...(timezone !== undefined && { timezone }),
  };
}

/** The rows of every table that has a time and a description. Throws `record-invalid` where none has. */
export function collectRows(tables: readonly Table[], matter: FrontMatter): readonly Row[] {
  const rows: Row[] = [];
  let usable = 0;
  for (const table of tables) {
    const columns = findColumns(table.header);
    if (columns.time === undefined || columns.description === undefined) continue;
    usable += 1;
    const zone =
      readHeadingZone(table.header[columns.time] ?? "") ??
      readHeadingZone(table.header[columns.date ?? -1] ?? "") ??
      matter.timezone;
    const calendar = { date: matter.date ?? table.headingDate, minutes: undefined as number | undefined };
    if (table.headingDate !== undefined && matter.date !== undefined)
      calendar.date = laterOf(matter.date, table.headingDate);
    for (const line of table.rows) {
      if (line.every((cell) => cell.trim() === "")) continue;
      const cells = pickCells(line, columns);
      moveCalendar(calendar, cells.time, columns.date === undefined ? undefined : line[columns.date]);
      rows.push({
        cells,
        number: rows.length + 1,
        ...(calendar.date !== undefined && { date: calendar.date }),
        ...(zone !== undefined && { timezone: zone }),
      });
    }
  }
  if (usable === 0 || rows.length === 0) throw noTable();
  if (rows.length > rowsMax) {
    throw new IsochronError(
      "record-invalid",
      `The document has more than ${rowsMax} rows.`,
      "Import it in parts.",
    );
  }
  return rows;
}

/** The front matter's date holds, until a heading names a later day: the document goes on there. */
function laterOf(one: string, other: string): string {
  return one > other ? one : other;
}

function findColumns(header: readonly string[]): Columns {
  const names = header.map((name) => name.trim().toLowerCase());
  const columns: Columns = {};
  for (const column of Object.keys(columnWords) as Column[]) {
    const taken = new Set(Object.values(columns));
    const index = names.findIndex((name, at) => !taken.has(at) && columnWords[column].test(name));
    if (index !== -1) columns[column] = index;
  }
  const date = names.findIndex((name) => /^date$/.test(name));
  const clock = names.findIndex((name) => /^(time|heure|clock|hour|at)\b/.test(name));
  if (date !== -1 && clock !== -1) {
    columns.date = date;
    columns.time = clock;
  }
  return columns;
}

function pickCells(line: readonly string[], columns: Columns): Cells {
  const cell = (column: Column): string => line[columns[column] ?? -1]?.trim() ?? "";
  const [component, description] = [cell("component"), cell("description")];
  // Where a row leaves out the component, its text stands one column to the left.
  const shifted = description === "" && component !== "";
  const text = shifted ? component : description;
  return {
    time: cell("time"),
    ...(component !== "" && !shifted && { component }),
    description: text,
    ...(cell("kind") !== "" && { kind: cell("kind") }),
    ...(cell("severity") !== "" && { severity: cell("severity") }),
  };
}

/** Follows the rows' clock: a date in the row is taken, and a jump back of over twelve hours is midnight. */
function moveCalendar(
  calendar: { date: string | undefined; minutes: number | undefined },
  time: string,
  dateCell?: string,
): void {
  const date = readDate(dateCell ?? "") ?? readDate(time);
  const minutes = clockMinutes(time);
  if (date !== undefined) calendar.date = date;
  else if (calendar.date !== undefined && minutes !== undefined && calendar.minutes !== undefined) {
    if (calendar.minutes - minutes > 12 * 60) calendar.date = dayAfter(calendar.date);
  }
  if (minutes !== undefined) calendar.minutes = minutes;
}

function dayAfter(date: string): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

function noTable(): IsochronError {
  return new IsochronError(
    "record-invalid",
    "The document has no table with a time and a description.",
    "Give it a header such as `Time | Component | What happened`.",
  );
}
