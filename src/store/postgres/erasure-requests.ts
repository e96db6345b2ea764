import { randomBytes } from "node:crypto";
import type pg from "pg";
import { instant, type Instant } from "../../model/instant.ts";
import { noErasureCounts, type ErasureCounts, type ErasureTarget } from "../../model/retention.ts";
import type { ErasureRecord, RetentionStore } from "../retention-store.ts";
import { canonical } from "./canonical.ts";
import { iso } from "./event-writes.ts";
import { holdRetention } from "./retention.ts";
import type { Tombstones } from "./retention-tombstones.ts";

interface ErasureRow {
  readonly id: string;
  readonly target: ErasureTarget | null;
  readonly why: string;
  readonly asked_by: string;
  readonly asked_at: number;
  readonly done_at: number | null;
  readonly held: number;
  readonly counts: Partial<ErasureCounts>;
}

const columns = "id, target, why, asked_by, asked_at, done_at, held, counts";

function toRecord(row: ErasureRow): ErasureRecord {
  return {
    id: row.id,
    ...(row.target === null ? {} : { target: row.target }),
    why: row.why,
    askedBy: row.asked_by,
    askedAt: instant(row.asked_at),
    ...(row.done_at === null ? {} : { doneAt: instant(row.done_at) }),
    counts: { ...noErasureCounts, ...row.counts, held: row.held },
  };
}

/** The latest first. */
export async function listErasures(client: pg.ClientBase): Promise<readonly ErasureRecord[]> {
  const { rows } = await client.query<ErasureRow>(
    `SELECT ${columns} FROM isochron.erasure ORDER BY asked_at DESC, id`,
  );
  return rows.map(toRecord);
}

export async function readErasure(client: pg.ClientBase, id: string): Promise<ErasureRecord | undefined> {
  const { rows } = await client.query<ErasureRow>(`SELECT ${columns} FROM isochron.erasure WHERE id = $1`, [
    id,
  ]);
  return rows[0] === undefined ? undefined : toRecord(rows[0]);
}

export async function requestErasure(
  client: pg.ClientBase,
  tombstones: Tombstones,
  { target, why, by, at }: Parameters<RetentionStore["requestErasure"]>[0],
): Promise<ErasureRecord> {
  await tombstones.check(client);
  const { rows } = await client.query<ErasureRow>(
    `INSERT INTO isochron.erasure (id, target, target_hash, why, asked_by, asked_at)
     VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${columns}`,
    [
      `erasure_${randomBytes(10).toString("hex")}`,
      JSON.stringify(target),
      tombstones.hash(["target", canonical(target)]),
      why,
      by,
      iso(at),
    ],
  );
  return toRecord(rows[0]!);
}

/** Notes what an erasure took so far; when nothing holds it back any more, nothing tells whom it was of. */
export async function noteErasure(
  client: pg.ClientBase,
  id: string,
  outcome: { readonly counts: ErasureCounts; readonly readers: readonly string[]; readonly now: Instant },
): Promise<void> {
  const { counts, readers, now } = outcome;
  const { held, ...taken } = counts;
  await client.query(
    `UPDATE isochron.erasure
        SET counts = $2, held = $3, target = CASE WHEN $3::bigint = 0 THEN NULL ELSE target END,
            done_at = CASE WHEN $3::bigint = 0 THEN $4::timestamptz END, reader_keys = $5
      WHERE id = $1`,
    [id, JSON.stringify(taken), held, iso(now), readers],
  );
}

/** Streams have had their time to hear of what was retracted; what told it names the erased. */
export async function forgetReaders(
  client: pg.ClientBase,
  epoch: number,
  doneBefore: Instant,
): Promise<number> {
  await holdRetention(client, epoch);
  const { rows } = await client.query<{ id: string; reader_keys: string[] }>(
    `SELECT id, reader_keys FROM isochron.erasure
      WHERE done_at <= $1 AND cardinality(reader_keys) > 0 FOR UPDATE`,
    [iso(doneBefore)],
  );
  const keys = rows.flatMap((row) => row.reader_keys);
  await client.query(
    "DELETE FROM isochron.retraction WHERE reader_key = ANY($1::text[]) OR tenant_key = ANY($1::text[])",
    [keys],
  );
  await client.query("UPDATE isochron.erasure SET reader_keys = '{}' WHERE id = ANY($1::text[])", [
    rows.map(({ id }) => id),
  ]);
  return rows.length;
}
