import { IsochronError } from "../errors.ts";
import type { Instant } from "../model/instant.ts";
import type { Json } from "../model/json.ts";
import { jsonDepthMax, jsonItemsMax, jsonKeysMax, textBytesMax } from "./limits.ts";
import { decodeTime } from "./time.ts";

/** The parsers that every source is handed: the only ones that touch bytes from outside. */
export const decoders: {
  readonly json: (text: string) => Json;
  readonly text: (bytes: Uint8Array) => string;
  readonly time: (text: string, options?: { naive: "utc" }) => Instant;
} = { json: decodeJson, text: decodeText, time: decodeTime };

/** The name under which a `__proto__` key is kept: as data, where it can change nothing. */
export const protoKey = "[__proto__]";

/**
 * Decodes UTF-8 and strips a byte order mark.
 * Throws `record-invalid` for anything that is not UTF-8, and beyond {@link textBytesMax} bytes.
 */
export function decodeText(bytes: Uint8Array): string {
  if (bytes.byteLength > textBytesMax) throw tooLarge(bytes.byteLength);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    const wide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    throw new IsochronError(
      "record-invalid",
      wide ? "The text is UTF-16." : "The text is not valid UTF-8.",
      "Send it as UTF-8.",
      { cause },
    );
  }
}

/**
 * Parses JSON (RFC 8259) under the limits of `limits.ts`. Numbers beyond 2^53, and those too small to be told from
 * zero, are given as the text that was sent; of a repeated key the last value wins; a `__proto__` key is kept as
 * {@link protoKey}. Throws `record-invalid`.
 */
export function decodeJson(text: string): Json {
  if (text.length > textBytesMax) throw tooLarge(text.length);
  const { depth, longNumbers } = measureJson(text);
  if (depth > jsonDepthMax) {
    throw new IsochronError(
      "record-invalid",
      `The JSON is nested more than ${jsonDepthMax} levels deep.`,
      "Send a flatter document.",
    );
  }
  const value = parseJson(text, longNumbers);
  checkContainers(value);
  return value;
}

function parseJson(text: string, longNumbers: boolean): Json {
  try {
    // The reviver costs ten times the plain parse and recurses, so it runs only where a number needs it, and
    // only after the depth was found to be small.
    return (longNumbers ? JSON.parse(text, keepExact) : JSON.parse(text)) as Json;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    const at = /position (\d+)/.exec(cause.message)?.[1];
    throw new IsochronError(
      "record-invalid",
      text.trim() === ""
        ? "The record is empty where JSON was expected."
        : `The record is not valid JSON${at === undefined ? "" : ` (near character ${at})`}.`,
      "Check that it was not cut or changed on its way.",
      { cause },
    );
  }
}

function keepExact(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || context?.source === undefined) return value;
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return context.source;
  return value === 0 && /[1-9]/.test(context.source.replace(/e.*/i, "")) ? context.source : value;
}

/**
 * Looks at the brackets and numbers of a text without parsing it: how deep it nests at most, and whether it may hold
 * a number that a double does not keep. Gives up as soon as the limit on depth is passed. It counts strings, escapes
 * and all, as JSON does, and says nothing useful of a text that is not JSON: the parser refuses that one.
 */
function measureJson(text: string): { depth: number; longNumbers: boolean } {
  const sign = /["[\]{}]|\d[eE]|\d{16}/g;
  let depth = 0;
  let level = 0;
  let longNumbers = false;
  for (let match = sign.exec(text); match !== null; match = sign.exec(text)) {
    const found = match[0];
    if (found === '"') sign.lastIndex = endOfString(text, match.index);
    else if (found === "[" || found === "{") {
      level += 1;
      depth = Math.max(depth, level);
      if (depth > jsonDepthMax) break;
    } else if (found === "]" || found === "}") level -= 1;
    else longNumbers = true;
  }
  return { depth, longNumbers };
}

/** The place after the string that starts at `quote`; the text's end when it is never closed. */
function endOfString(text: string, quote: number): number {
  let from = quote + 1;
  for (;;) {
    const end = text.indexOf('"', from);
    if (end === -1) return text.length;
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === 0x5c) escapes += 1;
    if (escapes % 2 === 0) return end + 1;
    from = end + 1;
  }
}

/** Refuses containers with too many members, and takes the force out of `__proto__` keys, in place. */
function checkContainers(root: Json): void {
  const pending: unknown[] = [root];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (typeof value !== "object" || value === null) continue;
    if (Object.hasOwn(value, "__proto__")) renameProto(value as Record<string, unknown>);
    const members: unknown[] = Array.isArray(value) ? value : Object.values(value);
    const most = Array.isArray(value) ? jsonItemsMax : jsonKeysMax;
    if (members.length > most) {
      throw new IsochronError(
        "record-invalid",
        `The JSON holds ${most === jsonItemsMax ? "a list" : "an object"} with more than ${most} members.`,
        "Send it in smaller records.",
      );
    }
    for (const member of members) if (typeof member === "object" && member !== null) pending.push(member);
  }
}

function renameProto(object: Record<string, unknown>): void {
  const kept = Object.getOwnPropertyDescriptor(object, "__proto__")?.value as unknown;
  Reflect.deleteProperty(object, "__proto__");
  object[protoKey] = kept;
}

function tooLarge(size: number): IsochronError {
  return new IsochronError(
    "record-invalid",
    `The record is too large (${size} bytes; at most ${textBytesMax} are read).`,
    "Send it in smaller records.",
  );
}
