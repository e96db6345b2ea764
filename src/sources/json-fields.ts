import type { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { Json, JsonObject } from "../model/json.ts";

/** An object, or undefined for anything else; an array is none. */
export function asObject(value: Json | undefined): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** A string that is not empty, or undefined for anything else. */
export function asText(value: Json | undefined): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}

/** The value in the shape that is expected of it. Throws `record-invalid` naming the first field that differs. */
export function asShape<Shape extends z.ZodType>(shape: Shape, value: Json, what: string): z.output<Shape> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.length ? `${issue.path.map(String).join(".")}: ` : "";
  throw new IsochronError(
    "record-invalid",
    `The ${what} has another shape (${where}${issue?.message ?? "unknown"}).`,
    "Check what sends it.",
  );
}
