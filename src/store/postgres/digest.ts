import { createHash } from "node:crypto";
import type pg from "pg";

/**
 * What counts of each table: all but times of recording, and ids and words that are made with the store's own secret.
 * Each row is hashed, and the hashes in their own order are hashed again: the order of arrival leaves no trace. What
 * does leave one is which events of a storm came before it was one: they stand as events, the others as members.
 */
const contents: Readonly<Record<string, string>> = {
  event: `to_jsonb(t) - ARRAY['recorded_at', 'attributed_at', 'feed_xid', 'first_xid', 'edition_ids']`,
  tenant_event:
    withoutAliases(`(to_jsonb(t) #- '{details,storm,samples}') - ARRAY['recorded_at', 'feed_xid', 'first_xid']
                 - CASE WHEN notice OR details ? 'storm' THEN ARRAY['id'] ELSE ARRAY[]::text[] END`),
  topology_fact: `to_jsonb(t) - ARRAY['recorded_at', 'recorded_xid']`,
  topology_run: `to_jsonb(t) - ARRAY['recorded_at', 'changed_xid']`,
  set_aside: `to_jsonb(t) - ARRAY['received_at', 'attempts', 'replayed_at']`,
  delivery: `to_jsonb(t)`,
  storm_member: `to_jsonb(t) - ARRAY['recorded_at', 'attributed_at', 'edition_ids']`,
  storm_member_edition: withoutAliases(`(to_jsonb(t) #- '{edition,id}') - ARRAY['recorded_at', 'event_id']
                         - CASE WHEN edition ->> 'notice' = 'true' THEN ARRAY['id'] ELSE ARRAY[]::text[] END`),
};

/** Each store has words of its own for the places of the provider's. */
function withoutAliases(content: string): string {
  return `regexp_replace((${content})::text, 'part-[0-9a-f]{8}', 'part-', 'g')`;
}

/** A large store takes minutes; who asks for its digest waits. */
const digestMs = 24 * 3_600_000;

/** Equal digests, equal stores. */
export async function digestStore(client: pg.ClientBase): Promise<string> {
  const hash = createHash("sha256");
  await client.query("SET LOCAL statement_timeout = 0");
  for (const [table, content] of Object.entries(contents)) {
    const question: pg.QueryConfig & { readonly query_timeout: number } = {
      text: `SELECT count(*) AS count, sha256(string_agg(line, ''::bytea ORDER BY line)) AS digest
         FROM (SELECT sha256(convert_to((${content})::text, 'UTF8')) AS line FROM isochron.${table} AS t) AS lines`,
      query_timeout: digestMs,
    };
    const { rows } = await client.query<{ count: number; digest: Buffer | null }>(question);
    hash.update(`${table} ${rows[0]?.count ?? 0} ${rows[0]?.digest?.toString("hex") ?? ""}\n`);
  }
  return hash.digest("hex");
}
