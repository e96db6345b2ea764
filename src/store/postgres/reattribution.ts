import type pg from "pg";
import { z } from "zod";
import type { DueEvents, Reattribution } from "../event-store.ts";
import type { AppendTools } from "./append.ts";
import { canonical } from "./canonical.ts";
import { admitAnswers } from "./erasure-door.ts";
import { setAttribution, toEditionRows, toStoredEvent, type EditionRow, type EventRow } from "./event-row.ts";
import {
  iso,
  keepAttributions,
  loadEditions,
  loadEvents,
  removeEditions,
  setEditions,
  textNames,
  updateEvents,
  writeEditions,
} from "./event-writes.ts";
import { markUnruled } from "./ruling-writes.ts";
import { toStoredMember } from "./storm-fold.ts";
import { holdStorms, moveMembers } from "./storm-moves.ts";
import { loadMembers } from "./storm-writes.ts";
import { holdNews, markMissed, tenantsWaiting } from "./topology-marks.ts";

/** How many marks one round looks at. */
const marksMax = 5_000;

/** What `reattributed` is handed back: the marks looked at, and up to which event when there was more. */
const tokenSchema = z.object({
  marks: z.array(z.tuple([z.string(), z.string(), z.string()])),
  through: z.object({ at: z.string(), id: z.string() }).optional(),
  /** Where the topology stood before the views of the answers were loaded. */
  topologyMark: z.string().optional(),
});

interface PendingRow {
  readonly event_id: string;
  readonly occurred_at: number;
}

/**
 * What waits for a marked entity. A project's events do not wait for it to be moved: they are found by who is concerned,
 * and a storm's fold stands for its members.
 */
const waitingSql = (due: string): string => `
  SELECT p.occurred_at, p.event_id FROM isochron.pending_attribution p
   WHERE p.control_plane = ${due}.control_plane AND p.entity_key = ${due}.entity_key
     AND (p.occurred_at, p.event_id) > (${due}.since, ${due}.after_id)
  UNION ALL
  SELECT coalesce(m.occurred_at, e.occurred_at), coalesce(m.id, e.id)
    FROM isochron.event e LEFT JOIN isochron.storm_member m ON m.fold_id = e.id
   WHERE ${due}.entity_key LIKE 'tenant/%' AND e.mentions @> ARRAY[${due}.entity_key]
     AND e.control_plane = ${due}.control_plane
     AND (coalesce(m.occurred_at, e.occurred_at), coalesce(m.id, e.id)) > (${due}.since, ${due}.after_id)`;

/** Events that wait for an answer, oldest first, and the marks that an answer to all of them settles. */
export async function collectDue(client: pg.ClientBase, limit: number): Promise<DueEvents> {
  // Who waits for that lock holds up all pages; what a page half-way in marks, it collects itself after its commit.
  const { rowCount } = await client.query("SELECT FROM isochron.reattribution_due LIMIT 1");
  if (rowCount === 0) return { token: { marks: [] }, events: [] };
  // Waits until no page is half-way in: what one writes and another has not seen is then all to be seen here.
  await client.query("SELECT pg_advisory_xact_lock(hashtext('isochron topology'))");
  await client.query(
    `DELETE FROM isochron.reattribution_due due
      WHERE NOT EXISTS (${waitingSql("due")})`,
  );
  const { rows: marks } = await client.query<{ control_plane: string; entity_key: string; xid: string }>(
    `SELECT control_plane, entity_key, marked_xid::text AS xid FROM isochron.reattribution_due
      ORDER BY since, control_plane, entity_key LIMIT $1`,
    [marksMax],
  );
  if (marks.length === 0) return { token: { marks: [] }, events: [] };
  const { rows: waiting } = await client.query<PendingRow>(
    `SELECT DISTINCT p.occurred_at, p.event_id
       FROM unnest($1::text[], $2::text[]) AS mark (control_plane, entity_key)
       JOIN isochron.reattribution_due due USING (control_plane, entity_key)
      CROSS JOIN LATERAL (${waitingSql("due")}) AS p
      ORDER BY p.occurred_at, p.event_id LIMIT $3`,
    [marks.map((mark) => mark.control_plane), marks.map((mark) => mark.entity_key), limit + 1],
  );
  const { rows: standing } = await client.query<{ mark: string }>(
    "SELECT pg_current_snapshot()::text AS mark",
  );
  const page = waiting.slice(0, limit);
  const last = page.at(-1);
  const rows = await loadEvents(
    client,
    page.map((row) => ({ id: row.event_id, occurredAt: row.occurred_at })),
  );
  const members = await loadMembers(
    client,
    page.map((row) => row.event_id),
  );
  return {
    token: {
      marks: marks.map((mark) => [mark.control_plane, mark.entity_key, mark.xid]),
      ...(standing[0] === undefined ? {} : { topologyMark: standing[0].mark }),
      ...(waiting.length > limit && last !== undefined
        ? { through: { at: iso(last.occurred_at), id: last.event_id } }
        : {}),
    },
    events: [...rows.map(toStoredEvent), ...members.map(toStoredMember)],
  };
}

