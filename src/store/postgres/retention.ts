import type pg from "pg";
import { randomBytes } from "node:crypto";
import { IsochronError } from "../../errors.ts";
import type { Attribution, Visibility } from "../../model/event.ts";
import { instant, type Instant } from "../../model/instant.ts";
import {
  findPast,
  keysOf,
  latestCutoff,
  type EventParts,
  type LegalHold,
  type RetentionPolicy,
} from "../../model/retention.ts";
import { parseTenantKey, type TenantKey } from "../../model/tenant.ts";
import type { ExpiredBatch } from "../retention-store.ts";
import { tenantsOf } from "./erasure-door.ts";
import { iso } from "./event-writes.ts";
import { removeEvents, removeParts, type RemovableEvent } from "./retention-removal.ts";
import type { Tombstones } from "./retention-tombstones.ts";

const dayMs = 86_400_000;
const stormMs = 60_000;

/** Takes the lease of retention and erasure under the next epoch; the database's clock decides. No erasure that was broken off waits for the rest to end. */
export async function takeRetention(
  client: pg.ClientBase,
  holder: string,
  ttlMs: number,
  restMs: number | undefined,
): Promise<number | undefined> {
  const { rows } = await client.query<{ epoch: number }>(
    `UPDATE isochron.retention_state
        SET epoch = epoch + 1, holder = $1, lease_until = clock_timestamp() + $2::bigint * interval '1 millisecond'
      WHERE (lease_until IS NULL OR lease_until <= clock_timestamp() OR holder = $1)
        AND ($3::bigint IS NULL OR passed_at IS NULL OR passed_at + $3::bigint * interval '1 millisecond' <= clock_timestamp()
             OR EXISTS (SELECT FROM isochron.erasure WHERE done_at IS NULL AND held = 0))
     RETURNING epoch`,
    [holder, ttlMs, restMs ?? null],
  );
  return rows[0]?.epoch;
}

export async function releaseRetention(client: pg.ClientBase, epoch: number, passed: boolean): Promise<void> {
  await client.query(
    `UPDATE isochron.retention_state
        SET lease_until = NULL, holder = NULL, passed_at = CASE WHEN $2 THEN clock_timestamp() ELSE passed_at END
      WHERE epoch = $1`,
    [epoch, passed],
  );
}

export interface HeldState {
  readonly after_at: string;
  readonly after_id: string;
}

/** Proves the lease and makes it last; whoever places a hold waits for the end of this transaction. Throws `fenced`. */
export async function holdRetention(client: pg.ClientBase, epoch: number): Promise<HeldState> {
  const { rows } = await client.query<HeldState>(
    `UPDATE isochron.retention_state SET lease_until = greatest(lease_until, clock_timestamp() + interval '60 seconds')
      WHERE epoch = $1 AND holder IS NOT NULL RETURNING after_at::text AS after_at, after_id`,
    [epoch],
  );
  if (rows[0] !== undefined) return rows[0];
  throw new IsochronError(
    "fenced",
    `The lease ${epoch} of retention has passed on.`,
    "Nothing needs to be done: the new holder goes on from where this one was.",
  );
}

/** A row of `event` as far as retention looks at it. */
export interface PartsRow extends RemovableEvent {
  readonly connection: string;
  readonly control_plane: string;
  readonly visibility: Visibility;
  readonly is_storm: boolean;
  readonly mentions: readonly string[];
  readonly attribution: Attribution;
}

export const partsColumns = `e.id, e.occurred_at, e.connection, e.control_plane, e.visibility, e.mentions, e.attribution,
  e.edition_keys, e.edition_ids, e.details ? 'storm' AS is_storm`;

interface BatchOrder {
  readonly epoch: number;
  readonly policy: RetentionPolicy;
  readonly now: Instant;
  readonly limit: number;
}

