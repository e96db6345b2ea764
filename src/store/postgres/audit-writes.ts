import type pg from "pg";
import type { AuditEntry, AuditSigner } from "../audit-chain.ts";
import type { AuditRecord } from "../audit-store.ts";
import { makeEntry, type AuditTail } from "./audit-entry.ts";

/**
 * Writes the entries in the caller's transaction, as its last step: from here to the commit nobody else can write one.
 * Gives them as they were written.
 */
export async function writeAudit(
  client: pg.ClientBase,
  signer: AuditSigner,
  records: readonly AuditRecord[],
): Promise<readonly AuditEntry[]> {
  if (records.length === 0) return [];
  const held = await client.query<{ store_id: string; sequence: number; hash: Buffer }>(
    "SELECT store_id::text AS store_id, sequence, hash FROM isochron.hold_audit_tail()",
  );
  const [row] = held.rows;
  if (row === undefined) throw new Error("the audit trail has lost its end");
  let tail: AuditTail = { store: row.store_id, sequence: row.sequence, hash: row.hash.toString("hex") };
  const entries: AuditEntry[] = [];
  for (const record of records) {
    const entry = makeEntry(record, tail, signer);
    entries.push(entry);
    tail = { store: entry.store, sequence: entry.sequence, hash: entry.hash };
  }
  await insertEntries(client, signer, entries);
  return entries;
}

async function insertEntries(
  client: pg.ClientBase,
  { key }: AuditSigner,
  entries: readonly AuditEntry[],
): Promise<void> {
  await client.query(
    "INSERT INTO isochron.audit_key (id, public_key) VALUES ($1, decode($2, 'hex')) ON CONFLICT DO NOTHING",
    [key.id, key.publicKey],
  );
  await client.query(
    `INSERT INTO isochron.audit_entry
       (sequence, store_id, at, action, outcome, object, count, details, sealed, previous, hash, key_id, signature)
     SELECT (e ->> 'sequence')::bigint, (e ->> 'store')::uuid, (e ->> 'at')::timestamptz, e ->> 'action',
            e ->> 'outcome', e ->> 'object', (e ->> 'count')::bigint, e -> 'details', e -> 'sealed',
            decode(e ->> 'previous', 'hex'), decode(e ->> 'hash', 'hex'), e ->> 'key', decode(e ->> 'signature', 'hex')
       FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS given (e, place) ORDER BY place`,
    [JSON.stringify(entries)],
  );
  const personal = entries.flatMap(({ sequence, personal: fields }) =>
    Object.entries(fields).map(([field, { key: random, value }]) => ({
      sequence,
      field,
      key: random,
      value,
    })),
  );
  await client.query(
    `INSERT INTO isochron.audit_personal (sequence, field, key, value)
     SELECT p.sequence, p.field, decode(p.key, 'hex'), p.value
       FROM jsonb_to_recordset($1::jsonb) AS p (sequence bigint, field text, key text, value text)`,
    [JSON.stringify(personal)],
  );
}

/** How many stretches of sequence numbers one entry of an erasure tells. */
const stretchesMax = 500;

/** Erases in the caller's transaction, and writes what tells of it. Gives how many entries it concerned. */
export async function eraseActor(
  client: pg.ClientBase,
  signer: AuditSigner,
  id: string,
  record: AuditRecord,
): Promise<number> {
  // Held before they are looked for, so that none is written in between.
  await client.query("SELECT FROM isochron.hold_audit_tail()");
  const { rows } = await client.query<{ sequence: number }>(
    "SELECT found AS sequence FROM isochron.find_audit_actor($1) AS found",
    [id],
  );
  const stretches = toStretches(rows.map(({ sequence }) => sequence));
  for (let at = 0; at === 0 || at < stretches.length; at += stretchesMax) {
    const told = stretches.slice(at, at + stretchesMax);
    const erased = told.map(([first, last]) => [first, last] as const);
    const [entry] = await writeAudit(client, signer, [
      { ...record, action: "erasure", details: { ...record.details, entries: rows.length, erased } },
    ]);
    const sequences = rows
      .map(({ sequence }) => sequence)
      .filter((sequence) => told.some(([first, last]) => first <= sequence && sequence <= last));
    await client.query("SELECT isochron.erase_audit($1, $2::bigint[])", [entry?.sequence, sequences]);
  }
  return rows.length;
}

function toStretches(sequences: readonly number[]): [number, number][] {
  const stretches: [number, number][] = [];
  for (const sequence of sequences) {
    const last = stretches.at(-1);
    if (last !== undefined && last[1] + 1 === sequence) last[1] = sequence;
    else stretches.push([sequence, sequence]);
  }
  return stretches;
}
