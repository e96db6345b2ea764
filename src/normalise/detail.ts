import type { Json, JsonObject } from "../model/json.ts";
import { detailsBytesMax, detailsDepthMax, detailsNodesMax, idCharsMax } from "./limits.ts";
import { protoKey } from "./decode.ts";
import { cut, cutMark, storable } from "./printable.ts";

/** How long a string may be in each attempt to make details fit; the first keeps everything. */
const stringCharsSteps = [Infinity, 8_192, 2_048, 512, 128] as const;

/** How many members a container may keep in each attempt after the strings were cut as far as they are. */
const membersSteps = [1_000, 200, 50, 10] as const;

interface Cut {
  readonly value: Json;
  readonly wasCut: boolean;
}

interface Budget {
  readonly stringCharsMax: number;
  readonly membersMax: number;
  nodes: number;
  wasCut: boolean;
}

/**
 * Makes any value storable as JSON within `bytesMax`: strings well-formed, numbers finite, no nesting beyond
 * `detailsDepthMax`. What does not fit is cut at marked places, long strings first, then long lists. Never throws.
 */
export function fitJson(value: unknown, bytesMax: number = detailsBytesMax): Cut {
  for (const stringCharsMax of stringCharsSteps) {
    const attempt = copyWithin(value, stringCharsMax, Infinity);
    if (jsonBytes(attempt.value) <= bytesMax) return attempt;
  }
  for (const membersMax of membersSteps) {
    const attempt = copyWithin(value, 128, membersMax);
    if (jsonBytes(attempt.value) <= bytesMax) return attempt;
  }
  return { value: cutMark, wasCut: true };
}

/** The marks that cleaning leaves in an event's details, kept when it is cleaned again. */
const flagNames = ["details_cut", "related_cut", "changes_cut", "time_suspect"] as const;
type Flags = { readonly [Name in (typeof flagNames)[number]]?: boolean | number };

/** What the flags take at most, so that adding them keeps within the limit. */
const flagsBytesMax = 160;

/** {@link fitJson} for an object, with `flags` added and `details_cut` where it was cut. Idempotent. */
export function fitDetails(details: JsonObject, flags: Flags): JsonObject {
  const kept: Record<string, Json> = {};
  const rest: Record<string, unknown> = { ...details };
  for (const name of flagNames) {
    const value = rest[name];
    if (typeof value !== "boolean" && !(typeof value === "number" && Number.isFinite(value))) continue;
    kept[name] = value;
    Reflect.deleteProperty(rest, name);
  }
  const { value, wasCut } = fitJson(rest, detailsBytesMax - flagsBytesMax);
  const fitted = typeof value === "object" && value !== null ? (value as JsonObject) : {};
  return { ...fitted, ...kept, ...flags, ...(wasCut && { details_cut: true }) };
}

function jsonBytes(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function copyWithin(value: unknown, stringCharsMax: number, membersMax: number): Cut {
  const budget: Budget = { stringCharsMax, membersMax, nodes: detailsNodesMax, wasCut: false };
  return { value: copyValue(value, 1, budget), wasCut: budget.wasCut };
}

function copyValue(value: unknown, depth: number, budget: Budget): Json {
  budget.nodes -= 1;
  switch (typeof value) {
    case "string":
      return copyString(value, budget);
    case "number":
      return Number.isFinite(value) ? value + 0 : String(value);
    case "boolean":
      return value;
    case "bigint":
      return copyString(value.toString(), budget);
    case "object":
      if (value === null) return null;
      if (depth > detailsDepthMax || budget.nodes <= 0) {
        budget.wasCut = true;
        return cutMark;
      }
      return Array.isArray(value) ? copyList(value, depth, budget) : copyObject(value, depth, budget);
    default:
      return null;
  }
}

function copyString(text: string, budget: Budget): string {
  if (text.length > budget.stringCharsMax) budget.wasCut = true;
  return storable(cut(text, budget.stringCharsMax));
}

function copyList(list: readonly unknown[], depth: number, budget: Budget): Json[] {
  const copy: Json[] = [];
  for (const member of list) {
    if (copy.length >= budget.membersMax || budget.nodes <= 0) {
      copy.push(cutMark);
      budget.wasCut = true;
      break;
    }
    copy.push(copyValue(member, depth + 1, budget));
  }
  return copy;
}

function copyObject(object: object, depth: number, budget: Budget): JsonObject {
  const copy: Record<string, Json> = {};
  let members = 0;
  for (const [name, member] of Object.entries(object)) {
    if (member === undefined) continue;
    if (members >= budget.membersMax || budget.nodes <= 0) {
      copy[cutMark] = cutMark;
      budget.wasCut = true;
      break;
    }
    members += 1;
    copy[freeName(name, copy, budget)] = copyValue(member, depth + 1, budget);
  }
  return copy;
}

/** A storable name that is not taken yet, because two names may become equal when they are made storable. */
function freeName(name: string, taken: object, budget: Budget): string {
  if (name.length > idCharsMax) budget.wasCut = true;
  const wanted = name === "__proto__" ? protoKey : storable(cut(name, idCharsMax));
  let free = wanted;
  for (let n = 2; Object.hasOwn(taken, free); n += 1) free = `${wanted}#${n}`;
  return free;
}
