import type { Json, JsonObject } from "../../model/json.ts";
import { asObject } from "../json-fields.ts";

/** The plain JSON of an OTLP `AnyValue`; whole numbers beyond 2^53 stay text, bytes stay base64. */
export function readAnyValue(value: Json | undefined): Json {
  const any = asObject(value);
  if (any === undefined) return null;
  const { stringValue, boolValue, intValue, doubleValue, bytesValue, arrayValue, kvlistValue } = any;
  if (typeof stringValue === "string") return stringValue;
  if (typeof boolValue === "boolean") return boolValue;
  if (intValue !== undefined) return readInteger(intValue);
  if (typeof doubleValue === "number" || typeof doubleValue === "string") return doubleValue;
  if (typeof bytesValue === "string") return bytesValue;
  const list = asObject(arrayValue);
  if (list !== undefined) return asList(list["values"]).map(readAnyValue);
  const pairs = asObject(kvlistValue);
  return pairs === undefined ? null : readAttributes(pairs["values"]);
}

/** The attributes as an object; of a repeated key the last value wins. */
export function readAttributes(list: Json | undefined): JsonObject {
  const pairs = asList(list).flatMap((item): [string, Json][] => {
    const pair = asObject(item);
    const key = pair?.["key"];
    return typeof key === "string" && key !== "" ? [[key, readAnyValue(pair?.["value"])]] : [];
  });
  return Object.fromEntries(pairs);
}

export function asList(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** OTLP's JSON may write a 64-bit number as a number or as text. */
function readInteger(value: Json): Json {
  if (typeof value !== "string" || !/^-?\d{1,20}$/.test(value)) return value;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
