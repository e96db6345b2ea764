import type pg from "pg";
import type { StatedFact } from "../event-store.ts";
import { canonical, compareText } from "./canonical.ts";
import { iso } from "./event-writes.ts";

export interface FactRow {
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

export const factColumns = `from_kind text, from_id text, relation text, to_kind text, to_id text, at timestamptz,
  holds boolean, source_id text`;

/** A fact that is new, or of which another record now tells. */
export interface NewsRow extends FactRow {
  readonly fresh: boolean;
}

export interface WrittenFacts {
  /** How many are new. */
  readonly fresh: number;
  readonly news: readonly NewsRow[];
}

/**
 * Adds observations; of several records that state the very same, the one with the smallest name stands, so
 * that the order of arrival leaves no trace. Marks what depends on the news. Gives how many are new.
 */
export async function writeFacts(
  client: pg.ClientBase,
  page: { readonly connection: string; readonly controlPlane: string; readonly facts: readonly StatedFact[] },
): Promise<WrittenFacts> {
  const rows = distinctFacts(page.facts);
  if (rows.length === 0) return { fresh: 0, news: [] };
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
  return {
    fresh: written.filter(({ fresh }) => fresh).length,
    news: written.map((row) => ({ ...row, at: iso(row.at) })),
  };
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
