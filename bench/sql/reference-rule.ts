import type pg from "pg";

/**
 * How the reference timeline reads a table, after its published harvester: rows beyond the highest serial id that it
 * has seen, of those that are terminal now, at most `limit` at a time.
 */
export interface Rule {
  readonly table: string;
  readonly terminal: string;
}

/** Where the rule stands in a table, and the ids that it found. */
export interface RulePlace {
  last: number;
  readonly seen: Set<number>;
}

export const rules: readonly Rule[] = [
  { table: "backup_history", terminal: "status IN ('completed', 'failed')" },
  { table: "runbook_executions", terminal: "status IN ('completed', 'failed')" },
  { table: "snapshot_records", terminal: "status IN ('OK', 'ERROR')" },
  { table: "operational_insights", terminal: "status = 'resolved'" },
  { table: "support_tickets", terminal: "status = 'resolved'" },
];

const limit = 500;

/** One pass of the rule, until nothing more is found. */
export async function readByRule(
  { table, terminal }: Rule,
  client: pg.Client,
  places: Map<string, RulePlace>,
): Promise<void> {
  const place = places.get(table) ?? { last: 0, seen: new Set() };
  places.set(table, place);
  for (let found = limit; found === limit;) {
    const { rows } = await client.query<{ id: string }>(
      `SELECT id FROM ${table} WHERE id > $1 AND ${terminal} ORDER BY id LIMIT ${limit}`,
      [place.last],
    );
    found = rows.length;
    for (const { id } of rows) {
      place.seen.add(Number(id));
      place.last = Math.max(place.last, Number(id));
    }
  }
}
