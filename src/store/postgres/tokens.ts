import { randomBytes } from "node:crypto";
import { instant } from "../../model/instant.ts";
import type { TokenRecord, TokenScope, TokenStore } from "../token-store.ts";
import { iso } from "./event-writes.ts";
import type { Pools } from "./pools.ts";

interface TokenRow {
  readonly id: string;
  readonly name: string;
  readonly scope: TokenScope;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  readonly used_on: string | null;
  readonly made_by: string | null;
}

interface FoundRow extends TokenRow {
  readonly used_today: boolean;
}

const columns = "id, name, scope, created_at, expires_at, revoked_at, used_on::text AS used_on, made_by";

export function tokenStore(pools: Pools): TokenStore {
  const query = async (
    mode: "read" | "write",
    sql: string,
    values: unknown[],
  ): Promise<readonly TokenRecord[]> => {
    const { rows } = await pools.transact("ingest", mode, (client) => client.query<TokenRow>(sql, values));
    return rows.map(toRecord);
  };
  const noteUse = async (id: string): Promise<TokenRecord | undefined> => {
    const [record] = await query(
      "write",
      `UPDATE isochron.api_token SET used_on = current_date WHERE id = $1 RETURNING ${columns}`,
      [id],
    );
    return record;
  };
  return {
    create: async ({ name, hash, scope, expiresAt, madeBy }) => {
      const id = `tok_${randomBytes(10).toString("hex")}`;
      const [record] = await query(
        "write",
        `INSERT INTO isochron.api_token (id, name, hash, scope, expires_at, made_by) VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${columns}`,
        [
          id,
          name,
          Buffer.from(hash),
          JSON.stringify(scope),
          expiresAt === undefined ? null : iso(expiresAt),
          madeBy ?? null,
        ],
      );
      if (record === undefined) throw new Error("the token was not stored");
      return record;
    },
    find: async (hash) => {
      const { rows } = await pools.transact("ingest", "each", (client) =>
        client.query<FoundRow>(
          `SELECT ${columns}, used_on IS NOT DISTINCT FROM current_date AS used_today
             FROM isochron.api_token WHERE hash = $1 AND revoked_at IS NULL`,
          [Buffer.from(hash)],
        ),
      );
      const [row] = rows;
      if (row === undefined) return undefined;
      if (row.used_today) return toRecord(row);
      return (await noteUse(row.id)) ?? toRecord(row);
    },
    byId: async (id) =>
      (await query("read", `SELECT ${columns} FROM isochron.api_token WHERE id = $1`, [id]))[0],
    list: () => query("read", `SELECT ${columns} FROM isochron.api_token ORDER BY created_at, id`, []),
    revoke: async (id) => {
      const revoked = await query(
        "write",
        // Under another hash nobody finds it: an attempt with it takes as long as one with what never was a token.
        `UPDATE isochron.api_token SET revoked_at = now(), hash = sha256('revoked'::bytea || hash)
          WHERE id = $1 AND revoked_at IS NULL RETURNING ${columns}`,
        [id],
      );
      return revoked.length > 0;
    },
  };
}

function toRecord(row: TokenRow): TokenRecord {
  return {
    id: row.id,
    name: row.name,
    scope: row.scope,
    createdAt: instant(row.created_at),
    ...(row.expires_at === null ? {} : { expiresAt: instant(row.expires_at) }),
    ...(row.revoked_at === null ? {} : { revokedAt: instant(row.revoked_at) }),
    ...(row.used_on === null ? {} : { usedOn: row.used_on }),
    ...(row.made_by === null ? {} : { madeBy: row.made_by }),
  };
}
