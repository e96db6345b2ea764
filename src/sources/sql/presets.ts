import type { TableMapping } from "./mapping.ts";
import { tableMappingSchema } from "./mapping.ts";
import { baculaTables } from "./presets/bacula.ts";
import { pf9Activity } from "./presets/pf9-activity.ts";
import { pf9Operations } from "./presets/pf9-operations.ts";
import { pf9Protection } from "./presets/pf9-protection.ts";
import { pf9Usage } from "./presets/pf9-usage.ts";

/** Databases whose tables are known. */
export const presetNames = ["pf9-mngt", "bacula"] as const;
export type PresetName = (typeof presetNames)[number];

const presets: Readonly<Record<PresetName, readonly TableMapping[]>> = {
  "pf9-mngt": [...pf9Activity, ...pf9Operations, ...pf9Protection, ...pf9Usage].map((one) =>
    tableMappingSchema.parse(one),
  ),
  bacula: baculaTables.map((one) => tableMappingSchema.parse(one)),
};

export function presetTables(preset: PresetName): readonly TableMapping[] {
  return presets[preset];
}

/** The mapping of one table; undefined for a preset or a table that nobody knows. */
export function presetTable(preset: string, table: string): TableMapping | undefined {
  const tables = Object.hasOwn(presets, preset) ? presets[preset as PresetName] : [];
  return tables.find((one) => one.table === table);
}
