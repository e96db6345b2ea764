import pg from "pg";
import { IsochronError } from "../../errors.ts";
import type { EmbeddedServer, StoreLog } from "./embedded.ts";
import { loginPassword, logins, type LoginName } from "./roles.ts";

/** Where the server is and how to get in. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly ssl: pg.ClientConfig["ssl"];
  readonly adminUser: string;
  readonly adminPassword: string | undefined;
  readonly embedded: EmbeddedServer | undefined;
}

/** The connections of one open store, one pool for each login. */
export interface Pools {
  /**
   * Runs `action` in one transaction of the pool; it commits when `action` settles well. With `each` every statement
   * stands by itself: for reading what needs no common snapshot, without the two round trips of a transaction.
   */
  transact<T>(pool: PoolName, mode: Mode, action: (client: pg.ClientBase) => Promise<T>): Promise<T>;
  /** A connection outside any pool, for LISTEN. The caller ends it. */
  dedicated(login: LoginName): Promise<pg.Client>;
  end(): Promise<void>;
}

type Mode = "write" | "read" | "each";

/** A pool for each login, and one for renewing leases, which must not queue behind pages that are being stored. */
export type PoolName = LoginName | "lease";

const poolSizes: Record<PoolName, number> = { ingest: 4, lease: 1, provider: 6, operator: 4, tenant: 6 };
const connectAttemptsMax = 5;

/** The server notices within a lease that a client is gone without a word, and gives up what that one had locked. */
const serverTcp =
  "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=4 -c tcp_user_timeout=12000";

/** The server is not there (any more), or is on its way down or up. */
const absentCodes = new Set([
  "ENOENT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "57P01",
  "57P02",
  "57P03",
  "08000",
  "08001",
  "08003",
  "08004",
  "08006",
]);

/** The server is there but cannot serve us now: no room, no connection left, too slow, or only a copy to read from. */
const busyCodes = new Set([
  "53000",
  "53100",
  "53200",
  "53300",
  "57014",
  "25P03",
  "25006",
  "28P01",
  "28000",
  "3D000",
]);

/** How many connections each pool may hold; those that are not named keep to their usual number. */
export type PoolSizes = Partial<Record<PoolName, number>>;

export function openPools(target: Target, log: StoreLog, sizes: PoolSizes = {}): Pools {
  const open = (name: PoolName): pg.Pool => {
    const pool = new pg.Pool({
      ...(name === "lease" ? leaseConfig(target) : clientConfig(target, name)),
      max: sizes[name] ?? poolSizes[name],
      idleTimeoutMillis: 30_000,
    });
    // An idle connection that the server ends is replaced at its next use.
    pool.on("error", (error) => log("debug", "An idle database connection ended", { error: error.message }));
    return pool;
  };
  const pools: Record<PoolName, pg.Pool> = {
    ingest: open("ingest"),
    lease: open("lease"),
    provider: open("provider"),
    operator: open("operator"),
    tenant: open("tenant"),
  };
  return {
    transact: (name, mode, action) =>
      transact(target, pools[name], { mode, action, forget: name === "tenant" || name === "operator" }),
    dedicated: (login) => connectDedicated(target, login),
    end: async () => {
      await Promise.all(Object.values(pools).map((pool) => pool.end()));
    },
  };
}

function clientConfig(target: Target, login: LoginName): pg.ClientConfig {
  const user = logins[login];
  const password = loginPassword(target.adminPassword, user);
  return {
    ...connectionOf(target),
    user,
    ...(password === undefined ? {} : { password }),
    application_name: `isochron ${login}`,
    statement_timeout: 30_000,
    lock_timeout: 5_000,
    // A worker that stands still inside of its transaction blocks its successor no longer than a lease lasts.
    idle_in_transaction_session_timeout: 10_000,
    // Beyond the server's own limit nobody answers any more: the connection is cut, and the outcome not known.
    query_timeout: 35_000,
  };
}

