import type pg from "pg";
import { instant, type Instant } from "../../model/instant.ts";
import type { AsTenant, MendedGlass, SessionRecord, SessionStore } from "../session-store.ts";
import { iso } from "./event-writes.ts";
import type { Pools } from "./pools.ts";

interface SessionRow {
  readonly hash: Buffer;
  readonly through: string;
  readonly subject: string;
  readonly name: string;
  readonly sealed_credential: Buffer | null;
  readonly looks_as: AsTenant | null;
  readonly created_at: number;
  readonly used_at: number;
  readonly expires_at: number;
  readonly ended_at: number | null;
  readonly glass_broken_at: number | null;
  readonly glass_until: number | null;
  readonly glass_why: string | null;
}

const columns =
  "hash, through, subject, name, sealed_credential, looks_as, created_at, used_at, expires_at, glass_broken_at, glass_until, glass_why";

/** Sessions; only the ingest login reaches them. */
export function sessionStore(pools: Pools): SessionStore {
  const change = async (sql: string, values: unknown[]): Promise<boolean> => {
    const { rowCount } = await pools.transact("ingest", "write", (client) => client.query(sql, values));
    return rowCount !== 0;
  };
  return {
    create: async (session) => {
      await change(
        `INSERT INTO isochron.session (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
        valuesOf(session),
      );
    },
    find: async (hash) => {
      const { rows } = await pools.transact("ingest", "each", (client) =>
        client.query<SessionRow>(`SELECT ${columns}, ended_at FROM isochron.session WHERE hash = $1`, [
          Buffer.from(hash),
        ]),
      );
      return rows[0] === undefined ? undefined : toRecord(rows[0]);
    },
    use: async (hash, at) => {
      await change("UPDATE isochron.session SET used_at = greatest(used_at, $2) WHERE hash = $1", [
        Buffer.from(hash),
        iso(at),
      ]);
    },
    end: (hash, at) =>
      change("UPDATE isochron.session SET ended_at = $2 WHERE hash = $1 AND ended_at IS NULL", [
        Buffer.from(hash),
        iso(at),
      ]),
    replace: (hash, session, at) =>
      change(
        `WITH old AS (
           UPDATE isochron.session SET ended_at = $14, glass_told = glass_told OR $10::timestamptz IS NOT NULL
            WHERE hash = $13 AND ended_at IS NULL RETURNING glass_reads)
         INSERT INTO isochron.session (${columns}, glass_reads)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
                CASE WHEN $10::timestamptz IS NULL THEN 0 ELSE old.glass_reads END FROM old`,
        [...valuesOf(session), Buffer.from(hash), iso(at)],
      ),
    countGlassRead: async (hash) => {
      await change("UPDATE isochron.session SET glass_reads = glass_reads + 1 WHERE hash = $1", [
        Buffer.from(hash),
      ]);
    },
    takeMendedGlass: (at) => pools.transact("ingest", "write", (client) => takeMendedGlass(client, at)),
    sweep: async (before) => {
      await change(
        `DELETE FROM isochron.session
          WHERE (expires_at < $1 OR ended_at < $1) AND (glass_until IS NULL OR glass_told)`,
        [iso(before)],
      );
    },
  };
}

async function takeMendedGlass(client: pg.ClientBase, at: Instant): Promise<readonly MendedGlass[]> {
  const { rows } = await client.query<
    SessionRow & { glass_broken_at: number; glass_until: number; glass_why: string; glass_reads: number }
  >(
    `UPDATE isochron.session SET glass_told = true
      WHERE glass_until IS NOT NULL AND NOT glass_told
        AND (glass_until <= $1 OR expires_at <= $1 OR ended_at IS NOT NULL)
      RETURNING subject, name, glass_broken_at, least(glass_until, ended_at, expires_at) AS glass_until, glass_why,
                glass_reads`,
    [iso(at)],
  );
  return rows.map((row) => ({
    subject: row.subject,
    name: row.name,
    brokenAt: instant(row.glass_broken_at),
    until: instant(row.glass_until),
    why: row.glass_why,
    reads: row.glass_reads,
  }));
}

function valuesOf(session: SessionRecord): unknown[] {
  const { sealedCredential, as, glass } = session;
  return [
    Buffer.from(session.hash),
    session.through,
    session.subject,
    session.name,
    sealedCredential === undefined ? null : Buffer.from(sealedCredential),
    as === undefined ? null : JSON.stringify(as),
    iso(session.createdAt),
    iso(session.usedAt),
    iso(session.expiresAt),
    glass === undefined ? null : iso(glass.brokenAt),
    glass === undefined ? null : iso(glass.until),
    glass?.why ?? null,
  ];
}

function toRecord(row: SessionRow): SessionRecord {
  const { glass_broken_at: brokenAt, glass_until: until, glass_why: why } = row;
  return {
    hash: row.hash,
    through: row.through,
    subject: row.subject,
    name: row.name,
    ...(row.sealed_credential === null ? {} : { sealedCredential: row.sealed_credential }),
    ...(row.looks_as === null ? {} : { as: row.looks_as }),
    createdAt: instant(row.created_at),
    usedAt: instant(row.used_at),
    expiresAt: instant(row.expires_at),
    ...(row.ended_at === null ? {} : { endedAt: instant(row.ended_at) }),
    ...(brokenAt === null || until === null || why === null
      ? {}
      : { glass: { brokenAt: instant(brokenAt), until: instant(until), why } }),
  };
}
