import type { Json, JsonObject } from "../../model/json.ts";

/** An object, or undefined for anything else; arrays are not objects here. */
export function asObject(value: Json | undefined): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** How oslo.versionedobjects spells its envelopes: `nova_object.data`, `ironic_object.data` and the like. */
const dataField = /^[a-z]+_object\.data$/;

/** What a versioned object holds, or the object itself where it is none. */
export function unwrapped(value: Json | undefined): JsonObject | undefined {
  return objectData(value) ?? asObject(value);
}

/** What a versioned object holds; undefined for anything else. */
export function objectData(value: Json | undefined): JsonObject | undefined {
  const object = asObject(value);
  if (object === undefined) return undefined;
  const field = Object.keys(object).find((name) => dataField.test(name));
  return field === undefined ? undefined : asObject(object[field]);
}

/** The items of an array, or none. */
export function asList(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : [];
}

/** A non-empty string; numbers are spelled out because Nova's aggregates have numeric ids. */
export function text(object: JsonObject | undefined, field: string): string | undefined {
  const value = object?.[field];
  if (typeof value === "string" && value !== "") return value;
  return typeof value === "number" ? String(value) : undefined;
}

const secretFields = new Set([
  "adminpass",
  "auth_password",
  "auth_token",
  "connection_info",
  "connector",
  "credential",
  "password",
  "provider_auth",
  "public_key",
  "token",
  "user_data",
  "_context",
]);

/**
 * A payload as it may be kept: the wrappers of versioned objects undone, and fields that can hold
 * credentials or another request's context (which names foreign projects) left out.
 */
export function tidyPayload(value: Json, depth = 0): Json {
  if (Array.isArray(value)) return depth > 12 ? [] : value.map((item) => tidyPayload(item, depth + 1));
  const object = asObject(value);
  if (object === undefined) return value;
  if (depth > 12) return {};
  const data = objectData(object);
  if (data !== undefined) return tidyPayload(data, depth + 1);
  const kept: Record<string, Json> = {};
  for (const [field, item] of Object.entries(object)) {
    if (secretFields.has(field.toLowerCase())) continue;
    kept[field] = tidyPayload(item, depth + 1);
  }
  return kept;
}
