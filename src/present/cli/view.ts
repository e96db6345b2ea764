import { stripVTControlCharacters, styleText } from "node:util";
import Table from "cli-table3";
import type { Host, Sink } from "./application.ts";
import { csvCell } from "../../model/csv-cell.ts";
import { markdownCell, printable, safeJson } from "./safe-text.ts";
import type { Zone } from "./zone.ts";

export const formats = ["table", "wide", "json", "ndjson", "csv", "md"] as const;
export type Format = (typeof formats)[number];

export type Style = "red" | "yellow" | "green" | "cyan" | "magenta" | "blue" | "dim" | "bold";

/** One column of a listing. */
export interface Column<Row> {
  /** Name in CSV, snake_case. */
  readonly name: string;
  /** Heading in tables and Markdown; absent where the column is for CSV only. */
  readonly title?: string;
  /** True where only `-o wide` shows it. */
  readonly wide?: boolean;
  /** True where CSV leaves it out. */
  readonly tableOnly?: boolean;
  readonly value: (row: Row) => string;
  /** What tables show, where it differs from the value. */
  readonly shown?: (row: Row) => string;
  readonly style?: (row: Row) => Style | undefined;
}

export interface ViewOptions {
  readonly format: Format;
  readonly colour: "auto" | "always" | "never";
  readonly zone: Zone;
}

/** The two streams of a command: data to standard output, everything said about it to standard error. */
export class View {
  readonly format: Format;
  readonly zone: Zone;
  readonly utf8: boolean;
  readonly #stdout: Sink;
  readonly #stderr: Sink;
  readonly #colour: boolean;
  #widths: number[] = [];

  constructor(host: Pick<Host, "stdout" | "stderr" | "terminal">, options: ViewOptions) {
    this.format = options.format;
    this.zone = options.zone;
    this.utf8 = host.terminal.utf8;
    this.#stdout = host.stdout;
    this.#stderr = host.stderr;
    this.#colour =
      options.colour === "always" ||
      (options.colour === "auto" && host.terminal.colour && host.stdout.terminal);
  }

  /** Standard error: what a person wants to know, and a pipe does not. */
  note(text: string): Promise<void> {
    return this.#stderr.write(`${this.#encodable(text)}\n`);
  }

  line(text: string): Promise<void> {
    return this.#stdout.write(`${this.#encodable(text)}\n`);
  }

  /** One document, indented. */
  json(value: unknown): Promise<void> {
    return this.#stdout.write(`${safeJson(value, 2)}\n`);
  }

  /** One document per line. */
  async ndjson(values: readonly unknown[]): Promise<void> {
    if (values.length > 0) await this.#stdout.write(values.map((value) => `${safeJson(value)}\n`).join(""));
  }

  /** Rows in the chosen layout; `heading: false` continues an earlier listing. */
  async rows<Row>(columns: readonly Column<Row>[], rows: readonly Row[], heading = true): Promise<void> {
    if (this.format === "csv") return this.#csv(columns, rows, heading);
    const shown = columns.filter(
      (column) => column.title !== undefined && (column.wide !== true || this.format !== "table"),
    );
    if (this.format === "md") return this.#markdown(shown, rows, heading);
    if (rows.length > 0) await this.#table(shown, rows, heading);
  }

  /** The same text in colour, where colour is wanted. */
  paint(style: Style | undefined, text: string): string {
    return style === undefined || !this.#colour ? text : styleText(style, text, { validateStream: false });
  }

  async #csv<Row>(columns: readonly Column<Row>[], rows: readonly Row[], heading: boolean): Promise<void> {
    const kept = columns.filter((column) => column.tableOnly !== true);
    const lines = rows.map((row) => kept.map((column) => csvCell(column.value(row))).join(","));
    if (heading) lines.unshift(kept.map((column) => column.name).join(","));
    if (lines.length > 0) await this.#stdout.write(lines.map((line) => `${line}\r\n`).join(""));
  }

  async #markdown<Row>(
    columns: readonly Column<Row>[],
    rows: readonly Row[],
    heading: boolean,
  ): Promise<void> {
    const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
    const text = rows.map((row) => line(columns.map((column) => markdownCell(textOf(column, row)))));
    if (heading) {
      text.unshift(
        line(columns.map((column) => markdownCell(column.title ?? ""))),
        line(columns.map(() => "---")),
      );
    }
    if (text.length > 0) await this.#stdout.write(this.#encodable(text.join("")));
  }

  async #table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], heading: boolean): Promise<void> {
    const cells = rows.map((row) => columns.map((column) => this.#cell(column, row)));
    if (heading) {
      this.#widths = [];
      cells.unshift(columns.map((column) => this.paint("bold", this.#encodable(column.title ?? ""))));
    }
    const colWidths = this.#columnWidths(cells);
    const table = new Table({ ...plain, colWidths, truncate: this.utf8 ? "…" : "..." });
    table.push(...cells);
    const lines = table.toString().split("\n");
    await this.#stdout.write(lines.map((line) => `${line.trimEnd()}\n`).join(""));
  }

  #cell<Row>(column: Column<Row>, row: Row): string {
    return this.paint(column.style?.(row), this.#encodable(printable(textOf(column, row))));
  }

  /**
   * Widths that grow only while a listing goes on. The last column gets what the terminal has left;
   * nothing is cut in pipes and with `-o wide`.
   */
  #columnWidths(cells: readonly string[][]): (number | null)[] {
    const last = (cells[0]?.length ?? 1) - 1;
    for (let index = 0; index < last; index++) {
      this.#widths[index] = Math.max(
        this.#widths[index] ?? 0,
        columnWidth(cells.map((row) => row[index] ?? "")),
      );
    }
    const { columns, terminal } = this.#stdout;
    if (!terminal || columns === undefined || this.format !== "table") return [...this.#widths, null];
    const used = this.#widths.reduce((sum, width) => sum + width, 0);
    return [...this.#widths, Math.max(16, columns - used)];
  }

  /** Outside UTF-8 our own signs get ASCII stand-ins. */
  #encodable(text: string): string {
    if (this.utf8) return text;
    return text.replace(/[…±→≈−✗–·]/g, (char) => asciiOf[char] ?? "?");
  }
}

const asciiOf: Readonly<Record<string, string>> = {
  "…": "...",
  "±": "+-",
  "→": "->",
  "≈": "~",
  "−": "-",
  "✗": "x",
  "–": "-",
  "·": "-",
};

const plain = {
  chars: {
    top: "",
    "top-mid": "",
    "top-left": "",
    "top-right": "",
    bottom: "",
    "bottom-mid": "",
    "bottom-left": "",
    "bottom-right": "",
    left: "",
    "left-mid": "",
    mid: "",
    "mid-mid": "",
    right: "",
    "right-mid": "",
    middle: "",
  },
  style: { "padding-left": 0, "padding-right": 2, head: [], border: [] },
};

/** The library measures its first line in code units, so an empty cell goes first: it is padded with blanks to the width in columns. */
function columnWidth(cells: readonly string[]): number {
  const column = new Table(plain);
  column.push([""], ...cells.map((cell) => [stripVTControlCharacters(cell)]));
  return column.width;
}

function textOf<Row>(column: Column<Row>, row: Row): string {
  return (column.shown ?? column.value)(row);
}
