import type { TestStore } from "./database.ts";

/** What is stored of sessions and tokens, read past the store. */

/** How many reads under broken glass are counted, for the reason, in the session that has it now. */
export async function glassReads({ sql }: TestStore, why: string): Promise<number | undefined> {
  const rows = await sql<{ reads: number }>(
    "SELECT glass_reads AS reads FROM isochron.session WHERE glass_why = $1 AND ended_at IS NULL",
    [why],
  );
  return rows[0]?.reads;
}

/** Every row of the table, as text. */
export async function rowsOf({ sql }: TestStore, table: "session" | "api_token"): Promise<string> {
  const rows = await sql<{ row: string }>(`SELECT kept::text AS row FROM isochron.${table} AS kept`);
  return rows.map(({ row }) => row).join("\n");
}

export async function countSessions({ sql }: TestStore): Promise<number> {
  const [row] = await sql<{ count: number }>("SELECT count(*)::integer AS count FROM isochron.session");
  return row?.count ?? 0;
}

/** Of each session of the subject, whether it has ended. */
export async function sessionsEnded({ sql }: TestStore, subject: string): Promise<readonly boolean[]> {
  const rows = await sql<{ ended: boolean }>(
    "SELECT ended_at IS NOT NULL AS ended FROM isochron.session WHERE subject = $1",
    [subject],
  );
  return rows.map(({ ended }) => ended);
}