/** Writes the answers and editions that differ from what is stored, and settles the marks that were not set anew meanwhile. */
export async function writeAnswers(
  client: pg.ClientBase,
  { noticeSecret, tombstones }: Pick<AppendTools, "noticeSecret" | "tombstones">,
  due: DueEvents,
  given: readonly Reattribution[],
  rulingsVersion?: number,
): Promise<number> {
  const token = tokenSchema.parse(due.token);
  if (token.marks.length === 0 && given.length === 0) return 0;
  // The same order of locks as in a page.
  await holdStorms(client, given);
  await client.query("SELECT pg_advisory_xact_lock_shared(hashtext('isochron topology'))");
  const rows = await lockEvents(client, given);
  // Only now: what is deleted before these locks are held is known to be gone.
  const answers = await admitAnswers(client, tombstones, given);
  const byId = new Map(answers.map((answer) => [answer.eventId, answer]));
  const changed = rows.filter(
    (row) => canonical(row.attribution) !== canonical(byId.get(row.id)?.attribution),
  );
  if (changed.length > 0) await replace(client, noticeSecret, changed, byId);
  const replaced = new Set(changed);
  const standing = rows.filter((row) => !replaced.has(row));
  const renewed = await renewEditions(client, noticeSecret, standing, byId);
  const members = await loadMembers(client, [...byId.keys()]);
  const moved = await moveMembers(client, noticeSecret, members, byId);
  const wanted = await renewPending(client, [...rows, ...members], byId);
  await holdNews(client);
  if (token.topologyMark !== undefined) {
    const moved = tenantsWaitingBy([...rows, ...members], byId);
    await markMissedBy(client, [...wanted, ...moved], token.topologyMark);
  }
  await markUnruled(client, [...rows, ...members], rulingsVersion, false);
  await settle(client, token);
  const written = changed.length + renewed + moved;
  if (written > 0) await client.query("NOTIFY isochron_stored");
  return written;
}

async function lockEvents(
  client: pg.ClientBase,
  answers: readonly Reattribution[],
): Promise<readonly EventRow[]> {
  const places = answers.map((answer) => ({ id: answer.eventId, occurredAt: answer.occurredAt }));
  if (places.length === 0) return [];
  await client.query(
    `SELECT FROM isochron.event WHERE id = ANY($1::text[]) AND occurred_at = ANY($2::timestamptz[])
      ORDER BY id FOR UPDATE`,
    [places.map(({ id }) => id), [...new Set(places.map(({ occurredAt }) => iso(occurredAt)))]],
  );
  return loadEvents(client, places);
}

async function replace(
  client: pg.ClientBase,
  noticeSecret: Uint8Array,
  rows: readonly EventRow[],
  answers: ReadonlyMap<string, Reattribution>,
): Promise<void> {
  await keepAttributions(client, rows);
  const before = rows.map((row) => ({ ...row }));
  const editions: EditionRow[] = [];
  for (const row of rows) {
    const answer = answers.get(row.id);
    if (answer === undefined) continue;
    setAttribution(row, answer.attribution);
    editions.push(...setEditions(noticeSecret, row, answer.editions));
  }
  await updateEvents(client, rows, true);
  await removeEditions(client, before, editions);
  await writeEditions(client, editions);
}

/**
 * Writes editions anew where they show something else though the answer is the same: whose the things beside the subject
 * are, or what a tenant calls its resources, was told since. Gives how many differed.
 */
async function renewEditions(
  client: pg.ClientBase,
  noticeSecret: Uint8Array,
  rows: readonly EventRow[],
  answers: ReadonlyMap<string, Reattribution>,
): Promise<number> {
  const made = rows.flatMap((row) =>
    toEditionRows(noticeSecret, row, answers.get(row.id)?.editions ?? []).filter((edition) =>
      row.edition_keys.includes(edition.tenant_key),
    ),
  );
  if (made.length === 0) return 0;
  const shown = new Map((await loadEditions(client, made)).map((row) => [spellPlace(row), spellShown(row)]));
  const differing = made.filter((row) => shown.get(spellPlace(row)) !== spellShown(row));
  await writeEditions(client, differing);
  return differing.length;
}