/** One batch: looks at the next events and deletes what of them is past. */
export async function expireBatch(
  client: pg.ClientBase,
  tombstones: Tombstones,
  { epoch, policy, now, limit }: BatchOrder,
): Promise<ExpiredBatch> {
  const { after_at: afterAt, after_id: afterId } = await holdRetention(client, epoch);
  const cutoff = latestCutoff(policy, now);
  const none = { looked: 0, events: 0, editions: 0, done: true };
  if (cutoff === undefined) return none;
  await tombstones.check(client);
  const next = await client.query<{ id: string; occurred_at: number; connection: string }>(
    `SELECT e.id, e.occurred_at, e.connection FROM isochron.event e
      WHERE e.occurred_at < $1 AND (e.occurred_at, e.id) > ($2::timestamptz, $3)
      ORDER BY e.occurred_at, e.id LIMIT $4`,
    [iso(cutoff), afterAt, afterId, limit],
  );
  // The order of locks of a page: its connection before anything else.
  await holdConnections(
    client,
    next.rows.map(({ connection }) => connection),
  );
  const rows = await loadParts(
    client,
    next.rows.map(({ id }) => id),
    next.rows.map((row) => row.occurred_at),
  );
  const holds = await readHolds(client);
  const parts = await toParts(client, rows, holds);
  const past = rows.map((row, at) => ({ row, past: findPast(policy, holds, now, parts[at]!) }));
  const whole = past.filter((one) => one.past.event).map(({ row }) => row);
  const partly = past
    .filter((one) => !one.past.event && one.past.editions.length > 0)
    .map(({ row, past: { editions } }) => ({ event: row, editions }));
  const removed = await removeEvents(client, tombstones, whole, "expired");
  const editions = await removeParts(client, tombstones, partly, "expired");
  const last = next.rows.at(-1);
  const done = next.rows.length < limit;
  await client.query(
    "UPDATE isochron.retention_state SET after_at = coalesce($1::timestamptz, '-infinity'), after_id = $2",
    done || last === undefined ? [null, ""] : [iso(last.occurred_at), last.id],
  );
  return {
    looked: rows.length,
    events: whole.length,
    editions: editions + removed.editions,
    done,
  };
}

export async function holdConnections(client: pg.ClientBase, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await client.query(
    "SELECT FROM isochron.connection WHERE name = ANY($1::text[]) ORDER BY name FOR UPDATE",
    [[...new Set(names)]],
  );
}

async function loadParts(
  client: pg.ClientBase,
  ids: readonly string[],
  times: readonly number[],
): Promise<readonly PartsRow[]> {
  if (ids.length === 0) return [];
  const { rows } = await client.query<PartsRow>(
    `SELECT ${partsColumns} FROM isochron.event e
      WHERE e.id = ANY($1::text[]) AND e.occurred_at = ANY($2::timestamptz[]) ORDER BY e.id FOR UPDATE`,
    [ids, [...new Set(times.map(iso))]],
  );
  return rows;
}

/** What retention and holds go by, for each row; the members of a storm are mentioned where a hold is of a resource. */
export async function toParts(
  client: pg.ClientBase,
  rows: readonly PartsRow[],
  holds: readonly LegalHold[],
): Promise<readonly EventParts[]> {
  const { rows: editions } = await client.query<{
    tenant_key: string;
    id: string;
    domain_key: string | null;
    visibility: Visibility;
  }>(
    `SELECT t.tenant_key, t.id, t.domain_key, t.visibility
       FROM jsonb_to_recordset($1::jsonb) AS given (tenant_key text, id text, occurred_at timestamptz)
       JOIN isochron.tenant_event t USING (tenant_key, id, occurred_at)`,
    [
      JSON.stringify(
        rows.flatMap((row) =>
          row.edition_keys.map((key, at) => ({
            tenant_key: key,
            id: row.edition_ids[at],
            occurred_at: iso(row.occurred_at),
          })),
        ),
      ),
    ],
  );
  const shown = new Map(editions.map((one) => [`${one.tenant_key}\n${one.id}`, one]));
  const inStorm = await membersMentioned(client, rows, holds);
  return rows.map((row): EventParts => {
    const owner = row.attribution.status === "owned" ? row.attribution.tenant : undefined;
    // Those whose it may be as well: whatever is found of them later, a hold on them has kept it.
    const affected = row.attribution.status === "owned" ? [] : tenantsOf(row.attribution);
    return {
      controlPlane: row.control_plane,
      occurredAt: row.occurred_at,
      lastAt: row.is_storm ? row.occurred_at + stormMs : row.occurred_at,
      visibility: row.visibility,
      ...(owner === undefined ? {} : { owner }),
      affected: affected.flatMap(keysOf),
      mentions: [...row.mentions, ...(inStorm.get(row.id) ?? [])],
      editions: row.edition_keys.map((key, at) => {
        const edition = shown.get(`${key}\n${row.edition_ids[at]}`);
        return {
          key,
          ...(edition?.domain_key == null ? {} : { domainKey: edition.domain_key }),
          visibility: edition?.visibility ?? row.visibility,
        };
      }),
    };
  });
}

