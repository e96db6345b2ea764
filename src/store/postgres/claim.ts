import { createHmac } from "node:crypto";
import type pg from "pg";
import type { TenantKey } from "../../model/tenant.ts";

const lifetimeSeconds = 60;

/**
 * The words that let one session of the tenants' login see the rows of `keys` for a minute: a signature and
 * what it stands for, both in hex, so that they need no quoting.
 */
export function signClaim(
  claimKey: Uint8Array,
  keys: readonly TenantKey[],
  backendPid: number,
  nowMs: number,
): string {
  const body = JSON.stringify({ keys, pid: backendPid, exp: Math.ceil(nowMs / 1000) + lifetimeSeconds });
  const payload = Buffer.from(body, "utf8").toString("hex");
  return `${createHmac("sha256", claimKey).update(payload).digest("hex")}.${payload}`;
}

/** Shows the claim to the database for the rest of the transaction. */
export async function presentClaim(
  client: pg.ClientBase,
  claimKey: Uint8Array,
  keys: readonly TenantKey[],
): Promise<void> {
  const { rows } = await client.query<{ pid: number; now: number }>(
    "SELECT pg_backend_pid() AS pid, clock_timestamp() AS now",
  );
  const [row] = rows;
  if (row === undefined) throw new Error("the database did not name its session");
  // SET LOCAL takes no parameters, but unlike set_config() it also reaches the nodes of a distributed database.
  await client.query(`SET LOCAL isochron.claim = '${signClaim(claimKey, keys, row.pid, row.now)}'`);
}
