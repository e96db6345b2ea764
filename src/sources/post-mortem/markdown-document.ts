import { Lexer } from "marked";
import type { Token } from "marked";
import { readDate } from "./calendar-date.ts";
import { collectRows, readFrontMatter } from "./document.ts";
import type { Document, FrontMatter, Table } from "./document.ts";

/** The longest line that is looked at; a row of a table is one line. */
const lineCharsMax = 20_000;

/** A Markdown document with its tables (GitHub's kind). Throws `record-invalid` where none can be used. */
export function readMarkdown(text: string): Document {
  const { matter, body } = splitFrontMatter(text);
  const tokens = new Lexer({ gfm: true }).blockTokens(keepTablesAndHeadings(body));
  const title = matter.title ?? firstHeading(tokens);
  const rows = collectRows(tablesOf(tokens), matter);
  return { ...(title !== undefined && { title }), rows };
}

/** Splits off YAML between two lines of `---` at the very start. Throws `record-invalid` where it is no YAML. */
export function splitFrontMatter(text: string): { matter: FrontMatter; body: string } {
  const match = /^---[ \t]*\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/.exec(text);
  if (match === null) return { matter: {}, body: text };
  return { matter: readFrontMatter(match[1] ?? ""), body: text.slice(match[0].length) };
}

/**
 * The headings and tables, with everything else left out: the lexer recurses into quotes and lists, which a hostile
 * document could nest without end, and they hold nothing that is wanted here.
 */
function keepTablesAndHeadings(body: string): string {
  let fence: string | undefined;
  const kept = body.split(/\r?\n/).map((line) => {
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark !== undefined && (fence === undefined || mark.startsWith(fence))) {
      fence = fence === undefined ? mark : undefined;
      return "";
    }
    if (fence !== undefined || line.length > lineCharsMax) return "";
    return /^ {0,3}#{1,6} /.test(line) || isTableLine(line) ? line : "";
  });
  return kept.join("\n");
}

function isTableLine(line: string): boolean {
  return line.includes("|") && !/^\s*(>|[-*+] |\d{1,9}[.)] | {4})/.test(line);
}

function tablesOf(tokens: readonly Token[]): readonly Table[] {
  const tables: Table[] = [];
  let headingDate: string | undefined;
  for (const token of tokens) {
    if (token.type === "heading") headingDate = readDate(String(token.text)) ?? headingDate;
    if (token.type !== "table") continue;
    const { header, rows } = token as { header: { text: string }[]; rows: { text: string }[][] };
    tables.push({
      header: header.map((cell) => plainText(cell.text)),
      rows: rows.map((row) => row.map((cell) => plainText(cell.text))),
      ...(headingDate !== undefined && { headingDate }),
    });
  }
  return tables;
}

function firstHeading(tokens: readonly Token[]): string | undefined {
  const heading = tokens.find((token) => token.type === "heading");
  return heading === undefined
    ? undefined
    : plainText(String((heading as { text: string }).text)) || undefined;
}

/** A cell's words without the marks of emphasis, code and links, and without line breaks. */
function plainText(markdown: string): string {
  return markdown
    .replaceAll(/<br\s*\/?>/gi, " ")
    .replaceAll(/!?\[([^[\]]{0,500})\]\([^()\s]{0,2000}\)/g, "$1")
    .replaceAll(/\*\*|__|`/g, "")
    .replaceAll(/\\([\\|*_`[\]])/g, "$1")
    .trim();
}
