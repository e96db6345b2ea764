import type pg from "pg";
import { relations, type Relation } from "../../model/topology.ts";
import type { StatedFact } from "../event-store.ts";
import { canonical, compareText } from "./canonical.ts";
import type { PlannedEvent } from "./append-plan.ts";
import { iso } from "./event-writes.ts";

export const pluralRelations = Object.entries(relations).flatMap(([name, arity]) =>
  arity === "plural" ? [name] : [],
);

/** Where something was before it was first seen there nobody knows: a first observation says nothing of earlier. */
const notExtended: readonly Relation[] = [
  "runs_on",
  "attached_to",
  "bound_to",
  "has_address",
  "stored_on",
  "member_of",
  "routed_by",
  "on_network",
];

/** Whatever is asked of these relations is asked regardless of time. */
const timeless: readonly Relation[] = ["concerns"];

/** What so much points at that no answer depends on who newly does. */
export const hubKinds = ["project", "domain", "name", "region", "flavor", "image", "network", "user"];

interface FactRow {
  readonly from_kind: string;
  readonly from_id: string;
  readonly relation: string;
  readonly to_kind: string;
  readonly to_id: string;
  /** RFC 3339. */
  readonly at: string;
  readonly holds: boolean;
  readonly source_id: string;
}

const factColumns = `from_kind text, from_id text, relation text, to_kind text, to_id text, at timestamptz,
  holds boolean, source_id text`;

/**
 * Adds observations; of several records that state the very same, the one with the smallest name stands, so
 * that the order of arrival leaves no trace. Marks what depends on the news. Gives how many are new.
 */
export async function writeFacts(
  client: pg.ClientBase,
  page: { readonly connection: string; readonly controlPlane: string; readonly facts: readonly StatedFact[] },
): Promise<number> {
  const rows = distinctFacts(page.facts);
  if (rows.length === 0) return 0;
  const { rows: written } = await client.query<Omit<FactRow, "at"> & { at: number; fresh: boolean }>(
    `INSERT INTO isochron.topology_fact AS stored
       (control_plane, from_kind, from_id, relation, to_kind, to_id, at, holds, connection, source_id)
     SELECT $1, from_kind, from_id, relation, to_kind, to_id, at, holds, $2, source_id
       FROM jsonb_to_recordset($3::jsonb) AS given (${factColumns})
     ON CONFLICT (control_plane, from_kind, from_id, relation, at, to_kind, to_id, holds) DO UPDATE
       SET connection = excluded.connection, source_id = excluded.source_id,
           recorded_xid = excluded.recorded_xid
     WHERE (excluded.connection, excluded.source_id) < (stored.connection, stored.source_id)
     RETURNING from_kind, from_id, relation, to_kind, to_id, at, holds, source_id, xmax = 0 AS fresh`,
    [page.controlPlane, page.connection, JSON.stringify(rows)],
  );
  if (written.length > 0) {
    const news = written.map((row) => ({ ...row, at: iso(row.at) }));
    await markDue(client, page.controlPlane, news);
  }
  return written.filter(({ fresh }) => fresh).length;
}

