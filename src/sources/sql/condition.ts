import { z } from "zod";
import type { TableRow } from "../source.ts";

const column = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_]{0,62}$/, { error: "a column's name: letters, digits and _" });

/** A column's name; it is quoted in statements, and can never name a prototype. */
export const columnName = column;

const words = z.array(z.string()).min(1);

/** What must hold of a row; every condition of a list has to. */
export const conditionSchema = z.union([
  z.strictObject({ column, in: words }),
  z.strictObject({ column, not_in: words }),
  z.strictObject({ column, present: z.boolean() }),
  z.strictObject({ column, above: z.number(), of: column.optional() }),
  z.strictObject({ column, within_days: z.number().int().min(1).max(3660) }),
]);

export type Condition = z.output<typeof conditionSchema>;

/** Whether all conditions hold; a missing or unreadable value fulfils none but `present: false` and `not_in`. */
export function holds(conditions: readonly Condition[], row: TableRow, nowMs: number): boolean {
  return conditions.every((condition) => holdsOne(condition, row, nowMs));
}

function holdsOne(condition: Condition, row: TableRow, nowMs: number): boolean {
  const value = textOf(row, condition.column);
  if ("present" in condition) return (value !== undefined) === condition.present;
  if ("not_in" in condition) return value === undefined || !condition.not_in.includes(value);
  if (value === undefined) return false;
  if ("in" in condition) return condition.in.includes(value);
  if ("within_days" in condition) {
    const day = Date.parse(value.slice(0, 10));
    return Number.isFinite(day) && nowMs - day <= condition.within_days * 86_400_000;
  }
  const whole = condition.of === undefined ? 1 : Number(textOf(row, condition.of) ?? Number.NaN);
  return whole > 0 && Number(value) / whole > condition.above;
}

/** The column's text; undefined for NULL, blanks, and a column that is not there. Fixed-width columns pad with spaces. */
export function textOf(row: TableRow, name: string): string | undefined {
  const value = row[name];
  if (typeof value !== "string") return undefined;
  const trimmed = value.trimEnd();
  return trimmed === "" ? undefined : trimmed;
}

export function columnsOfConditions(conditions: readonly Condition[]): readonly string[] {
  return conditions.flatMap((condition) =>
    "of" in condition && condition.of !== undefined ? [condition.column, condition.of] : [condition.column],
  );
}
