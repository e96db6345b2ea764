import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import type { JsonObject } from "../../model/json.ts";
import { tableMappingSchema } from "./mapping.ts";
import type { TableMapping } from "./mapping.ts";
import { presetNames, presetTables } from "./presets.ts";
import { secretReferencePattern } from "../../model/secret-reference.ts";

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Settings of one connection: which database, which of its tables, and how late its rows may come. */
export const sqlSettings = z
  .strictObject({
    url: z
      .string()
      .regex(secretReferencePattern, {
        error: "`env:NAME`, `file:PATH` or `credential:NAME` of the database's URL, never the URL itself",
      })
      .describe("The database's URL (`postgres://…` or `mysql://…`), as `env:NAME` or `file:PATH`."),
    preset: z
      .enum(presetNames)
      .optional()
      .describe(`Tables that are known: ${presetNames.join(", ")}.`),
    only: z
      .array(z.string())
      .min(1)
      .optional()
      .describe("Tables of the preset to read; all of them without it."),
    tables: z.array(tableMappingSchema).min(1).max(50).optional().describe("Tables of your own, mapped."),
    zone: z
      .string()
      .refine(isTimeZone, { error: "a zone such as UTC or Europe/Paris" })
      .default("UTC")
      .describe("Zone of columns that hold a time without one."),
    commit_delay_seconds: z
      .number()
      .int()
      .min(1)
      .max(86_400)
      .default(900)
      .describe("How long the longest transaction (and a replica's lag) takes until its rows can be read."),
    clock_error_seconds: z
      .number()
      .int()
      .min(0)
      .max(86_400)
      .default(60)
      .describe("How far the clocks of those who write the times may be off."),
    page_size: z.number().int().min(1).max(10_000).default(2000).describe("Rows that are read at a time."),
  })
  .refine((settings) => settings.preset !== undefined || settings.tables !== undefined, {
    error: "either `preset` or `tables` says what to read",
  });

export type SqlSettings = z.output<typeof sqlSettings>;

/** A table to read, with what its records have to carry so that they can be read without the settings. */
export interface MappedTable {
  readonly name: string;
  readonly mapping: TableMapping;
  readonly meta: JsonObject;
}

/** Throws `config-invalid` with every problem at once. */
export function readSettings(config: JsonObject): SqlSettings {
  const parsed = sqlSettings.safeParse(config);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(
    (issue) => `${issue.path.map(String).join(".") || "config"}: ${issue.message}`,
  );
  throw invalid(`The connection's settings have problems: ${problems.join("; ")}.`);
}

/** The tables in the order in which they are read. Throws `config-invalid` for a name that is unknown or there twice. */
export function mappedTables(settings: SqlSettings): readonly MappedTable[] {
  const { preset, only, tables = [], zone } = settings;
  const known = preset === undefined ? [] : presetTables(preset);
  const unknown = (only ?? []).filter((name) => !known.some(({ table }) => table === name));
  if (unknown.length > 0) throw invalid(`The preset has no table ${unknown.join(", ")}.`);
  const place = zone === "UTC" ? {} : { zone };
  const mapped = [
    ...known
      .filter(({ table }) => only === undefined || only.includes(table))
      .map((mapping) => ({
        name: mapping.table,
        mapping,
        meta: { ...place, preset: preset ?? "", table: mapping.table },
      })),
    ...tables.map((mapping) => ({
      name: mapping.schema === undefined ? mapping.table : `${mapping.schema}.${mapping.table}`,
      mapping,
      meta: { ...place, mapping: mapping as unknown as JsonObject },
    })),
  ];
  const names = mapped.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`The table ${twice} is there twice.`);
  return mapped;
}

function invalid(problem: string): IsochronError {
  return new IsochronError("config-invalid", problem, "Correct the configuration of the connection.");
}
