import type pg from "pg";
import type { Instant } from "../../model/instant.ts";
import type { ErasureSubject } from "./erasure-subject.ts";
import { erasedWord, patternsOf } from "./erasure-words.ts";
import { iso } from "./event-writes.ts";

/** Rules of an erased tenant go, those of an erased person rest, and no group of another's rule tells of either. */
export async function eraseRules(
  client: pg.ClientBase,
  subject: ErasureSubject,
  now: Instant,
): Promise<void> {
  const { keys, userId, searched } = subject;
  if (keys.length > 0) await client.query("SELECT isochron.erase_rules($1)", [keys]);
  if (userId !== undefined) {
    await client.query("SELECT isochron.erase_rule_maker($1, $2::timestamptz, $3)", [
      userId,
      iso(now),
      "Whoever made it was erased.",
    ]);
  }
  await maskGroups(
    client,
    "string_to_array(translate(memory ->> 'label', ' ', ','), ',') && $1::text[]",
    keys,
  );
  for (const pattern of patternsOf(searched)) await maskGroups(client, "memory ->> 'label' ~* $1", pattern);
}

/**
 * Groups that are about the erased are called by it, and known by a plain hash of that, which whoever can guess the id
 * can make again. They get another hash, keep what they hold back, and wait for nothing any more.
 */
async function maskGroups(client: pg.ClientBase, condition: string, value: unknown): Promise<void> {
  await client.query(
    `WITH masked AS (
       UPDATE isochron.notification_group g
          SET hash = fresh.hash,
              memory = (g.memory - 'seenAt' - 'seenEvent' - 'severity')
                       || jsonb_build_object('hash', fresh.hash, 'label', $2::text, 'recent', '[]'::jsonb, 'missing', false)
         FROM (SELECT rule, hash AS old, encode(sha256(convert_to(gen_random_uuid()::text, 'UTF8')), 'hex') AS hash
                 FROM isochron.notification_group WHERE ${condition}) AS fresh
        WHERE g.rule = fresh.rule AND g.hash = fresh.old
       RETURNING g.rule, fresh.old, fresh.hash)
     UPDATE isochron.notification_delivery d SET draft = jsonb_set(d.draft, '{group}', to_jsonb(m.hash))
       FROM masked m WHERE d.rule = m.rule AND d.draft ->> 'group' = m.old`,
    [value, erasedWord],
  );
}

/**
 * How the person was written down who decided, planned or said something: `Jo Smith (keystone/91b2)`, in whichever table
 * has a column that ends with `_by`. The name is theirs as much as the id that it stands beside.
 */
export async function readSignatures(
  client: pg.ClientBase,
  userId: string,
  exceptTables: readonly string[],
): Promise<readonly string[]> {
  const { rows: columns } = await client.query<{ relation: string; name: string }>(
    `SELECT c.oid::regclass::text AS relation, quote_ident(a.attname) AS name
       FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relnamespace = 'isochron'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        AND a.atttypid = 'text'::regtype AND a.attname LIKE '%\\_by' AND c.relname <> ALL ($1::text[])`,
    [exceptTables],
  );
  if (columns.length === 0) return [];
  const { rows } = await client.query<{ by: string }>(
    `SELECT DISTINCT by FROM (${columns
      .map(({ relation, name }) => `SELECT ${name} AS by FROM ${relation}`)
      .join(" UNION ALL ")}) AS signed
      WHERE right(by, length($1) + 2) IN ('(' || $1 || ')', '/' || $1 || ')')`,
    [userId],
  );
  return rows.map(({ by }) => by);
}
