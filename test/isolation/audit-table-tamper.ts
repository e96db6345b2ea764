import pg from "pg";
import {
  createSigner,
  type AuditHead,
  type AuditVerdict,
  type TrustedKey,
} from "../../src/store/audit-chain.ts";
import { makeEntry } from "../../src/store/postgres/audit-entry.ts";
import { verifyStored } from "../../src/store/postgres/audit-reads.ts";
import { adminConfig, type Pools } from "../../src/store/postgres/pools.ts";
import { parseDatabaseUrl } from "../../src/store/postgres/database-url.ts";
import type { TestStore } from "../database.ts";
import type { SeededRandom } from "../faults/seeded-random.ts";
import { randomRecord } from "./audit-trail-world.ts";

const stranger = createSigner(Buffer.alloc(32, 0xee));

interface Given {
  readonly random: SeededRandom;
  readonly sql: pg.Client;
  readonly length: number;
  /** Those that still have something about a person. */
  readonly personal: readonly number[];
  readonly head: AuditHead;
}

interface Expected {
  readonly name: string;
  readonly place: number;
  readonly head?: AuditHead;
}

/** How each column can be changed so that it says something else. */
const changes: Readonly<Record<string, string>> = {
  at: "at + interval '1 microsecond'",
  action: "action || 'x'",
  outcome: "CASE outcome WHEN 'done' THEN 'refused' ELSE 'done' END",
  object: "object || ' '",
  count: "count + 1",
  details: `details || '{"more": 1}'`,
  sealed: `sealed || '{"actor.name": "00"}'`,
  previous: "set_byte(previous, 3, 255 - get_byte(previous, 3))",
  hash: "set_byte(hash, 31, 255 - get_byte(hash, 31))",
  key_id: "'0123456789abcdef'",
  signature: "set_byte(signature, 7, 255 - get_byte(signature, 7))",
  store_id: "gen_random_uuid()",
};

async function rewriteFrom({ random, sql }: Given, from: number, to: number): Promise<void> {
  const { rows } = await sql.query<{ store: string; hash: string | null }>(
    `SELECT t.store_id::text AS store, encode(e.hash, 'hex') AS hash FROM isochron.audit_tail t
       LEFT JOIN isochron.audit_entry e ON e.sequence = $1`,
    [from - 1],
  );
  let hash = rows[0]?.hash ?? "0".repeat(64);
  await sql.query("DELETE FROM isochron.audit_personal WHERE sequence BETWEEN $1 AND $2", [from, to]);
  await sql.query("DELETE FROM isochron.audit_entry WHERE sequence BETWEEN $1 AND $2", [from, to]);
  for (let sequence = from; sequence <= to; sequence += 1) {
    const record = { ...randomRecord(random), actor: { id: "me" } };
    const entry = makeEntry(record, { store: rows[0]!.store, sequence: sequence - 1, hash }, stranger);
    hash = entry.hash;
    await sql.query(
      `INSERT INTO isochron.audit_entry SELECT $1, $2::uuid, $3::timestamptz, $4, $5, $6, $7, $8::jsonb, $9::jsonb,
         decode($10, 'hex'), decode($11, 'hex'), $12, decode($13, 'hex')`,
      [
        entry.sequence,
        entry.store,
        entry.at,
        entry.action,
        entry.outcome,
        entry.object,
        entry.count,
        JSON.stringify(entry.details),
        JSON.stringify(entry.sealed),
        entry.previous,
        entry.hash,
        entry.key,
        entry.signature,
      ],
    );
    for (const [field, { key, value }] of Object.entries(entry.personal)) {
      await sql.query("INSERT INTO isochron.audit_personal VALUES ($1, $2, decode($3, 'hex'), $4)", [
        sequence,
        field,
        key,
        value,
      ]);
    }
  }
}

async function moveTail(sql: pg.Client): Promise<void> {
  await sql.query(
    `UPDATE isochron.audit_tail SET (sequence, hash) = (SELECT coalesce(max(sequence), 0),
       coalesce((array_agg(hash ORDER BY sequence DESC))[1], decode(repeat('00', 32), 'hex')) FROM isochron.audit_entry)`,
  );
}

