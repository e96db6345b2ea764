import { CsvError, parse } from "csv-parse/sync";
import { IsochronError } from "../../errors.ts";
import { collectRows } from "./document.ts";
import type { Document } from "./document.ts";
import { splitFrontMatter } from "./markdown-document.ts";

/**
 * A CSV file whose first line is the header; commas, semicolons or tabs between its cells. The same front matter as
 * in Markdown may stand before it. Throws `record-invalid` where it is no CSV or has no column of times.
 */
export function readCsv(text: string): Document {
  const { matter, body } = splitFrontMatter(text);
  const [header = [], ...rows] = parseCells(body);
  return {
    ...(matter.title !== undefined && { title: matter.title }),
    rows: collectRows([{ header, rows }], matter),
  };
}

function parseCells(body: string): readonly (readonly string[])[] {
  try {
    return parse(body, {
      delimiter: delimiterOf(body),
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: 1_000_000,
    }) as string[][];
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error["lines"] === "number" ? ` (near line ${error["lines"]})` : "";
    throw new IsochronError(
      "record-invalid",
      `The file is not CSV${line}.`,
      "Check its quotes and separators.",
    );
  }
}

/** The separator that the header has most of. */
function delimiterOf(body: string): string {
  const header = body.trimStart().split("\n", 1)[0] ?? "";
  const count = (sign: string): number => header.split(sign).length;
  return [",", ";", "\t"].reduce((best, sign) => (count(sign) > count(best) ? sign : best));
}