/** Renewing is a matter of milliseconds; what takes longer is to be tried again before the lease is over. */
function leaseConfig(target: Target): pg.ClientConfig {
  return { ...clientConfig(target, "ingest"), statement_timeout: 4_000, query_timeout: 4_500 };
}

/** Settings to connect as the administrator; only for roles, migrations and the keys read at opening. */
export function adminConfig(target: Target): pg.ClientConfig {
  return {
    ...connectionOf(target),
    user: target.adminUser,
    ...(target.adminPassword === undefined ? {} : { password: target.adminPassword }),
    application_name: "isochron admin",
  };
}

function connectionOf(target: Target): pg.ClientConfig {
  return {
    host: target.host,
    port: target.port,
    database: target.database,
    ...(target.ssl === undefined ? {} : { ssl: target.ssl }),
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    types: { getTypeParser: parserOf as typeof pg.types.getTypeParser },
    options: `-c TimeZone=UTC -c DateStyle=ISO -c client_min_messages=warning ${serverTcp}`,
  };
}

/** Sent with the end of a transaction: nothing that a statement left in the session waits for whoever has it next. */
const forgetting = "CLOSE ALL; DEALLOCATE ALL; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all()";

interface Transaction<T> {
  readonly mode: Mode;
  readonly action: (client: pg.ClientBase) => Promise<T>;
  /** Whether the session is handed on as if it were new. */
  readonly forget: boolean;
}

async function transact<T>(
  target: Target,
  pool: pg.Pool,
  { mode, action, forget }: Transaction<T>,
): Promise<T> {
  const client = await connect(target, () => pool.connect());
  let broken: Error | undefined;
  const onError = (error: Error): void => void (broken = error);
  client.on("error", onError);
  const end = (how: "COMMIT" | "ROLLBACK"): Promise<unknown> =>
    client.query(forget ? `${how}; ${forgetting}` : how);
  try {
    if (mode === "each") return await action(client);
    await client.query(mode === "read" ? "BEGIN TRANSACTION READ ONLY" : "BEGIN");
    const result = await action(client);
    await end("COMMIT");
    return result;
  } catch (error) {
    if (isGone(error)) broken = error as Error;
    else if (mode !== "each") await end("ROLLBACK").catch((failure: Error) => (broken = failure));
    throw translate(error);
  } finally {
    client.off("error", onError);
    client.release(broken);
  }
}

/** Connects; an embedded server that has gone is started again. Throws `store-unavailable`. */
async function connect<T>(target: Target, open: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await open();
    } catch (error) {
      if (!isGone(error) || target.embedded === undefined || attempt === connectAttemptsMax)
        throw translate(error);
      await target.embedded.ensure();
    }
  }
}

async function connectDedicated(target: Target, login: LoginName): Promise<pg.Client> {
  return connect(target, async () => {
    const client = new pg.Client({ ...clientConfig(target, login), statement_timeout: 0 });
    client.on("error", () => undefined);
    await client.connect();
    return client;
  });
}

export function isGone(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string };
  if (code !== undefined) return absentCodes.has(code);
  return /Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error/.test(
    message ?? "",
  );
}

function translate(error: unknown): unknown {
  const { code, message } = error as { code?: string; message?: string };
  if (isGone(error) || busyCodes.has(code ?? "")) {
    return new IsochronError(
      "store-unavailable",
      `The database does not serve us: ${message ?? "no answer"}.`,
      "See that the server runs, has room, and lets Isochron in, then try again.",
      { cause: error },
    );
  }
  return error;
}

/** Times as milliseconds since 1970 and 64-bit counts as numbers, which ours stay well within. */
function parserOf(oid: number, format?: "text" | "binary"): unknown {
  if (oid === pg.types.builtins.TIMESTAMPTZ)
    return (text: string) => new Date(`${text.replace(" ", "T")}:00`).getTime();
  if (oid === pg.types.builtins.INT8) return Number;
  return pg.types.getTypeParser(oid, format);
}