const kinds: readonly ((given: Given) => Promise<Expected>)[] = [
  async ({ random, sql, length }) => {
    const place = random.whole(1, length);
    const [column, change] = random.pick(Object.entries(changes));
    await sql.query(`UPDATE isochron.audit_entry SET ${column} = ${change} WHERE sequence = $1`, [place]);
    return { name: `${column} changed`, place };
  },
  async ({ random, sql, personal }) => {
    const place = random.pick(personal);
    const change = random.pick(["value = value || '?'", "key = set_byte(key, 0, 255 - get_byte(key, 0))"]);
    await sql.query(`UPDATE isochron.audit_personal SET ${change} WHERE sequence = $1`, [place]);
    return { name: "somebody else's name", place };
  },
  async ({ random, sql, personal }) => {
    const place = random.pick(personal);
    await sql.query("DELETE FROM isochron.audit_personal WHERE sequence = $1", [place]);
    return { name: "erased without a word", place };
  },
  async ({ random, sql, length }) => {
    const [a, b] = random.shuffled(Array.from({ length }, (_, n) => n + 1)) as [number, number];
    for (const table of ["audit_entry", "audit_personal"]) {
      for (const [from, to] of [
        [a, 900_000],
        [b, a],
        [900_000, b],
      ])
        await sql.query(`UPDATE isochron.${table} SET sequence = $2 WHERE sequence = $1`, [from, to]);
    }
    return { name: "two entries swapped", place: Math.min(a, b) };
  },
  async ({ random, sql, length }) => {
    const place = random.whole(1, length);
    const last = Math.min(length, place + random.whole(0, 3));
    await sql.query("DELETE FROM isochron.audit_entry WHERE sequence BETWEEN $1 AND $2", [place, last]);
    return { name: "entries deleted", place };
  },
  async (given) => {
    const { random, sql, length } = given;
    const place = random.whole(1, length + 1);
    for (const table of ["audit_entry", "audit_personal"]) {
      // Upwards by way of numbers that no entry has, because each step must leave the numbers unique.
      await sql.query(`UPDATE isochron.${table} SET sequence = 100000 + sequence WHERE sequence >= $1`, [
        place,
      ]);
      await sql.query(`UPDATE isochron.${table} SET sequence = sequence - 99999 WHERE sequence > 100000`);
    }
    await rewriteFrom(given, place, place);
    await moveTail(sql);
    return { name: "an entry forged in", place };
  },
  async ({ random, sql, length, head }) => {
    const kept = random.whole(0, length - 1);
    for (const table of ["audit_entry", "audit_personal"])
      await sql.query(`DELETE FROM isochron.${table} WHERE sequence > $1`, [kept]);
    if (random.chance(0.5)) return { name: "the tail cut", place: kept + 1 };
    await moveTail(sql);
    return { name: "the tail cut and its place put back", place: kept + 1, head };
  },
  async (given) => {
    const place = given.random.whole(1, given.length);
    await rewriteFrom(given, place, given.length);
    await moveTail(given.sql);
    return { name: "everything from a place on rewritten", place };
  },
  async ({ random, sql, length }) => {
    const isLonger = random.chance(0.5);
    const change = isLonger ? "sequence = sequence + 1" : "hash = set_byte(hash, 0, 255 - get_byte(hash, 0))";
    await sql.query(`UPDATE isochron.audit_tail SET ${change}`);
    return { name: "the end moved", place: isLonger ? length + 1 : length };
  },
];

/** Changes the tables as a superuser, in transactions that are undone; gives what was not found, or found elsewhere. */
export async function tamperWithTables(
  { url, store: { audit } }: TestStore,
  random: SeededRandom,
  count: number,
): Promise<{ readonly missed: string[]; readonly misplaced: string[] }> {
  const missed: string[] = [];
  const misplaced: string[] = [];
  const sql = new pg.Client(adminConfig(parseDatabaseUrl(url)));
  await sql.connect();
  try {
    const head = await audit.head();
    const { rows } = await sql.query<{ sequence: number }>(
      "SELECT DISTINCT sequence FROM isochron.audit_personal ORDER BY 1",
    );
    const personal = rows.map(({ sequence }) => sequence);
    for (let tried = 0; tried < count; tried += 1) {
      await sql.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
      await sql.query("SET LOCAL session_replication_role = replica");
      const expected = await kinds[tried % kinds.length]!({
        random,
        sql,
        length: head.sequence,
        personal,
        head,
      });
      const verdict = await verifyInside(sql, audit.key, expected.head);
      await sql.query("ROLLBACK");
      if (verdict.ok) missed.push(expected.name);
      else if (verdict.sequence !== expected.place) {
        misplaced.push(
          `${expected.name}: ${verdict.what} at ${verdict.sequence} (${verdict.says}), not ${expected.place}`,
        );
      }
    }
  } finally {
    await sql.end();
  }
  return { missed, misplaced };
}

/** Verifies what the transaction sees that made the change. */
function verifyInside(sql: pg.Client, key: TrustedKey, head: AuditHead | undefined): Promise<AuditVerdict> {
  const inside: Pick<Pools, "transact"> = { transact: (_pool, _mode, action) => action(sql) };
  return verifyStored(inside, key, head === undefined ? {} : { head });
}

/** Fills the store step by step, erases somebody now and then, and verifies it each time; gives the alarms. */
export async function leaveTablesAlone(
  { store: { audit } }: TestStore,
  random: SeededRandom,
  count: number,
): Promise<string[]> {
  const alarms: string[] = [];
  const heads: AuditHead[] = [await audit.head()];
  for (let tried = 0; tried < count; tried += 1) {
    await audit.append(Array.from({ length: random.whole(1, 3) }, () => randomRecord(random)));
    if (random.chance(0.1)) {
      const record = { ...randomRecord(random), object: "person", actor: { id: "admin" } };
      await audit.eraseActor(`user-${random.whole(1, 6)}`, record);
    }
    const verdict = await audit.verify({ head: random.pick(heads) });
    if (!verdict.ok) alarms.push(`${verdict.what} at ${verdict.sequence}: ${verdict.says}`);
    heads.push(await audit.head());
  }
  return alarms;
}
