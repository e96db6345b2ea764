import type pg from "pg";
import { IsochronError } from "../../errors.ts";
import type { Json } from "../../model/json.ts";
import type { Appended, EventStore, ResolvedPage } from "../event-store.ts";
import { iso } from "./event-writes.ts";

export interface ConnectionRow {
  readonly name: string;
  readonly source: string;
  readonly control_plane: string;
  readonly epoch: number;
  readonly complete_to: number | null;
  /** The same, unless it was said by an import alone and the far end was never heard. */
  readonly claimed_to: number | null;
  readonly last_success_at: number | null;
  /** The database's clock. */
  readonly now: number;
}

/** Makes the connection known. Throws `connection-mismatch`. */
export async function connect(
  client: pg.ClientBase,
  given: Parameters<EventStore["connect"]>[0],
): Promise<void> {
  await client.query(
    `INSERT INTO isochron.connection AS c (name, source, control_plane, config) VALUES ($1, $2, $3, $4)
     ON CONFLICT (name) DO NOTHING`,
    [given.name, given.source, given.controlPlane, JSON.stringify(given.config)],
  );
  const { rows } = await client.query<ConnectionRow>(
    "SELECT name, source, control_plane FROM isochron.connection WHERE name = $1",
    [given.name],
  );
  const [row] = rows;
  if (row?.source !== given.source || row.control_plane !== given.controlPlane) {
    throw new IsochronError(
      "connection-mismatch",
      `The connection ${given.name} stands for ${row?.source} on ${row?.control_plane}, not for ${given.source} on ${given.controlPlane}.`,
      "Choose another connection name with --connection, or the source that it was made with.",
    );
  }
  await client.query("UPDATE isochron.connection SET config = $2 WHERE name = $1 AND config <> $2::jsonb", [
    given.name,
    JSON.stringify(given.config),
  ]);
  if (given.expectWithinMs === undefined) return;
  // What was never heard is waited for from the moment on that something is expected of it.
  await client.query(
    `UPDATE isochron.connection
        SET expect_within_ms = $2::bigint,
            expect_since = CASE WHEN $2::bigint IS NULL THEN NULL ELSE coalesce(expect_since, clock_timestamp()) END
      WHERE name = $1 AND expect_within_ms IS DISTINCT FROM $2::bigint`,
    [given.name, given.expectWithinMs],
  );
}

/**
 * Locks the connection for the rest of the transaction, which makes its pages follow one another, and
 * proves the lease. Throws `fenced` and `source-unknown`.
 */
export async function holdConnection(
  client: pg.ClientBase,
  page: Pick<ResolvedPage, "connection" | "epoch">,
): Promise<ConnectionRow> {
  const { rows } = await client.query<ConnectionRow>(
    `SELECT name, source, control_plane, epoch, complete_to, ${ownClaim} AS claimed_to, last_success_at,
            clock_timestamp() AS now
       FROM isochron.connection WHERE name = $1 FOR UPDATE`,
    [page.connection],
  );
  const [row] = rows;
  if (row === undefined) {
    throw new IsochronError(
      "source-unknown",
      `There is no connection ${page.connection}.`,
      "Make it known before pages are appended to it.",
    );
  }
  if (page.epoch !== undefined && row.epoch !== page.epoch) {
    throw new IsochronError(
      "fenced",
      `The lease ${page.epoch} of ${page.connection} has passed on (now ${row.epoch}).`,
      "Nothing of the page was stored; the new holder reads it again.",
    );
  }
  return row;
}

export interface Progress {
  readonly appended: Omit<Appended, "refused">;
  /** Rejects that were not kept before. */
  readonly newlySetAside: number;
  readonly lastEventAt: number | undefined;
}

/**
 * Moves the connection's counts, its place and its lease along with the page. What was read elsewhere says nothing of
 * the source: an absence or a failure stands as it did, and so does what a source that was heard is complete to. Nothing
 * is complete beyond the clock that all workers share.
 */
export async function advance(client: pg.ClientBase, page: ResolvedPage, progress: Progress): Promise<void> {
  const { appended } = progress;
  await client.query(
    `UPDATE isochron.connection
        SET events = events + $2, folded = folded + $3, repeated = repeated + $4, revised = revised + $5,
            set_aside = set_aside + $6, expired = expired + $12,
            complete_to = CASE WHEN $11 AND last_heard_at IS NOT NULL THEN complete_to
                               WHEN $11 THEN greatest(complete_to, ${notBeyondNow("$7")})
                               ELSE greatest(${ownClaim}, ${notBeyondNow("$7")}) END,
            last_event_at = greatest(last_event_at, $8::timestamptz), late = late + $9,
            last_success_at = CASE WHEN $11 THEN last_success_at ELSE now() END,
            last_heard_at = CASE WHEN $11 THEN last_heard_at ELSE clock_timestamp() END,
            last_error = CASE WHEN $11 THEN last_error END, last_error_at = CASE WHEN $11 THEN last_error_at END,
            lease_until = CASE WHEN $10 THEN clock_timestamp() + lease_ms * interval '1 millisecond' ELSE lease_until END
      WHERE name = $1`,
    [
      page.connection,
      appended.created,
      appended.folded,
      appended.repeated,
      appended.revised,
      progress.newlySetAside,
      page.completeTo === undefined ? null : iso(page.completeTo),
      progress.lastEventAt === undefined ? null : iso(progress.lastEventAt),
      page.reconciling === true ? 0 : appended.late,
      page.epoch !== undefined,
      page.secondHand === true,
      appended.expired ?? 0,
    ],
  );
  if (page.cursor === undefined) return;
  await client.query(
    `INSERT INTO isochron.connection_cursor (connection, stream, value) VALUES ($1, $2, $3)
     ON CONFLICT (connection, stream) DO UPDATE SET value = excluded.value, saved_at = now()`,
    [page.connection, page.lane ?? page.stream, JSON.stringify(page.cursor)],
  );
}

