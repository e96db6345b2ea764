import type { TableRow } from "../source.ts";
import { textOf } from "./condition.ts";

const place = /\{([A-Za-z][A-Za-z0-9_]*)\}/g;

/**
 * Fills `{column}` with the column's text, or `?` where it has none. What stands in brackets is left out when one of
 * its columns has none: `Backup failed[: {error_message}]`.
 */
export function fillTemplate(template: string, row: TableRow): string {
  const shortened = template.replaceAll(/\[([^[\]]*)\]/g, (_whole, part: string) =>
    columnsOfTemplate(part).every((name) => textOf(row, name) !== undefined) ? part : "",
  );
  return shortened.replaceAll(place, (_whole, name: string) => textOf(row, name) ?? "?");
}

export function columnsOfTemplate(template: string): readonly string[] {
  return [...template.matchAll(place)].map(([, name = ""]) => name);
}
