import { CsvError, parse } from "csv-parse/sync";
import { YAMLParseError, parse as parseYaml } from "yaml";
import { IsochronError } from "../errors.ts";
import { csvCell } from "../model/csv-cell.ts";
import { oneLine } from "./incident-text.ts";

/** One line that may tell something: a row of a table, a point of a list, a record of a CSV file. */
export interface DocumentLine {
  /** In the document, from 1; the first where a line goes over several. */
  readonly line: number;
  readonly raw: string;
  /** How many lines that are not blank it stands for. */
  readonly span: number;
  /** Of a table with its header; absent for a point of a list and for prose. */
  readonly table?: { readonly header: readonly string[]; readonly cells: readonly string[] };
  /** A point of a list without its mark. */
  readonly point?: string;
  /** More than anybody wrote by hand: it was not looked into. */
  readonly tooLong?: true;
  /** The text of the heading above it that holds a day. */
  readonly heading?: string;
}

export interface DocumentLines {
  readonly fields: ReadonlyMap<string, string>;
  readonly title?: string;
  readonly lines: readonly DocumentLine[];
}

/** What is read of one document; more than that is imported in parts. */
const documentCharsMax = 4_000_000;
const linesMax = 20_000;
/** A longer one is looked at no closer. */
const lineCharsMax = 20_000;

/** Throws `record-invalid` for a document that is too long, whose front matter is no YAML, or that is no CSV. */
export function readLines(text: string, format: "markdown" | "csv"): DocumentLines {
  if (text.length > documentCharsMax) throw refuse("The document is too long.", "Import it in parts.");
  const plain = text.replace(/^\ufeff/, "").replaceAll(/\r\n?/g, "\n");
  const match = /^---[ \t]*\n([\s\S]*?)\n---[ \t]*(?:\n|$)/.exec(plain);
  const fields = match === null ? new Map<string, string>() : readFields(match[1] ?? "");
  const skipped = match === null ? 0 : match[0].replace(/\n$/, "").split("\n").length;
  const body = plain.slice(match?.[0].length ?? 0);
  const read = format === "csv" ? readCsvLines(body, skipped) : readMarkdownLines(body, skipped);
  if (read.lines.length > linesMax)
    throw refuse(`The document has more than ${linesMax} lines.`, "Import it in parts.");
  return { fields, ...read };
}

function readFields(yaml: string): ReadonlyMap<string, string> {
  let value: unknown;
  try {
    if (yaml.length > 10_000) throw new RangeError("too long");
    value = parseYaml(yaml, { schema: "failsafe", logLevel: "error" });
  } catch (error) {
    // A reference error is its answer to aliases without end, a range error to nesting without end.
    const known =
      error instanceof YAMLParseError || error instanceof ReferenceError || error instanceof RangeError;
    if (!known) throw error;
    throw refuse("The front matter is not YAML.", "Write it as `name: value` lines.");
  }
  if (typeof value !== "object" || value === null) return new Map();
  return new Map(
    Object.entries(value).flatMap(([name, field]) =>
      typeof field === "string" && field.trim() !== "" ? [[name.toLowerCase(), field.trim()] as const] : [],
    ),
  );
}

function readCsvLines(body: string, skipped: number): Omit<DocumentLines, "fields"> {
  const head = body.trimStart().split("\n", 1)[0] ?? "";
  const count = (sign: string): number => head.split(sign).length;
  const delimiter = [",", ";", "\t"].reduce((best, sign) => (count(sign) > count(best) ? sign : best));
  const records = parseRecords(body, delimiter);
  const [first, ...rest] = records;
  const header = (first?.record ?? []).map((name) => oneLine(name.replaceAll("_", " ")));
  return {
    lines: rest.map(({ record, info }) => ({
      line: info.lines + skipped,
      raw: record.join(delimiter),
      span: 1,
      table: { header, cells: record.map((cell) => oneLine(unguard(cell))) },
    })),
  };
}

interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

function parseRecords(body: string, delimiter: string): readonly CsvRecord[] {
  try {
    const options = { delimiter, relax_column_count: true, skip_empty_lines: true, info: true };
    return parse(body, { ...options, max_record_size: 1_000_000 }) as unknown as readonly CsvRecord[];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error["lines"] === "number" ? ` (near line ${error["lines"]})` : "";
    throw refuse(`The file is not CSV${line}.`, "Check its quotes and separators.");
  }
}

