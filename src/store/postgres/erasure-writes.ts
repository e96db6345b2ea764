import type pg from "pg";
import type { Related } from "../../model/entity.ts";
import type { Actor, Attribution, Evidence } from "../../model/event.ts";
import type { JsonObject } from "../../model/json.ts";
import { tenantKey, type TenantRef } from "../../model/tenant.ts";
import type { ErasureSubject } from "./erasure-subject.ts";
import { searchFor, withoutWords } from "./erasure-words.ts";
import { iso } from "./event-writes.ts";
import { bury, removeParts, type RemovableEvent } from "./retention-removal.ts";
import type { Tombstones } from "./retention-tombstones.ts";

/** A row as JSON, whole. */
export type JsonRow = JsonObject;

interface Changing {
  readonly actor?: (Actor & JsonObject) | null;
  readonly attribution: Attribution;
  readonly related?: readonly Related[];
  readonly mentions?: readonly string[];
}

interface Shown extends Changing {
  readonly draft?: { readonly actor?: Actor & JsonObject; readonly related: readonly Related[] };
  readonly edition_keys: readonly string[];
  readonly edition_ids: readonly string[];
}

/**
 * Takes the erased one's part out of events that stay, of their storms' members too, and deletes their earlier versions
 * that tell of it. Gives how many editions went.
 */
export async function scrubEvents(
  client: pg.ClientBase,
  tombstones: Tombstones,
  subject: ErasureSubject,
  events: readonly RemovableEvent[],
): Promise<number> {
  if (events.length === 0) return 0;
  const own = new Set<string>(subject.keys);
  const parts = events.flatMap((event) => {
    const editions = event.edition_keys.flatMap((key, at) => (own.has(key) ? [at] : []));
    return editions.length === 0 ? [] : [{ event, editions }];
  });
  const removed = await removeParts(client, tombstones, parts, "erased");
  const ids = events.map(({ id }) => id);
  const search = searchFor([...subject.rawWords, ...subject.words]);
  const { rows } = await client.query<{ row: JsonRow }>(
    "SELECT to_jsonb(e) AS row FROM isochron.event e WHERE e.id = ANY($1::text[]) AND e.occurred_at = ANY($2::timestamptz[])",
    [ids, [...new Set(events.map((event) => iso(event.occurred_at)))]],
  );
  await writeRows(
    client,
    "event",
    ["id", "occurred_at"],
    rows.map(({ row }) => scrubRow(subject, row)),
  );
  await scrubEditions(client, "tenant_event", ["tenant_key", "id", "occurred_at"], subject, rows);
  await client.query(
    "UPDATE isochron.event SET feed_xid = pg_current_xact_id() WHERE id = ANY($1::text[]) AND occurred_at = ANY($2::timestamptz[])",
    [ids, [...new Set(events.map((event) => iso(event.occurred_at)))]],
  );
  const { rows: all } = await client.query<{ text: string; id: string }>(
    "SELECT to_jsonb(m)::text AS text, m.id FROM isochron.storm_member m WHERE m.fold_id = ANY($1::text[])",
    [ids],
  );
  const members = all
    .filter(({ text }) => search.isIn(text))
    .map(({ id, text }) => ({ id, row: JSON.parse(text) as JsonRow }));
  await writeRows(
    client,
    "storm_member",
    ["id"],
    members.map(({ row }) => scrubMember(subject, row)),
  );
  await scrubEditions(client, "storm_member_edition", ["tenant_key", "id"], subject, members);
  const changed = [...ids, ...members.map(({ id }) => id)];
  await client.query("DELETE FROM isochron.event_revision WHERE event_id = ANY($1::text[])", [changed]);
  const { rows: answers } = await client.query<{ event_id: string; xid: string; text: string }>(
    `SELECT event_id, replaced_xid::text AS xid, attribution::text AS text FROM isochron.attribution_revision
      WHERE event_id = ANY($1::text[])`,
    [changed],
  );
  const telling = answers.filter(({ text }) => search.isIn(text));
  await client.query(
    `DELETE FROM isochron.attribution_revision
      WHERE (event_id, replaced_xid) IN (SELECT * FROM unnest($1::text[], $2::xid8[]))`,
    [telling.map((one) => one.event_id), telling.map(({ xid }) => xid)],
  );
  return removed;
}

/**
 * The records that these events came from are refused from now on, since they say what was taken out. What is left in
 * their stead finds the event by its id.
 */
export async function detachDeliveries(
  client: pg.ClientBase,
  tombstones: Tombstones,
  events: readonly RemovableEvent[],
): Promise<void> {
  if (events.length === 0) return;
  const { rows: members } = await client.query<{ id: string }>(
    "SELECT id FROM isochron.storm_member WHERE fold_id = ANY($1::text[])",
    [events.map(({ id }) => id)],
  );
  const ids = [...events, ...members].map(({ id }) => id);
  await bury(client, tombstones, ids, "erased");
  await client.query(
    `WITH gone AS (DELETE FROM isochron.delivery WHERE event_id = ANY($1::text[]) RETURNING connection, event_id, occurred_at)
     INSERT INTO isochron.delivery (connection, source_id, key, event_id, occurred_at, content_hash)
     SELECT DISTINCT connection, event_id, event_id, event_id, occurred_at, decode(repeat('00', 32), 'hex') FROM gone`,
    [ids],
  );
}

