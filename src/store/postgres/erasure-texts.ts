import type pg from "pg";
import type { Instant } from "../../model/instant.ts";
import { parseTenantKey } from "../../model/tenant.ts";
import { eraseRules, readSignatures } from "./erasure-rules.ts";
import type { ErasureSubject } from "./erasure-subject.ts";
import { patternsOf, withoutWords } from "./erasure-words.ts";
import { writeRows, type JsonRow } from "./erasure-writes.ts";

/** How many rows of a table one statement reads through for words. */
const scanRows = 2_000;

/** Large tables beside `event`, read through a stretch at a time; earlier versions of an event go where they tell of the erased. */
const texts = [
  {
    table: "tenant_event",
    key: ["tenant_key", "id", "occurred_at"],
    types: ["text", "text", "timestamptz"],
    delete: false,
  },
  { table: "storm_member_edition", key: ["tenant_key", "id"], types: ["text", "text"], delete: false },
  { table: "event_revision", key: ["event_id", "content_hash"], types: ["text", "bytea"], delete: true },
  { table: "attribution_revision", key: ["event_id", "replaced_xid"], types: ["text", "xid8"], delete: true },
] as const;

/** What is gone through otherwise, is not text of ours to change, or is made of keyed hashes. */
const notScrubbed = [
  ...texts.map(({ table }) => table),
  "event",
  "storm_member",
  "delivery",
  "topology_fact",
  "topology_run",
  "topology_tenant",
  "pending_attribution",
  "reattribution_due",
  "set_aside",
  "retraction",
  "tombstone",
  "erased_entity",
  "erasure",
  "claim_key",
  "schema_migration",
  "audit_tail",
  "audit_key",
  "audit_entry",
  "audit_personal",
  // Ids of events, of messages and of rules.
  "notification_told",
];

export async function removeWordsFromTexts({
  subject,
  batch,
  dry,
}: {
  readonly subject: ErasureSubject;
  readonly batch: <T>(action: (client: pg.ClientBase) => Promise<T>) => Promise<T>;
  readonly dry: boolean;
}): Promise<void> {
  if (dry) return;
  if (subject.keys.length > 0) await batch((client) => removeStrayEditions(client, subject));
  if (subject.search.isEmpty) return;
  for (const text of texts) {
    let after: readonly string[] | undefined;
    do {
      const from: readonly string[] | undefined = after;
      after = await batch((client) => scrubStretch(client, subject, text, from));
    } while (after !== undefined);
  }
}

/** Editions that no event leads to any more. */
async function removeStrayEditions(client: pg.ClientBase, { keys }: ErasureSubject): Promise<void> {
  for (const table of ["tenant_event", "storm_member_edition", "incident_edition"])
    await client.query(`DELETE FROM isochron.${table} WHERE tenant_key = ANY($1::text[])`, [keys]);
}

/** Gives the key of the last row looked at; undefined at the end. */
async function scrubStretch(
  client: pg.ClientBase,
  { search, words }: ErasureSubject,
  { table, key, types, delete: isDeleted }: (typeof texts)[number],
  after: readonly string[] | undefined,
): Promise<readonly string[] | undefined> {
  const names = key.join(", ");
  const beyond =
    after === undefined
      ? "true"
      : `(${names}) > (${key.map((_, at) => `$${at + 2}::${types[at]}`).join(", ")})`;
  const { rows } = await client.query<{ text: string; place: readonly string[] }>(
    `SELECT to_jsonb(t)::text AS text, ARRAY[${key.map((name) => `t.${name}::text`).join(", ")}] AS place
       FROM (SELECT * FROM isochron.${table} WHERE ${beyond} ORDER BY ${names} LIMIT $1) AS t ORDER BY ${names}`,
    [scanRows, ...(after ?? [])],
  );
  const found = rows.filter(({ text }) => search.isIn(text));
  if (isDeleted && found.length > 0) {
    await client.query(
      `DELETE FROM isochron.${table} WHERE (${names}) IN (SELECT * FROM unnest(${key
        .map((_, at) => `$${at + 1}::${types[at]}[]`)
        .join(", ")}))`,
      key.map((_, at) => found.map(({ place }) => place[at])),
    );
  }
  if (!isDeleted)
    await writeRows(
      client,
      table,
      key,
      found.map(({ text }) => withoutWords(JSON.parse(text) as JsonRow, words)),
    );
  return rows.length < scanRows ? undefined : rows.at(-1)?.place;
}

/** Tokens, sessions and rules of the erased end; whatever else is small loses the words, whichever table it is in. */
export async function scrubSmallTables(
  client: pg.ClientBase,
  subject: ErasureSubject,
  now: Instant,
): Promise<void> {
  const { keys, searched, userId } = subject;
  for (const key of keys) {
    const { controlPlane, projectId, domainId } = parseTenantKey(key);
    const scope = { controlPlane, ...(projectId === undefined ? { domainId } : { projectId }) };
    await client.query("DELETE FROM isochron.api_token WHERE scope @> $1::jsonb", [JSON.stringify(scope)]);
    await client.query("DELETE FROM isochron.session WHERE looks_as @> $1::jsonb", [JSON.stringify(scope)]);
  }
  if (userId !== undefined)
    await client.query(
      "DELETE FROM isochron.session WHERE subject = $1 OR right(subject, length($1) + 1) = '/' || $1",
      [userId],
    );
  await eraseRules(client, subject, now);
  // `erasure` is taken among the signatures, as its own words are below.
  const signed =
    userId === undefined
      ? []
      : await readSignatures(
          client,
          userId,
          notScrubbed.filter((table) => table !== "erasure"),
        );
  for (const pattern of [...patternsOf(signed), ...patternsOf(searched)]) {
    await client.query("SELECT isochron.scrub_words($1, $2)", [pattern, notScrubbed]);
    await client.query(
      "UPDATE isochron.erasure SET why = regexp_replace(why, $1, 'erased', 'gi'), asked_by = regexp_replace(asked_by, $1, 'erased', 'gi') WHERE why ~* $1 OR asked_by ~* $1",
      [pattern],
    );
  }
}
