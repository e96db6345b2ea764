import { canonicalJson } from "../model/json.ts";
import {
  exportFormat,
  headFormat,
  isHeadSigned,
  type AuditEntry,
  type AuditHead,
  type AuditVerdict,
  type TrustedKey,
} from "./audit-chain.ts";
import { AuditVerifier, isSoundKey, type AuditFaultFound } from "./audit-verifier.ts";

/** The first line of an export. */
export interface AuditExportStart {
  readonly format: typeof exportFormat;
  readonly store: string;
  /** Those that signed, by id. */
  readonly keys: Readonly<Record<string, string>>;
}

/** One line of an export: canonical JSON, so that nothing of it can change unseen. */
export function toLine(part: AuditExportStart | AuditEntry | AuditHead): string {
  return `${canonicalJson(part)}\n`;
}

/**
 * Verifies the lines of an export, without their line breaks: a first one that names the keys, the entries, and the head
 * that was signed when it was made. The keys given are trusted, and a kept head's; where there are none, the file's own.
 */
export async function verifyExport(
  lines: AsyncIterable<string> | Iterable<string>,
  trust: { readonly keys?: readonly TrustedKey[]; readonly head?: AuditHead } = {},
): Promise<AuditVerdict> {
  let verifier: AuditVerifier | undefined;
  let store = "";
  let keys: readonly TrustedKey[] = [];
  let last: string | undefined;
  for await (const line of lines) {
    if (verifier === undefined) {
      const start = parseStart(line);
      if (start === undefined) return bad(0, "format", "The first line is not that of an audit export.");
      ({ store } = start);
      keys = trustedKeys(start, trust);
      const head = trust.head === undefined ? {} : { head: trust.head };
      verifier = new AuditVerifier({ keys, ...head }, store);
      continue;
    }
    if (last !== undefined) verifier.take(parseEntry(last));
    last = line;
  }
  if (verifier === undefined) return bad(0, "format", "The file is empty.");
  const end = last === undefined ? undefined : parseHead(last);
  if (end === undefined && last !== undefined) verifier.take(parseEntry(last));
  return verifier.verdict(checkHead(verifier, { end, store, keys }));
}

function trustedKeys(
  { keys }: AuditExportStart,
  trust: { readonly keys?: readonly TrustedKey[]; readonly head?: AuditHead },
): readonly TrustedKey[] {
  const given = [
    ...(trust.keys ?? []),
    ...(trust.head === undefined ? [] : [{ id: trust.head.key, publicKey: trust.head.public_key }]),
  ];
  if (given.length > 0) return given;
  return Object.entries(keys).map(([id, publicKey]) => ({ id, publicKey }));
}

/** The file ends with a head of its own, which says where the trail ended when the file was made. */
function checkHead(
  { end: { sequence, hash } }: AuditVerifier,
  {
    end,
    store,
    keys,
  }: {
    readonly end: AuditHead | undefined;
    readonly store: string;
    readonly keys: readonly TrustedKey[];
  },
): AuditFaultFound | undefined {
  const place = sequence + 1;
  if (end === undefined) return bad(place, "missing", "The file ends without its head: its end is cut off.");
  const isTrusted = keys.some(({ id, publicKey }) => id === end.key && publicKey === end.public_key);
  if (!isTrusted || end.store !== store || !isHeadSigned(end))
    return bad(place, "head", "The head at the file's end is not signed with a trusted key.");
  if (end.sequence > sequence)
    return bad(place, "missing", `The file ends before it; the trail went on to entry ${end.sequence}.`);
  if (end.sequence < sequence)
    return bad(end.sequence + 1, "inserted", `The trail ended with entry ${end.sequence}.`);
  return end.hash === hash ? undefined : bad(sequence, "head", "It is not the entry that the head names.");
}

function bad(sequence: number, what: AuditFaultFound["what"], says: string): AuditFaultFound {
  return { ok: false, sequence, what, says };
}

function parseStart(line: string): AuditExportStart | undefined {
  const value = parseCanonical(line);
  if (!hasExactly(value, ["format", "keys", "store"]) || value["format"] !== exportFormat) return undefined;
  const { keys, store } = value as unknown as AuditExportStart;
  if (typeof store !== "string" || typeof keys !== "object" || keys === null) return undefined;
  const areSound = Object.entries(keys).every(
    ([id, publicKey]) => typeof publicKey === "string" && isSoundKey({ id, publicKey }),
  );
  return areSound ? { format: exportFormat, store, keys } : undefined;
}

const entryFields =
  "action at count details hash key object outcome personal previous sealed sequence signature store v".split(
    " ",
  );
const headFields = ["at", "format", "hash", "key", "public_key", "sequence", "signature", "store"];
const texts = ["action", "at", "key", "object", "outcome", "store"];
const hashPattern = /^[0-9a-f]{64}$/;
const signaturePattern = /^[0-9a-f]{128}$/;

function parseEntry(line: string): AuditEntry | undefined {
  const value = parseCanonical(line);
  if (!hasExactly(value, entryFields) || value["v"] !== 1) return undefined;
  const { count, details, hash, personal, previous, sealed, sequence, signature } = value;
  const isSound =
    texts.every((name) => typeof value[name] === "string") &&
    isCount(count) &&
    isCount(sequence) &&
    [hash, previous].every((one) => isMatch(one, hashPattern)) &&
    isMatch(signature, signaturePattern) &&
    isFields(details) &&
    isFields(sealed) &&
    Object.values(sealed).every((one) => isMatch(one, hashPattern)) &&
    isFields(personal) &&
    Object.values(personal).every(
      (one) =>
        hasExactly(one, ["key", "value"]) &&
        isMatch(one["key"], hashPattern) &&
        typeof one["value"] === "string",
    );
  return isSound ? (value as unknown as AuditEntry) : undefined;
}

/** A head as an export ends with it; undefined for anything else. */
export function parseHead(line: string): AuditHead | undefined {
  return toHead(parseCanonical(line));
}

/** A head that somebody kept, however it is spelt: its signature is over the values. */
export function parseKeptHead(text: string): AuditHead | undefined {
  return toHead(parseJson(text));
}

function toHead(value: unknown): AuditHead | undefined {
  if (!hasExactly(value, headFields) || value["format"] !== headFormat) return undefined;
  const { at, hash, key, public_key: publicKey, sequence, signature, store } = value;
  const isSound =
    [at, key, store].every((one) => typeof one === "string") &&
    (sequence === 0 || isCount(sequence)) &&
    isMatch(hash, hashPattern) &&
    isMatch(publicKey, hashPattern) &&
    isMatch(signature, signaturePattern);
  return isSound ? (value as unknown as AuditHead) : undefined;
}

/** Undefined unless the line is spelt as canonical JSON: two spellings of one value would be a change unseen. */
function parseCanonical(line: string): unknown {
  const value = parseJson(line);
  try {
    return canonicalJson(value) === line ? value : undefined;
  } catch (error) {
    // What is nested too deeply to be spelt is none of ours either.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasExactly(value: unknown, names: readonly string[]): value is Readonly<Record<string, unknown>> {
  if (!isFields(value)) return false;
  const own = Object.keys(value);
  return own.length === names.length && names.every((name) => Object.hasOwn(value, name));
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isMatch(value: unknown, pattern: RegExp): boolean {
  return typeof value === "string" && pattern.test(value);
}
