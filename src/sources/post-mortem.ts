import { createHash } from "node:crypto";
import { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { EventDraft, Observation } from "../model/event.ts";
import { duration } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { asObject, asShape } from "./json-fields.ts";
import { placeInTime } from "./post-mortem/clock-time.ts";
import { readCsv } from "./post-mortem/csv-document.ts";
import type { Row } from "./post-mortem/document.ts";
import { readKindWord, inferKind, inferSeverity } from "./post-mortem/event-word.ts";
import { readMarkdown } from "./post-mortem/markdown-document.ts";
import { readSeverityWord } from "./severity-word.ts";
import type { Decoders, FileSource, RawRecord, SourceFile } from "./source.ts";

/**
 * A table of what happened when, from a Markdown document or a CSV file (by the name's ending). It needs a column of
 * times and one of descriptions; a component, a kind and a severity column are used where they are there. A row's
 * date comes from its cell, else from the front matter (`date: 2024-08-02`), else from the last heading that holds
 * one; its zone from the cell, else from `timezone:` (`Europe/Paris`, `+02:00`, `UTC`), else from who imports it. Rows go on past midnight: a
 * time more than twelve hours before the row above is the next day's.
 */
export const postMortem: FileSource = {
  name: "post-mortem",
  title: "Post-mortem",
  summary: "The table of a written post-mortem, Markdown or CSV: what people noted, minute by minute.",
  delivery: "file",
  contract: {
    identity: "document name + row + a hash of the row's cells",
    version: "none: an edited row is another one",
    ordering: "sorted",
    commitDelayMax: duration(0),
    clockErrorMax: duration(30_000),
    delivery: "push",
    revisions: "never",
    blindSpots:
      "What nobody wrote down; and times are as good as the memory or the log they were written from.",
  },
  config: z.strictObject({}) as z.ZodType<JsonObject>,
  splitFile,
  normalise,
};

/** A row as it is kept: its own cells as JSON in `bytes`, and what the rest of the document says of it in `meta`. */
const rowShape = z.object({
  time: z.string(),
  component: z.string().optional(),
  description: z.string(),
  kind: z.string().optional(),
  severity: z.string().optional(),
});

const contextShape = z.object({
  document: z.string(),
  title: z.string().optional(),
  row: z.number().int().min(1),
  date: z.iso.date().optional(),
  timezone: z.string().optional(),
});
type Context = z.output<typeof contextShape>;

async function* splitFile(file: SourceFile, decode: Decoders): AsyncIterable<RawRecord> {
  const whole: RawRecord = {
    bytes: await file.whole(),
    position: "document",
    receivedAt: file.modifiedAt,
    meta: {
      document: baseName(file.name),
      ...(file.timeZone !== undefined && { assumed_timezone: file.timeZone }),
    },
  };
  try {
    yield* splitDocument(whole, decode);
  } catch (error) {
    // One fault of the document is one record set aside with one reason, not as many as it has rows.
    if (!(error instanceof IsochronError) || error.code !== "record-invalid") throw error;
    yield whole;
  }
}

/** A row whose zone may also be the importer's word. */
type RowInZone = Omit<Row, "timezone"> & { readonly timezone?: Json };

function splitDocument(whole: RawRecord, decode: Decoders): readonly RawRecord[] {
  const document = String(whole.meta["document"] ?? "document");
  const assumed = whole.meta["assumed_timezone"];
  const text = decode.text(whole.bytes);
  const { title, rows } = /\.(csv|tsv)$/i.test(document) ? readCsv(text) : readMarkdown(text);
  return rows.map(({ cells, number, date, timezone = assumed }: RowInZone) => ({
    ...whole,
    bytes: new TextEncoder().encode(JSON.stringify(cells)),
    position: `row ${number}`,
    meta: {
      document,
      row: number,
      ...(title !== undefined && { title }),
      ...(date !== undefined && { date }),
      ...(timezone !== undefined && { timezone }),
    },
  }));
}

function normalise(record: RawRecord, decode: Decoders): Observation {
  if (record.meta["row"] !== undefined) return { events: [draftRow(record, decode)], facts: [] };
  return { events: splitDocument(record, decode).map((row) => draftRow(row, decode)), facts: [] };
}

function draftRow(record: RawRecord, decode: Decoders): EventDraft {
  const context = asShape(contextShape, record.meta, "row's context");
  const row = asShape(rowShape, asObject(decode.json(decode.text(record.bytes))) ?? null, "row");
  if (row.description.trim() === "") {
    throw new IsochronError("record-invalid", "The row says nothing happened.", "Fill in its description.");
  }
  const { occurredAt, precision, ambiguous } = placeInTime(row.time, context, decode);
  const kind = readKind(row.kind) ?? inferKind(row.description);
  const severity = readSeverity(row.severity) ?? inferSeverity(kind, row.description);
  const component = row.component?.trim();
  const place = `${context.document}#${context.row}`;
  return {
    key: `${place}:${createHash("sha256").update(JSON.stringify(row)).digest("hex").slice(0, 16)}`,
    sourceIds: [place],
    occurredAt,
    precision,
    type: `post_mortem.${kind}`,
    kind,
    category: "platform",
    severity,
    visibility: "provider",
    subject: { kind: "component", id: component || (context.title ?? context.document) },
    ...(component && { subjectName: component }),
    related: [],
    platform: true,
    summary: row.description,
    details: detailsOf(row, context, ambiguous),
  };
}

function detailsOf(row: z.output<typeof rowShape>, context: Context, ambiguous: boolean): JsonObject {
  return {
    document: context.document,
    ...(context.title !== undefined && { title: context.title }),
    row: context.row,
    time_as_written: row.time,
    ...(row.kind?.trim() ? {} : { kind_from: "words" }),
    // The hour that a clock change repeats: the earlier of the two is taken.
    ...(ambiguous && { time_ambiguous: true }),
  };
}

function readKind(text: string | undefined): EventDraft["kind"] | undefined {
  if (!text?.trim()) return undefined;
  const kind = readKindWord(text);
  if (kind !== undefined) return kind;
  throw new IsochronError(
    "record-invalid",
    "The row's kind is unknown.",
    "Use change, symptom, recovery, human or activity, or leave it empty.",
  );
}

function readSeverity(text: string | undefined): EventDraft["severity"] | undefined {
  if (!text?.trim()) return undefined;
  const severity = readSeverityWord(text);
  if (severity !== undefined) return severity;
  throw new IsochronError(
    "record-invalid",
    "The row's severity is unknown.",
    "Use info, warning, error or critical, or leave it empty.",
  );
}

function baseName(path: string): string {
  return path.split(/[/\\]/).at(-1) || "document";
}
