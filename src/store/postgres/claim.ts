import { createHmac } from "node:crypto";
import type pg from "pg";
import type { TenantKey } from "../../model/tenant.ts";

const lifetimeSeconds = 60;

/** The session and the transaction that a claim is good for. */
export interface ClaimSeat {
  readonly backendPid: number;
  /** When the transaction began, in microseconds since the epoch, as the database spells it. */
  readonly transactionAt: string;
  readonly nowMs: number;
}

/** What a claim opens: the rows of `keys`, and of `sensitive`, which are among them, those of the class security too. */
export interface Claimed {
  readonly keys: readonly TenantKey[];
  readonly sensitive: readonly TenantKey[];
}

/**
 * The words that let one transaction of the tenants' login see what is claimed: a signature and what it
 * stands for, both in hex, so that they need no quoting. They are worth nothing in any other transaction.
 */
export function signClaim(claimKey: Uint8Array, { keys, sensitive }: Claimed, seat: ClaimSeat): string {
  const exp = Math.ceil(seat.nowMs / 1000) + lifetimeSeconds;
  const body = JSON.stringify({ keys, sensitive, pid: seat.backendPid, tx: seat.transactionAt, exp });
  const payload = Buffer.from(body, "utf8").toString("hex");
  return `${createHmac("sha256", claimKey).update(payload).digest("hex")}.${payload}`;
}

/** Shows the claim to the database for the rest of the transaction, with settings for as long. */
export async function presentClaim(
  client: pg.ClientBase,
  claimKey: Uint8Array,
  claimed: Claimed,
  settings: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { rows } = await client.query<{ pid: number; tx: string; now: number }>(
    `SELECT pg_backend_pid() AS pid, clock_timestamp() AS now,
            (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint::text AS tx`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error("the database did not name its session");
  const seat = { backendPid: row.pid, transactionAt: row.tx, nowMs: row.now };
  // As a parameter: the text of a statement can be read by every session of the same login.
  const all = Object.entries({ "isochron.claim": signClaim(claimKey, claimed, seat), ...settings });
  await client.query(
    "SELECT set_config(name, value, true) FROM unnest($1::text[], $2::text[]) AS given (name, value)",
    [all.map(([name]) => name), all.map(([, value]) => value)],
  );
}