/** An import speaks for its file only: what the far end says when it is first heard takes the place of that. */
export const ownClaim = "CASE WHEN last_heard_at IS NOT NULL THEN complete_to END";

/** Null stays null, so that it moves nothing. */
export function notBeyondNow(moment: string): string {
  return `CASE WHEN ${moment}::timestamptz > clock_timestamp() THEN clock_timestamp() ELSE ${moment}::timestamptz END`;
}

export async function readCursor(
  client: pg.ClientBase,
  connection: string,
  stream: string,
): Promise<Json | undefined> {
  const { rows } = await client.query<{ value: Json }>(
    "SELECT value FROM isochron.connection_cursor WHERE connection = $1 AND stream = $2",
    [connection, stream],
  );
  return rows[0]?.value;
}

/**
 * Takes the lease under the next epoch once nobody holds it. What remains of this very holder's own lease does not
 * stand in its way: a pass that could not hand it back is over. A connection that is just being written to has a holder.
 */
export async function takeLease(
  client: pg.ClientBase,
  lease: { connection: string; holder: string; ttlMs: number; restMs: number | undefined },
): Promise<number | undefined> {
  const { rows } = await client.query<{ epoch: number }>(
    `WITH free AS (
       SELECT name FROM isochron.connection
        WHERE name = $1 AND (lease_until IS NULL OR lease_until <= clock_timestamp() OR holder = $2)
          AND ($4::bigint IS NULL OR coalesce(${dueAt("$4")} <= clock_timestamp(), true))
          FOR UPDATE SKIP LOCKED)
     UPDATE isochron.connection AS c
        SET epoch = c.epoch + 1, holder = $2, lease_ms = $3::bigint,
            lease_until = clock_timestamp() + $3::bigint * interval '1 millisecond'
       FROM free WHERE c.name = free.name
     RETURNING c.epoch`,
    [lease.connection, lease.holder, lease.ttlMs, lease.restMs ?? null],
  );
  return rows[0]?.epoch;
}

/**
 * Makes the lease last again from now on; false when it has passed on. It never waits for a page that is just being
 * stored, since a stored page makes the lease last as well.
 */
export async function renewLease(client: pg.ClientBase, connection: string, epoch: number): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>(
    `WITH mine AS (
       SELECT name FROM isochron.connection WHERE name = $1 AND epoch = $2 AND holder IS NOT NULL
          FOR UPDATE SKIP LOCKED),
     renewed AS (
       UPDATE isochron.connection AS c
          SET lease_until = clock_timestamp() + c.lease_ms * interval '1 millisecond'
         FROM mine WHERE c.name = mine.name)
     SELECT EXISTS (SELECT FROM isochron.connection WHERE name = $1 AND epoch = $2 AND holder IS NOT NULL) AS held`,
    [connection, epoch],
  );
  return rows[0]?.held === true;
}

/** Hands the lease back; with `restMs` the connection rests from now on, else it stays due as it was. */
export async function releaseLease(
  client: pg.ClientBase,
  connection: string,
  epoch: number,
  restMs: number | undefined,
): Promise<void> {
  await client.query(
    `UPDATE isochron.connection
        SET lease_until = NULL, holder = NULL,
            passed_at = CASE WHEN $3::bigint IS NULL THEN passed_at ELSE clock_timestamp() END,
            rest_ms = coalesce($3::bigint, rest_ms)
      WHERE name = $1 AND epoch = $2`,
    [connection, epoch, restMs ?? null],
  );
}

/** In how many milliseconds the connection will be free and due, if nobody does anything until then; 0 for now. */
export async function readWait(
  client: pg.ClientBase,
  connection: string,
  holder: string,
  restMs: number,
): Promise<number> {
  const { rows } = await client.query<{ wait: number }>(
    `SELECT ceil(greatest(0, extract(epoch FROM greatest(
              CASE WHEN holder = $2 THEN NULL ELSE lease_until END, ${dueAt("$3")}) - clock_timestamp()) * 1000))::float8 AS wait
       FROM isochron.connection WHERE name = $1`,
    [connection, holder, restMs],
  );
  return rows[0]?.wait ?? 0;
}

/** A shorter rest than the one that was noted counts, so that a shortened interval holds at once; null is due now. */
function dueAt(restMs: string): string {
  return `(passed_at + least(rest_ms, ${restMs}::bigint) * interval '1 millisecond')`;
}

/** Forgets a lane's cursor. Throws `fenced`. */
export async function forgetLane(
  client: pg.ClientBase,
  lane: { connection: string; lane: string; epoch: number },
): Promise<void> {
  await holdConnection(client, lane);
  await client.query("DELETE FROM isochron.connection_cursor WHERE connection = $1 AND stream = $2", [
    lane.connection,
    lane.lane,
  ]);
}

/** With an epoch, nothing once that lease has passed on. */
export async function reportHealth(
  client: pg.ClientBase,
  connection: string,
  error: string | undefined,
  epoch: number | undefined,
): Promise<void> {
  await client.query(
    `UPDATE isochron.connection
        SET last_error = $2, last_error_at = CASE WHEN $2::text IS NULL THEN NULL ELSE now() END,
            last_success_at = CASE WHEN $2::text IS NULL THEN now() ELSE last_success_at END
      WHERE name = $1 AND ($3::bigint IS NULL OR epoch = $3::bigint)`,
    [connection, error?.toWellFormed().replaceAll("\0", "\\0") ?? null, epoch ?? null],
  );
}
