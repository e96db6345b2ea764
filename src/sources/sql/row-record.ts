import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { Json } from "../../model/json.ts";
import { asShape } from "../json-fields.ts";
import type { Decoders, RawRecord } from "../source.ts";
import type { TableMapping } from "./mapping.ts";
import { tableMappingSchema } from "./mapping.ts";
import type { RowNews } from "./place.ts";
import { presetTable } from "./presets.ts";
import type { MappedTable } from "./settings.ts";

const recordShape = z.object({
  row: z.record(z.string(), z.string().nullable()),
  told: z
    .array(
      z.object({
        name: z.string(),
        value: z.string().nullable(),
        version: z.string(),
        before: z.string().optional(),
        live: z.boolean(),
      }),
    )
    .min(1)
    .max(100),
  is_gone: z.boolean(),
});

/** Of the reading and not of the row, and so beside the bytes: a row that is set aside again is the same record. */
const readingShape = z.object({
  /** When the row was read, by the database's clock. */
  seen_ms: z.number().int(),
  /** When it was looked at before; absent in the first pass. */
  previous_ms: z.number().int().optional(),
});

export type RowRecord = z.output<typeof recordShape> & z.output<typeof readingShape>;

/** One record per row, with what is to be told of it; the same news of the same row give the same bytes whenever it is read. */
export function writeRecord(
  table: MappedTable,
  news: RowNews,
  seenMs: number,
  previousMs: number | null,
): RawRecord {
  const previous = news.wentMs?.[0] ?? previousMs;
  const record: z.output<typeof recordShape> = {
    row: { ...news.row },
    told: news.told.map((told) => ({ ...told })),
    is_gone: news.isGone,
  };
  const reading = {
    seen_ms: news.wentMs?.[1] ?? seenMs,
    ...(previous === null ? {} : { previous_ms: previous }),
  } satisfies z.output<typeof readingShape>;
  return {
    bytes: new TextEncoder().encode(JSON.stringify(record)),
    position: `${table.name} ${keyOf(table.mapping, news.row).join("/")}`,
    receivedAt: instant(seenMs),
    meta: { ...table.meta, ...reading },
  };
}

/** The inverse of {@link writeRecord}. Throws `record-invalid`. */
export function readRecord(
  raw: RawRecord,
  decode: Decoders,
): { readonly record: RowRecord; readonly mapping: TableMapping; readonly zone: string } {
  const { preset, table, mapping, zone } = raw.meta;
  const known = mapping === undefined ? presetTable(String(preset), String(table)) : ownMapping(mapping);
  if (known === undefined) {
    throw new IsochronError(
      "record-invalid",
      `Nobody knows the table ${String(table)} of ${String(preset)}.`,
      "Update Isochron.",
    );
  }
  const record = {
    ...asShape(recordShape, decode.json(decode.text(raw.bytes)), "row"),
    ...asShape(readingShape, raw.meta, "reading"),
  };
  return { record, mapping: known, zone: typeof zone === "string" ? zone : "UTC" };
}

/** The records of a page carry one and the same mapping, so it is checked once. */
const checkedMappings = new WeakMap<object, TableMapping>();

function ownMapping(mapping: Json): TableMapping {
  if (typeof mapping !== "object" || mapping === null) return checkMapping(mapping);
  const checked = checkedMappings.get(mapping) ?? checkMapping(mapping);
  checkedMappings.set(mapping, checked);
  return checked;
}

function checkMapping(mapping: Json): TableMapping {
  return asShape(tableMappingSchema, mapping, "mapping of the table");
}

/** The values of the primary key, as text. */
export function keyOf(mapping: TableMapping, row: RowNews["row"]): readonly string[] {
  return mapping.key.map((name) => row[name] ?? "");
}