/** Takes the `'` away that keeps spreadsheets from taking a text for a formula. */
function unguard(cell: string): string {
  const rest = cell.slice(1);
  return cell.startsWith("'") && (rest.startsWith("'") || /^"?'/.test(csvCell(rest))) ? rest : cell;
}

/**
 * Line by line, because nesting means nothing here and a hostile document could nest without end. What is fenced as code is
 * prose.
 */
function readMarkdownLines(body: string, skipped: number): Omit<DocumentLines, "fields"> {
  const texts = body.split("\n");
  const lines: DocumentLine[] = [];
  let title: string | undefined;
  let heading: string | undefined;
  let fence: string | undefined;
  let header: readonly string[] | undefined;
  for (const [index, text] of texts.entries()) {
    if (text.trim() === "") {
      header = undefined;
      continue;
    }
    const here = { line: index + 1 + skipped, raw: text, span: 1, ...(heading !== undefined && { heading }) };
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(text)?.[1];
    if (mark !== undefined && (fence === undefined || mark.startsWith(fence)))
      fence = fence === undefined ? mark : undefined;
    const isLong = text.length > lineCharsMax;
    const prose = fence !== undefined || mark !== undefined || isLong;
    const title1 = prose ? undefined : headingOf(text);
    if (title1 !== undefined) {
      title ??= plainOf(title1) || undefined;
      heading = /\d{4}/.test(title1) ? plainOf(title1) : heading;
    }
    const cells = prose || title1 !== undefined ? undefined : cellsOf(text);
    if (cells === undefined) header = undefined;
    if (cells !== undefined && header !== undefined) {
      if (!isDelimiter(text)) lines.push({ ...here, table: { header, cells } });
      else lines.push(here);
      continue;
    }
    if (cells !== undefined && isDelimiter(texts[index + 1] ?? "")) {
      header = cells;
      lines.push(here);
      continue;
    }
    const point = prose ? undefined : /^\s*(?:[-*+•]|\d{1,9}[.)])\s+(.*)$/.exec(text)?.[1];
    const last = lines.at(-1);
    if (point !== undefined) lines.push({ ...here, point: plainOf(point) });
    else if (isContinuation(text, texts[index - 1] ?? "", last) && !prose && title1 === undefined)
      lines[lines.length - 1] = {
        ...last!,
        raw: `${last!.raw}\n${text}`,
        span: last!.span + 1,
        point: `${last!.point} ${plainOf(text)}`,
      };
    else lines.push(isLong && fence === undefined ? { ...here, tooLong: true } : here);
  }
  return { lines, ...(title !== undefined && { title }) };
}

function headingOf(text: string): string | undefined {
  const words = /^ {0,3}#{1,6}[ \t]+(.*)$/.exec(text)?.[1]?.trimEnd();
  return words === undefined ? undefined : words.replace(/(?<!#)#+$/, "").trimEnd();
}

/** An indented line directly under a point goes on with it. */
function isContinuation(text: string, before: string, last: DocumentLine | undefined): boolean {
  return last?.point !== undefined && before.trim() !== "" && /^\s{2,}\S/.test(text);
}

function isDelimiter(text: string): boolean {
  return /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/.test(text) && text.includes("-") && text.includes("|");
}

/** The cells of a line with bars in it; a bar behind a backslash is none. */
function cellsOf(text: string): readonly string[] | undefined {
  if (!text.includes("|") || /^\s*(>|[-*+•] |\d{1,9}[.)] | {4})/.test(text)) return undefined;
  const cells: string[] = [""];
  const line = text.trim();
  for (let index = 0; index < line.length; index += 1) {
    const sign = line[index]!;
    if (sign === "\\" && index + 1 < line.length) {
      cells[cells.length - 1] += sign + line[index + 1]!;
      index += 1;
    } else if (sign === "|") cells.push("");
    else cells[cells.length - 1] += sign;
  }
  if (line.startsWith("|")) cells.shift();
  if (cells.at(-1)?.trim() === "") cells.pop();
  return cells.map(plainOf);
}

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  "#39": "'",
  nbsp: " ",
};

/** No character at all in Unicode, and in no text. */
const keeper = "\ufdd0";

/** The words of a line of Markdown without the marks of emphasis, code, links and tags. */
export function plainOf(markdown: string): string {
  const escaped: string[] = [];
  // What stands behind a backslash is itself and no mark: it is put back when the marks are gone.
  const bare = markdown
    .replaceAll(keeper, "")
    .replaceAll(/\\([!-/:-@[-`{-~])/g, (_, sign: string) => `${keeper}${escaped.push(sign) - 1};`)
    .replaceAll(/<br\s*\/?>/gi, " ")
    .replaceAll(/<\/?[a-z][^<>]{0,300}>/gi, "")
    .replaceAll(/!?\[([^[\]]{0,500})\]\([^()\s]{0,2000}\)/g, "$1")
    .replaceAll(/\*+|__|`+|~~/g, "")
    .replaceAll(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name: string) => entities[name] ?? "")
    .replaceAll(/\ufdd0(\d+);/g, (_, index: string) => escaped[Number(index)] ?? "");
  return oneLine(bare);
}

function refuse(problem: string, remedy: string): IsochronError {
  return new IsochronError("record-invalid", problem, remedy);
}
