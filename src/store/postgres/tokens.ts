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
}

const columns = "id, name, scope, created_at, expires_at, revoked_at";

export function tokenStore(pools: Pools): TokenStore {
  const query = async (
    mode: "read" | "write",
    sql: string,
    values: unknown[],
  ): Promise<readonly TokenRecord[]> => {
    const { rows } = await pools.transact("ingest", mode, (client) => client.query<TokenRow>(sql, values));
    return rows.map(toRecord);
  };
  return {
    create: async ({ name, hash, scope, expiresAt }) => {
      const id = `tok_${randomBytes(10).toString("hex")}`;
      const [record] = await query(
        "write",
        `INSERT INTO isochron.api_token (id, name, hash, scope, expires_at) VALUES ($1, $2, $3, $4, $5) RETURNING ${columns}`,
        [id, name, Buffer.from(hash), JSON.stringify(scope), expiresAt === undefined ? null : iso(expiresAt)],
      );
      if (record === undefined) throw new Error("the token was not stored");
      return record;
    },
    find: async (hash) =>
      (
        await query("read", `SELECT ${columns} FROM isochron.api_token WHERE hash = $1`, [Buffer.from(hash)])
      )[0],
    list: () => query("read", `SELECT ${columns} FROM isochron.api_token ORDER BY created_at, id`, []),
    revoke: async (id) => {
      const revoked = await query(
        "write",
        `UPDATE isochron.api_token SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL RETURNING ${columns}`,
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
  };
}
