import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseObject, readDataLines, unusable } from "../data-file.ts";
import { foldersAround } from "./part.ts";

/** A written timeline, and the questions that its author's own analysis answers. */
export interface PostMortemCase {
  readonly folder: string;
  readonly rows: readonly TimelineRow[];
  readonly queries: readonly PostMortemQuery[];
}

export interface TimelineRow {
  readonly row: number;
  /** With its offset. */
  readonly ts: string;
  readonly component: string;
  readonly description: string;
}

export interface PostMortemQuery {
  readonly id: string;
  readonly symptomRow: number;
  readonly candidateRows: readonly number[];
  /** For the judge alone. */
  readonly rootRow: number;
}

/** DIR, or the folders around it, that hold a `timeline.jsonl` and a `truth.json`. */
export function listPostMortems(dir: string): readonly string[] {
  return foldersAround(dir).filter((folder) =>
    ["timeline.jsonl", "truth.json"].every((name) => existsSync(join(folder, name))),
  );
}

/** Throws `file-unreadable` where a row or a query lacks what is asked of it. */
export async function readPostMortem(folder: string): Promise<PostMortemCase> {
  const lines = await readDataLines(join(folder, "timeline.jsonl"));
  const truthFile = join(folder, "truth.json");
  const truth = parseObject(await readFile(truthFile, "utf8"), truthFile);
  const queries = truth["queries"];
  if (!Array.isArray(queries)) throw unusable(truthFile, "has no queries");
  const rows = lines.map(({ text, place }) => readRow(parseObject(text, place), place));
  const known = new Set(rows.map(({ row }) => row));
  const asked = queries.map((query, index) => readQuery(query, known, `${truthFile}, query ${index + 1}`));
  if (asked.length === 0) throw unusable(truthFile, "has no queries");
  return { folder, rows, queries: asked };
}

function readRow(row: Readonly<Record<string, unknown>>, place: string): TimelineRow {
  const { row: number, ts, component, description } = row;
  if (typeof number !== "number" || typeof ts !== "string" || typeof description !== "string") {
    throw unusable(place, "is no row of a timeline");
  }
  return { row: number, ts, component: typeof component === "string" ? component : "", description };
}

function readQuery(query: unknown, known: ReadonlySet<number>, place: string): PostMortemQuery {
  if (typeof query !== "object" || query === null) throw unusable(place, "is no query");
  const {
    id,
    symptom_row: symptomRow,
    candidate_change_rows: rows,
    root_change_row: rootRow,
  } = query as Readonly<Record<string, unknown>>;
  const numbers = Array.isArray(rows) && rows.every((row) => typeof row === "number");
  if (typeof id !== "string" || typeof symptomRow !== "number" || typeof rootRow !== "number" || !numbers) {
    throw unusable(place, "is no query");
  }
  const missing = [symptomRow, rootRow, ...rows].find((row) => !known.has(row));
  if (missing !== undefined) throw unusable(place, `names row ${missing}, which the timeline does not have`);
  return { id, symptomRow, candidateRows: rows, rootRow };
}