async function membersMentioned(
  client: pg.ClientBase,
  rows: readonly PartsRow[],
  holds: readonly LegalHold[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const keys = holds.flatMap(({ target }) => (target.kind === "resource" ? [target.entityKey] : []));
  const folds = rows.filter((row) => row.is_storm).map(({ id }) => id);
  if (keys.length === 0 || folds.length === 0) return new Map();
  const { rows: found } = await client.query<{ fold_id: string; keys: string[] }>(
    `SELECT fold_id, array_agg(DISTINCT held) AS keys
       FROM isochron.storm_member m CROSS JOIN unnest($2::text[]) AS held
      WHERE m.fold_id = ANY($1::text[])
        AND (m.subject_key = held
             OR EXISTS (SELECT FROM json_array_elements(m.draft -> 'related') AS r
                         WHERE (r #>> '{ref,kind}') || ':' || (r #>> '{ref,id}') = held))
      GROUP BY fold_id`,
    [folds, keys],
  );
  return new Map(found.map((row) => [row.fold_id, row.keys]));
}

/** Deletes the oldest records set aside that are past their own retention, but for what names one who is held. */
export async function expireSetAsideBatch(
  client: pg.ClientBase,
  tombstones: Tombstones,
  { epoch, policy, now, limit }: BatchOrder,
): Promise<number> {
  await holdRetention(client, epoch);
  if (policy.setAsideDays === undefined) return 0;
  const holds = (await readHolds(client)).filter(({ lifted }) => lifted === undefined);
  const { rows } = await client.query<{ id: string }>(
    `SELECT s.id FROM isochron.set_aside s
      WHERE s.received_at < $1
        AND NOT EXISTS (SELECT FROM unnest($2::bytea[]) AS held WHERE position(held IN s.bytes) > 0)
      ORDER BY s.received_at, s.id LIMIT $3 FOR UPDATE`,
    [
      iso(now - policy.setAsideDays * dayMs),
      holds.flatMap(heldWords).map((word) => Buffer.from(word)),
      limit,
    ],
  );
  await removeSetAside(
    client,
    tombstones,
    rows.map(({ id }) => id),
    "expired",
  );
  return rows.length;
}

export async function removeSetAside(
  client: pg.ClientBase,
  tombstones: Tombstones,
  ids: readonly string[],
  reason: "expired" | "erased",
): Promise<void> {
  if (ids.length === 0) return;
  const { rows } = await client.query<{ connection: string; hash: string }>(
    "SELECT connection, encode(sha256(bytes), 'hex') AS hash FROM isochron.set_aside WHERE id = ANY($1::text[])",
    [reason === "erased" ? ids : []],
  );
  await tombstones.write(
    client,
    [
      ...ids.map((id) => ["set-aside", id] as const),
      // A broker delivers it again under another position.
      ...rows.map(({ connection, hash }) => ["set-aside-bytes", connection, hash] as const),
    ],
    reason,
  );
  await client.query("DELETE FROM isochron.set_aside WHERE id = ANY($1::text[])", [ids]);
}

/** The ids that a hold is about; a record that nobody could read is held where it has one of them. */
export function heldWords({ target }: LegalHold): readonly string[] {
  if (target.kind === "resource") return [target.entityKey.slice(target.entityKey.indexOf(":") + 1)];
  return target.keys.flatMap((key) => {
    const { projectId, domainId } = parseTenantKey(key);
    return [projectId ?? domainId ?? []].flat();
  });
}

interface HoldRow {
  readonly id: string;
  readonly tenant_keys: TenantKey[];
  readonly label: string;
  readonly control_plane: string | null;
  readonly entity_key: string | null;
  readonly hold_from: number | null;
  readonly hold_to: number | null;
  readonly why: string;
  readonly placed_by: string;
  readonly placed_at: number;
  readonly lifted_by: string | null;
  readonly lifted_why: string | null;
  readonly lifted_at: number | null;
}

/** All holds, those that were lifted too, the latest first. */
export async function readHolds(client: pg.ClientBase): Promise<readonly LegalHold[]> {
  const { rows } = await client.query<HoldRow>(
    "SELECT * FROM isochron.legal_hold ORDER BY placed_at DESC, id",
  );
  return rows.map(toHold);
}

function toHold(row: HoldRow): LegalHold {
  const { control_plane: controlPlane, entity_key: entityKey } = row;
  return {
    id: row.id,
    target:
      controlPlane === null || entityKey === null
        ? { kind: "tenant", label: row.label, keys: row.tenant_keys }
        : { kind: "resource", controlPlane, entityKey },
    ...(row.hold_from === null ? {} : { from: instant(row.hold_from) }),
    ...(row.hold_to === null ? {} : { to: instant(row.hold_to) }),
    why: row.why,
    placedBy: row.placed_by,
    placedAt: instant(row.placed_at),
    ...(row.lifted_by === null || row.lifted_why === null || row.lifted_at === null
      ? {}
      : { lifted: { by: row.lifted_by, why: row.lifted_why, at: instant(row.lifted_at) } }),
  };
}

/** Waits for the batch that is under way; every later one sees the hold. */
export async function placeHold(
  client: pg.ClientBase,
  { target, from, to, why, placedBy, placedAt }: Omit<LegalHold, "id" | "lifted">,
): Promise<LegalHold> {
  await client.query("SET LOCAL lock_timeout = '25s'");
  await client.query("SELECT FROM isochron.retention_state FOR UPDATE");
  const { rows } = await client.query<HoldRow>(
    `INSERT INTO isochron.legal_hold (id, tenant_keys, label, control_plane, entity_key, hold_from, hold_to, why, placed_by, placed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *`,
    [
      `hold_${randomBytes(10).toString("hex")}`,
      target.kind === "tenant" ? target.keys : [],
      target.kind === "tenant" ? target.label : target.entityKey,
      target.kind === "tenant" ? null : target.controlPlane,
      target.kind === "tenant" ? null : target.entityKey,
      from === undefined ? null : iso(from),
      to === undefined ? null : iso(to),
      why,
      placedBy,
      iso(placedAt),
    ],
  );
  return toHold(rows[0]!);
}

export async function liftHold(
  client: pg.ClientBase,
  id: string,
  { by, why, at }: NonNullable<LegalHold["lifted"]>,
): Promise<LegalHold | undefined> {
  const { rows } = await client.query<HoldRow>(
    `UPDATE isochron.legal_hold SET lifted_by = $2, lifted_why = $3, lifted_at = $4
      WHERE id = $1 AND lifted_at IS NULL RETURNING *`,
    [id, by, why, iso(at)],
  );
  return rows[0] === undefined ? undefined : toHold(rows[0]);
}

export async function dropEmptyWeeks(
  client: pg.ClientBase,
  epoch: number,
  policy: RetentionPolicy,
  now: Instant,
): Promise<number> {
  await holdRetention(client, epoch);
  const cutoff = latestCutoff(policy, now);
  if (cutoff === undefined) return 0;
  const { rows } = await client.query<{ count: number }>("SELECT isochron.drop_empty_weeks($1) AS count", [
    iso(cutoff),
  ]);
  return rows[0]?.count ?? 0;
}