/** A notice keeps the provider's text that it was made with for as long as the rest of it is the same. */
function spellShown(row: EditionRow): string {
  if (!row.notice) return canonical(row);
  return canonical(Object.fromEntries(Object.entries(row).filter(([name]) => !textNames.includes(name))));
}

function spellPlace({ tenant_key, id }: Pick<EditionRow, "tenant_key" | "id">): string {
  return `${tenant_key}\n${id}`;
}

interface WaitingRow {
  readonly control_plane: string;
  readonly entity_key: string;
  readonly occurred_at: string;
}

/** What an answer depends on may change though the answer does not. */
async function renewPending(
  client: pg.ClientBase,
  rows: readonly Pick<EventRow, "id" | "occurred_at" | "control_plane">[],
  answers: ReadonlyMap<string, Reattribution>,
): Promise<readonly WaitingRow[]> {
  const wanted = rows.flatMap((row) =>
    [...new Set(answers.get(row.id)?.dependsOn ?? [])].map((key) => ({
      control_plane: row.control_plane,
      entity_key: key,
      occurred_at: iso(row.occurred_at),
      event_id: row.id,
    })),
  );
  await client.query(
    `WITH wanted AS (
       SELECT * FROM jsonb_to_recordset($1::jsonb)
         AS given (control_plane text, entity_key text, occurred_at timestamptz, event_id text)
     ), outdated AS (
       DELETE FROM isochron.pending_attribution p
        WHERE p.event_id = ANY($2::text[])
          AND NOT EXISTS (SELECT FROM wanted w WHERE w.control_plane = p.control_plane
                             AND w.entity_key = p.entity_key AND w.event_id = p.event_id)
     )
     INSERT INTO isochron.pending_attribution (control_plane, entity_key, occurred_at, event_id)
     SELECT control_plane, entity_key, occurred_at, event_id FROM wanted
      ORDER BY control_plane COLLATE "C", entity_key COLLATE "C", occurred_at, event_id COLLATE "C"
     ON CONFLICT DO NOTHING`,
    [JSON.stringify(wanted), rows.map(({ id }) => id)],
  );
  return wanted;
}

/** The projects that the answers name: one may just have been moved. */
function tenantsWaitingBy(
  rows: readonly Pick<EventRow, "id" | "occurred_at" | "control_plane">[],
  answers: ReadonlyMap<string, Reattribution>,
): readonly WaitingRow[] {
  const byPlane = Map.groupBy(rows, (row) => row.control_plane);
  return [...byPlane].flatMap(([control_plane, some]) => {
    const answered = some.flatMap(({ id, occurred_at }) => {
      const attribution = answers.get(id)?.attribution;
      return attribution === undefined ? [] : [{ row: { occurred_at, attribution } }];
    });
    return tenantsWaiting(answered).map((row) => ({ control_plane, ...row }));
  });
}

/** Facts may have arrived since the views were loaded, when nobody knew yet that these answers would wait for them. */
async function markMissedBy(
  client: pg.ClientBase,
  rows: readonly WaitingRow[],
  topologyMark: string,
): Promise<void> {
  for (const [controlPlane, some] of Map.groupBy(rows, (row) => row.control_plane))
    await markMissed(client, controlPlane, some, topologyMark);
}

/** A mark that was set anew since it was looked at has another transaction's number, and stays. */
async function settle(client: pg.ClientBase, token: z.infer<typeof tokenSchema>): Promise<void> {
  if (token.marks.length === 0) return;
  const marks = [0, 1, 2].map((column) => token.marks.map((mark) => mark[column as 0 | 1 | 2]));
  if (token.through === undefined) {
    await client.query(
      `DELETE FROM isochron.reattribution_due due
        USING unnest($1::text[], $2::text[], $3::text[]) AS mark (control_plane, entity_key, xid)
        WHERE due.control_plane = mark.control_plane AND due.entity_key = mark.entity_key
          AND due.marked_xid = mark.xid::xid8`,
      marks,
    );
    return;
  }
  await client.query(
    `UPDATE isochron.reattribution_due due SET since = $4::timestamptz, after_id = $5
       FROM unnest($1::text[], $2::text[], $3::text[]) AS mark (control_plane, entity_key, xid)
      WHERE due.control_plane = mark.control_plane AND due.entity_key = mark.entity_key
        AND due.marked_xid = mark.xid::xid8
        AND (due.since, due.after_id) < ($4::timestamptz, $5)`,
    [...marks, token.through.at, token.through.id],
  );
}