/** Sorted by key, so that concurrent pages never wait for each other in a circle. */
function distinctFacts(facts: readonly StatedFact[]): FactRow[] {
  const rows = new Map<string, FactRow>();
  for (const fact of facts) {
    const row: FactRow = {
      from_kind: fact.from.kind,
      from_id: fact.from.id,
      relation: fact.relation,
      to_kind: fact.to.kind,
      to_id: fact.to.id,
      at: iso(fact.at),
      holds: fact.holds,
      source_id: fact.sourceId,
    };
    const key = canonical([
      row.from_kind,
      row.from_id,
      row.relation,
      row.to_kind,
      row.to_id,
      row.at,
      row.holds,
    ]);
    const known = rows.get(key);
    if (known === undefined || compareText(row.source_id, known.source_id) < 0) rows.set(key, row);
  }
  return [...rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}

/**
 * From when on each new observation can change answers: from the observation before it (what lay between
 * the two is known better now), from the start of that one's run where it said something else, or from ever
 * where there was none before. An observation amid equal ones changes nothing.
 */
async function markDue(client: pg.ClientBase, controlPlane: string, news: readonly FactRow[]): Promise<void> {
  await client.query(
    `WITH fact AS (
       SELECT given.*, relation = ANY($3::text[]) AS plural
         FROM jsonb_to_recordset($2::jsonb) AS given (${factColumns})
     ), placed AS (
       SELECT fact.*, before.at AS before_at,
              before.at IS NOT NULL AND (before.to_kind, before.to_id, before.holds) = (fact.to_kind, fact.to_id, fact.holds) AS before_same,
              run.at AS run_at,
              after.at IS NULL OR (after.to_kind, after.to_id, after.holds) = (fact.to_kind, fact.to_id, fact.holds) AS after_same
         FROM fact
         LEFT JOIN LATERAL (
           SELECT f.at, f.to_kind, f.to_id, f.holds FROM isochron.topology_fact f
            WHERE f.control_plane = $1 AND f.from_kind = fact.from_kind AND f.from_id = fact.from_id
              AND f.relation = fact.relation AND f.at < fact.at
              AND (NOT fact.plural OR (f.to_kind, f.to_id) = (fact.to_kind, fact.to_id))
            ORDER BY f.at DESC, f.to_kind DESC, f.to_id DESC, f.holds DESC LIMIT 1) AS before ON true
         LEFT JOIN LATERAL (
           SELECT f.at, f.to_kind, f.to_id, f.holds FROM isochron.topology_fact f
            WHERE f.control_plane = $1 AND f.from_kind = fact.from_kind AND f.from_id = fact.from_id
              AND f.relation = fact.relation AND f.at >= fact.at
              AND (NOT fact.plural OR (f.to_kind, f.to_id) = (fact.to_kind, fact.to_id))
              AND NOT ((f.at, f.to_kind, f.to_id, f.holds) = (fact.at, fact.to_kind, fact.to_id, fact.holds))
            ORDER BY f.at, f.to_kind, f.to_id, f.holds LIMIT 1) AS after ON true
         LEFT JOIN LATERAL (
           SELECT max(f.at) AS at FROM isochron.topology_fact f
            WHERE f.control_plane = $1 AND f.from_kind = fact.from_kind AND f.from_id = fact.from_id
              AND f.relation = fact.relation AND f.at < before.at
              AND (NOT fact.plural OR (f.to_kind, f.to_id) = (fact.to_kind, fact.to_id))
              AND NOT ((f.to_kind, f.to_id, f.holds) = (before.to_kind, before.to_id, before.holds))) AS run ON true
     ), dated AS (
       SELECT placed.*,
              CASE WHEN relation = ANY($4::text[]) THEN '-infinity'::timestamptz
                   WHEN before_at IS NULL THEN CASE WHEN relation = ANY($5::text[]) THEN at ELSE '-infinity' END
                   WHEN before_same THEN before_at
                   -- The run before it has ended, which is news for all of that run.
                   ELSE coalesce(run_at, '-infinity') END AS since
         FROM placed
        WHERE NOT (before_same AND after_same AND NOT relation = ANY($4::text[]))
     ), marked AS (
       SELECT from_kind || ':' || from_id AS entity_key, since FROM dated
       UNION ALL
       SELECT to_kind || ':' || to_id, since FROM dated WHERE NOT to_kind = ANY($6::text[])
     )
     INSERT INTO isochron.reattribution_due AS due (control_plane, entity_key, since)
     SELECT $1, entity_key, min(since) FROM marked GROUP BY entity_key ORDER BY entity_key COLLATE "C"
     ON CONFLICT (control_plane, entity_key) DO UPDATE
       SET since = least(due.since, excluded.since),
           after_id = CASE WHEN excluded.since <= due.since THEN '' ELSE due.after_id END,
           marked_xid = excluded.marked_xid`,
    [controlPlane, JSON.stringify(news), pluralRelations, timeless, notExtended, hubKinds],
  );
}

/**
 * Notes what each event's answer depends on; where facts arrived that the page's view cannot have seen
 * (`topologyMark`), the event is due at once.
 */
export async function writePending(
  client: pg.ClientBase,
  controlPlane: string,
  events: Iterable<{
    readonly row: Pick<PlannedEvent["row"], "id" | "occurred_at">;
    readonly dependsOn: PlannedEvent["dependsOn"];
  }>,
  topologyMark: string | undefined,
): Promise<void> {
  const rows = [...events].flatMap(({ row, dependsOn }) =>
    [...dependsOn].map((key) => ({ entity_key: key, occurred_at: iso(row.occurred_at), event_id: row.id })),
  );
  if (rows.length === 0) return;
  await client.query(
    `INSERT INTO isochron.pending_attribution (control_plane, entity_key, occurred_at, event_id)
     SELECT $1, entity_key, at::timestamptz, event_id
       FROM unnest($2::text[], $3::text[], $4::text[]) AS given (entity_key, at, event_id)
      ORDER BY entity_key COLLATE "C", at::timestamptz, event_id COLLATE "C"
     ON CONFLICT DO NOTHING`,
    [
      controlPlane,
      rows.map((row) => row.entity_key),
      rows.map((row) => row.occurred_at),
      rows.map((row) => row.event_id),
    ],
  );
  if (topologyMark !== undefined) await markMissed(client, controlPlane, rows, topologyMark);
}

async function markMissed(
  client: pg.ClientBase,
  controlPlane: string,
  rows: readonly { entity_key: string; occurred_at: string }[],
  topologyMark: string,
): Promise<void> {
  await client.query(
    `WITH news AS MATERIALIZED (
       SELECT * FROM isochron.topology_fact
        WHERE control_plane = $1 AND recorded_xid >= pg_snapshot_xmin($3::pg_snapshot)
          AND recorded_xid <> pg_current_xact_id()
          AND NOT pg_visible_in_snapshot(recorded_xid, $3::pg_snapshot)
     ), touched AS (
       SELECT from_kind || ':' || from_id AS entity_key FROM news
       UNION
       SELECT to_kind || ':' || to_id FROM news WHERE NOT to_kind = ANY($4::text[])
     )
     INSERT INTO isochron.reattribution_due AS due (control_plane, entity_key, since)
     SELECT $1, entity_key, min(occurred_at)
       FROM jsonb_to_recordset($2::jsonb) AS given (entity_key text, occurred_at timestamptz)
       JOIN touched USING (entity_key)
      GROUP BY entity_key ORDER BY entity_key COLLATE "C"
     ON CONFLICT (control_plane, entity_key) DO UPDATE
       SET since = least(due.since, excluded.since),
           after_id = CASE WHEN excluded.since <= due.since THEN '' ELSE due.after_id END,
           marked_xid = excluded.marked_xid`,
    [controlPlane, JSON.stringify(rows), topologyMark, hubKinds],
  );
}
