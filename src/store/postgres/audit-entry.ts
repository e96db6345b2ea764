import { randomBytes } from "node:crypto";
import { formatInstant } from "../../model/instant.ts";
import { canonicalJson, type Json, type JsonObject } from "../../model/json.ts";
import { hashBody, sealField, type AuditBody, type AuditEntry, type AuditSigner } from "../audit-chain.ts";
import type { AuditRecord } from "../audit-store.ts";

/** Where the trail ended before the next entry. */
export interface AuditTail {
  readonly store: string;
  readonly sequence: number;
  readonly hash: string;
}

export interface AuditRow {
  readonly sequence: number;
  readonly store_id: string;
  readonly at: string;
  readonly action: string;
  readonly outcome: string;
  readonly object: string;
  readonly count: number;
  readonly details: JsonObject;
  readonly sealed: Readonly<Record<string, string>>;
  readonly previous: string;
  readonly hash: string;
  readonly key_id: string;
  readonly signature: string;
  readonly personal: AuditEntry["personal"] | null;
}

/** The time with all that is stored of it: a microsecond more is a change as well. */
const at = `to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.' ||
  CASE WHEN date_trunc('milliseconds', e.at) = e.at THEN 'MS' ELSE 'US' END || '"Z"') AS at`;

export const auditColumns = `e.sequence, e.store_id::text AS store_id, ${at}, e.action, e.outcome, e.object, e.count,
  e.details, e.sealed, encode(e.previous, 'hex') AS previous, encode(e.hash, 'hex') AS hash, e.key_id,
  encode(e.signature, 'hex') AS signature,
  (SELECT json_object_agg(p.field, json_build_object('key', encode(p.key, 'hex'), 'value', p.value))
     FROM isochron.audit_personal p WHERE p.sequence = e.sequence) AS personal`;

const textCharsMax = 2_000;
/** The configuration of a large installation is the longest that is told. */
const detailsBytesMax = 1024 * 1024;
const fieldCharsMax = 64;

/** The entry that follows `tail`: sealed, hashed and signed. */
export function makeEntry(record: AuditRecord, tail: AuditTail, signer: AuditSigner): AuditEntry {
  const personal = Object.fromEntries(
    personalFields(record).map(([field, value]) => [
      field,
      { key: randomBytes(32).toString("hex"), value: plain(value) },
    ]),
  );
  const sealed = Object.fromEntries(
    Object.entries(personal).map(([field, { key, value }]) => [field, sealField(field, key, value)]),
  );
  const body: AuditBody = {
    v: 1,
    store: tail.store,
    sequence: tail.sequence + 1,
    at: formatInstant(record.at),
    action: record.action,
    outcome: record.outcome,
    object: plain(record.object),
    count: Math.max(1, Math.floor(record.count ?? 1)),
    details: bounded(record.details ?? {}),
    sealed,
    previous: tail.hash,
  };
  const hash = hashBody(body);
  const signature = signer.signEntry({ store: body.store, sequence: body.sequence, hash });
  return { ...body, hash, key: signer.key.id, signature, personal };
}

function personalFields({ actor, why, personal }: AuditRecord): readonly (readonly [string, string])[] {
  return [
    ["actor.id", actor.id],
    ...(actor.name === undefined ? [] : [["actor.name", actor.name] as const]),
    ...(actor.address === undefined ? [] : [["actor.address", actor.address] as const]),
    ...(why === undefined ? [] : [["why", why] as const]),
    ...Object.entries(personal ?? {}).map(
      ([name, value]) => [`personal.${plain(name).slice(0, fieldCharsMax)}`, value] as const,
    ),
  ];
}

/** What PostgreSQL gives back as it was given: well-formed, without NUL, and of a length that nobody floods it with. */
function plain(text: string): string {
  return text.slice(0, textCharsMax).toWellFormed().replaceAll("\0", "\u{fffd}");
}

function bounded(details: JsonObject): JsonObject {
  const text = canonicalJson(details);
  return Buffer.byteLength(text) > detailsBytesMax
    ? { truncated: true, text: plain(text) }
    : (plainJson(details) as JsonObject);
}

/** Numbers that JSON has no word for become null, as canonical JSON spells them. */
function plainJson(value: Json): Json {
  if (typeof value === "string") return plain(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(plainJson);
  const fields = Object.entries(value as JsonObject).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.map(([name, field]) => [plain(name), plainJson(field)]));
}

export function toEntry(row: AuditRow): AuditEntry {
  return {
    v: 1,
    store: row.store_id,
    sequence: row.sequence,
    at: row.at,
    action: row.action,
    outcome: row.outcome,
    object: row.object,
    count: row.count,
    details: row.details,
    sealed: row.sealed,
    previous: row.previous,
    hash: row.hash,
    key: row.key_id,
    signature: row.signature,
    personal: row.personal ?? {},
  };
}