/** What tenants were shown of these rows loses the words that their rows lose. */
async function scrubEditions(
  client: pg.ClientBase,
  table: "tenant_event" | "storm_member_edition",
  key: readonly string[],
  subject: ErasureSubject,
  rows: readonly { readonly row: JsonRow }[],
): Promise<void> {
  const wordsOfEdition = new Map<string, readonly string[]>();
  const places: { tenant_key: string; id: string }[] = [];
  for (const { row } of rows) {
    const { actor, related, draft, edition_keys, edition_ids } = row as unknown as Shown;
    const words = wordsOf(subject, draft?.actor ?? actor, draft?.related ?? related);
    edition_keys.forEach((tenant_key, at) => {
      const place = { tenant_key, id: edition_ids[at] ?? "" };
      places.push(place);
      wordsOfEdition.set(`${place.tenant_key}\n${place.id}`, words);
    });
  }
  const { rows: found } = await client.query<{ row: JsonRow; place: string }>(
    `SELECT to_jsonb(t) AS row, t.tenant_key || E'\\n' || t.id AS place
       FROM jsonb_to_recordset($1::jsonb) AS given (tenant_key text, id text)
       JOIN isochron.${table} t USING (tenant_key, id)`,
    [JSON.stringify(places)],
  );
  await writeRows(
    client,
    table,
    key,
    found.map(({ row, place }) => withoutWords(row, wordsOfEdition.get(place) ?? [])),
  );
}

function scrubRow(subject: ErasureSubject, row: JsonRow): JsonRow {
  const { actor, attribution, related, mentions } = row as unknown as Changing;
  const isActor = subject.userId !== undefined && actor?.userId === subject.userId;
  const mentioned = new Set(subject.mentioned.flatMap((one) => one.mentions));
  const changed = {
    ...row,
    ...(isActor ? { actor: null } : {}),
    attribution: withoutTenants(subject, attribution),
    related: (related ?? []).filter(({ ref }) => !mentioned.has(`${ref.kind}:${ref.id}`)),
    mentions: (mentions ?? []).filter((key) => !mentioned.has(key)),
  };
  return withoutWords(changed as unknown as JsonRow, wordsOf(subject, actor, related));
}

function scrubMember(subject: ErasureSubject, row: JsonRow): JsonRow {
  const { draft, attribution } = row as unknown as {
    readonly draft: { readonly actor?: Actor & JsonObject; readonly related: readonly Related[] };
    readonly attribution: Attribution;
  };
  const { actor, ...others } = draft;
  const isActor = subject.userId !== undefined && actor?.userId === subject.userId;
  const changed = {
    ...row,
    draft: isActor ? others : draft,
    attribution: withoutTenants(subject, attribution),
  };
  return withoutWords(changed as unknown as JsonRow, wordsOf(subject, actor, draft.related));
}

/** What the row itself calls the person is taken out of it as well. */
function wordsOf(
  { words, userId, rawWords, kind }: ErasureSubject,
  actor: Actor | null | undefined,
  related: readonly Related[] = [],
): readonly string[] {
  if (kind === "tenant") return words;
  const own = actor?.userId === userId ? [actor?.userName, actor?.address] : [];
  const named = related.filter(({ ref }) => ref.kind === "user" && ref.id === userId).map(({ name }) => name);
  const called = [...own, ...named].filter((word): word is string => word !== undefined && word.length > 2);
  return [...new Set([...words, ...rawWords, ...called])].sort((a, b) => b.length - a.length);
}

function withoutTenants(subject: ErasureSubject, attribution: Attribution): Attribution {
  if (subject.kind === "user") return attribution;
  const keys = new Set<string>(subject.keys);
  const stays = (tenant: TenantRef): boolean =>
    !keys.has(tenantKey(tenant)) &&
    (tenant.domainId === undefined || !keys.has(`domain/${tenant.controlPlane}/${tenant.domainId}`));
  const ids = new Set(subject.mentioned.flatMap((one) => one.mentions));
  const isOf = ({ from, to }: Evidence): boolean =>
    [from, to].some((ref) => ref !== undefined && ids.has(`${ref.kind}:${ref.id}`));
  const evidence = attribution.evidence.filter((step) => !isOf(step));
  switch (attribution.status) {
    case "shared":
      return {
        ...attribution,
        evidence,
        affected: attribution.affected.filter(({ tenant }) => stays(tenant)),
      };
    case "ambiguous":
      return { ...attribution, evidence, candidates: attribution.candidates.filter(stays) };
    default:
      return { ...attribution, evidence };
  }
}

/** Writes whole rows over those with the same key, whose columns the rows hold unchanged. */
export async function writeRows(
  client: pg.ClientBase,
  table: string,
  key: readonly string[],
  rows: readonly JsonRow[],
): Promise<void> {
  if (rows.length === 0) return;
  const { rows: columns } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute
      WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attname <> ALL ($2)`,
    [`isochron.${table}`, key],
  );
  const set = columns.map(({ name }) => `${name} = fresh.${name}`).join(", ");
  const same = key.map((name) => `stored.${name} = fresh.${name}`).join(" AND ");
  await client.query(
    `UPDATE isochron.${table} AS stored SET ${set}
       FROM jsonb_populate_recordset(NULL::isochron.${table}, $1::jsonb) AS fresh WHERE ${same}`,
    [JSON.stringify(rows)],
  );
}
