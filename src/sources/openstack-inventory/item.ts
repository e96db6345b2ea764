import { IsochronError } from "../../errors.ts";
import type { EntityKind, EntityRef, Related } from "../../model/entity.ts";
import type { StatedOwner } from "../../model/event.ts";
import type { Duration, Instant } from "../../model/instant.ts";
import { duration } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { Relation, TopologyFact } from "../../model/topology.ts";
import type { Decoders } from "../source.ts";

/** An object, or undefined for anything else. */
export function asObject(value: Json | undefined): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

/** The objects in an array, or none. */
export function objects(value: Json | undefined): readonly JsonObject[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Json[]).map(asObject).filter((item) => item !== undefined);
}

/** The non-empty strings in an array, or none. */
export function texts(value: Json | undefined): readonly string[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Json[]).filter((item): item is string => typeof item === "string" && item !== "");
}

/** A non-empty string; numbers are spelled out, because aggregates and old migrations have numeric ids. */
export function text(object: JsonObject | undefined, field: string): string | undefined {
  const value = object?.[field];
  if (typeof value === "string" && value !== "") return value;
  return typeof value === "number" ? String(value) : undefined;
}

/** The first of the fields that is there. */
export function firstText(object: JsonObject, ...fields: readonly string[]): string | undefined {
  for (const field of fields) {
    const value = text(object, field);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** A field without which the item is nothing. Throws `record-invalid`. */
export function needText(object: JsonObject, field: string): string {
  const value = text(object, field);
  if (value !== undefined) return value;
  throw new IsochronError("record-invalid", `The item has no ${field}.`, "Check the API's version.");
}

/** A moment as a service writes it, and how exactly: their databases keep whole seconds. */
export interface Stamp {
  readonly at: Instant;
  readonly precision: Duration;
}

/** Reads a time field, naive ones as UTC; undefined when it is absent. Throws `record-invalid` for what is no time. */
export function stamp(object: JsonObject | undefined, field: string, decode: Decoders): Stamp | undefined {
  const value = text(object, field);
  if (value === undefined) return undefined;
  return {
    at: decode.time(value, { naive: "utc" }),
    precision: duration(/\.\d*[1-9]/.test(value) ? 1 : 1000),
  };
}

/** When the item says that it last changed. Throws `record-invalid` when it says neither. */
export function changedAt(item: JsonObject, decode: Decoders): Stamp {
  const found = stamp(item, "updated_at", decode) ?? stamp(item, "created_at", decode);
  if (found !== undefined) return found;
  throw new IsochronError(
    "record-invalid",
    "The item has no updated_at or created_at.",
    "Check the API's version.",
  );
}

export function ref(kind: EntityKind, id: string): EntityRef {
  return { kind, id };
}

export function related(
  role: string,
  kind: EntityKind,
  id: string | undefined,
  name?: string,
): readonly Related[] {
  if (id === undefined) return [];
  return [{ role, ref: { kind, id }, ...(name === undefined ? {} : { name }) }];
}

/** One fact, or none where the other end is not given. */
export function fact(
  from: EntityRef,
  relation: Relation,
  kind: EntityKind,
  id: string | undefined,
  at: Instant,
  holds = true,
): readonly TopologyFact[] {
  return id === undefined ? [] : [{ from, relation, to: { kind, id }, at, holds }];
}

/** The owner that the item itself names; never a field that names who asked for something. */
export function statedProject(item: JsonObject, ...fields: readonly string[]): StatedOwner | undefined {
  for (const field of fields) {
    const id = text(item, field);
    if (id !== undefined) return { owner: { kind: "project", id }, path: `item.${field}` };
  }
  return undefined;
}

/** `confirmResize` and `post-migrating` → `confirm_resize` and `post_migrating`, as a part of a type. */
export function regular(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "");
}

/** `a_word-like this` → `a word like this`, for people. */
export function words(name: string): string {
  return regular(name).replaceAll("_", " ");
}
