import { connect, Socket } from "node:net";
import mysql from "mysql2/promise";
import pg from "pg";
import { IsochronError } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";
import type { Addresses, SqlClient, SqlQuery, TableRow } from "../sources/source.ts";
import type { Judgement, SourceGuard } from "./protection/source-guard.ts";

export interface SqlClientOptions {
  /** Ends what is under way; its reason is thrown on. */
  readonly signal: AbortSignal;
  readonly connectTimeoutMs?: number;
  /** For each statement, kept by the server itself. */
  readonly statementTimeoutMs?: number;
  /** Asked before each transaction; absent where the server is our own, as in tests. */
  readonly guard?: SourceGuard;
  /** Asked where each connection may be made to; absent likewise. */
  readonly addresses?: Addresses;
}

type Limits = Required<Omit<SqlClientOptions, "guard" | "addresses">> &
  Pick<SqlClientOptions, "guard" | "addresses">;

/**
 * Read-only access to databases of others. Each transaction has a connection of its own, so that nothing is held
 * between pages and a server that moved is found again. Values come as the server writes them, never as numbers or dates
 * of JavaScript. No message repeats the URL, which holds the password.
 */
export function createSqlAccess(options: SqlClientOptions): (url: string) => SqlClient {
  const limits: Limits = { connectTimeoutMs: 10_000, statementTimeoutMs: 30_000, ...options };
  return (url) => {
    if (/^postgres(ql)?:\/\//.test(url)) return new PostgresClient(url, limits);
    if (/^(mysql|mariadb):\/\//.test(url)) return new MysqlClient(url.replace(/^mariadb:/, "mysql:"), limits);
    throw new IsochronError(
      "config-invalid",
      "The database's URL is of a kind that is not read.",
      "Give one that begins with postgres://, mysql:// or mariadb://.",
    );
  };
}

/** A connection that is not yet used, whichever driver holds it. */
interface Session {
  readonly query: SqlQuery;
  readonly begin: (zone: string) => Promise<void>;
  readonly end: () => Promise<void>;
  /** Drops the connection without a farewell. */
  readonly destroy: () => void;
}

type Read<Result> =
  { readonly ok: true; readonly result: Result } | { readonly ok: false; readonly error: IsochronError };

/** One transaction behind the guard: it counts as one request, because it has a connection of its own. */
async function readIn<Result>(
  limits: Limits,
  open: () => Promise<Session>,
  zone: string,
  work: (query: SqlQuery) => Promise<Result>,
): Promise<Result> {
  const { guard, signal } = limits;
  if (guard === undefined) return transact(limits, open, zone, work);
  const counting = (query: SqlQuery): SqlQuery => {
    return async (text, values) => {
      const rows = await query(text, values);
      await guard.takeBytes(sizeOf(rows), signal);
      return rows;
    };
  };
  const send = async (): Promise<Read<Result>> => {
    try {
      return { ok: true, result: await transact(limits, open, zone, (query) => work(counting(query))) };
    } catch (error) {
      if (signal.aborted || !(error instanceof IsochronError)) throw error;
      return { ok: false, error };
    }
  };
  const read = await guard.request("database", send, judge, signal);
  if (read.ok) return read.result;
  throw read.error;
}

function judge(read: Read<unknown>): Judgement {
  if (read.ok) return { verdict: "good", slowDown: false };
  const { code, problem } = read.error;
  if (code === "source-unavailable") return { verdict: "bad", slowDown: true, problem };
  return { verdict: code === "source-denied" ? "denied" : "unknown", slowDown: false };
}

function sizeOf(rows: readonly TableRow[]): number {
  let size = 0;
  for (const row of rows) for (const value of Object.values(row)) size += value?.length ?? 0;
  return size;
}

async function transact<Result>(
  { signal }: Limits,
  open: () => Promise<Session>,
  zone: string,
  work: (query: SqlQuery) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const session = await open();
  const stop = () => session.destroy();
  signal.addEventListener("abort", stop, { once: true });
  try {
    await session.begin(zone);
    const result = await work(session.query);
    await session.query("COMMIT");
    await session.end();
    return result;
  } catch (error) {
    session.destroy();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

class PostgresClient implements SqlClient {
  readonly dialect = "postgresql";
  readonly #url: string;
  readonly #limits: Limits;

  constructor(url: string, limits: Limits) {
    this.#url = url;
    this.#limits = limits;
  }

  read<Result>(zone: string, work: (query: SqlQuery) => Promise<Result>): Promise<Result> {
    return readIn(this.#limits, () => this.#open(), zone, work);
  }

  async #open(): Promise<Session> {
    const { connectTimeoutMs, statementTimeoutMs, addresses } = this.#limits;
    const client = parsed(
      () =>
        new pg.Client({
          connectionString: this.#url,
          application_name: "isochron",
          connectionTimeoutMillis: connectTimeoutMs,
          statement_timeout: statementTimeoutMs,
          lock_timeout: statementTimeoutMs,
          idle_in_transaction_session_timeout: 2 * statementTimeoutMs,
          // The server's own time-out comes first; this one is for a server that is gone.
          query_timeout: statementTimeoutMs + connectTimeoutMs,
          types: { getTypeParser: () => (text: string) => text },
          ...(addresses !== undefined && { stream: () => new CheckedSocket(addresses) }),
        }),
    );
    await admit(addresses, client.host);
    // A connection that breaks says so to whoever waits for an answer; without a listener it would end the process.
    client.on("error", () => undefined);
    const query: SqlQuery = (text, values = []) =>
      answered(postgresCode, async () => (await client.query<TableRow>(text, [...values])).rows);
    await answered(postgresCode, () => client.connect());
    return {
      query,
      begin: async (zone) => {
        await query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY");
        // Unlike a SELECT, SET leaves the snapshot to be taken by the first statement of the work, whose time it then has.
        await query(`SET LOCAL TimeZone = ${client.escapeLiteral(zone)}; SET LOCAL DateStyle = 'ISO, YMD'`);
      },
      end: () => client.end(),
      destroy: () => void client.end().catch(() => undefined),
    };
  }
}

class MysqlClient implements SqlClient {
  readonly dialect = "mysql";
  readonly #url: string;
  readonly #limits: Limits;

  constructor(url: string, limits: Limits) {
    this.#url = url;
    this.#limits = limits;
  }

  read<Result>(zone: string, work: (query: SqlQuery) => Promise<Result>): Promise<Result> {
    return readIn(this.#limits, () => this.#open(), zone, work);
  }

  async #open(): Promise<Session> {
    const { connectTimeoutMs, statementTimeoutMs, addresses } = this.#limits;
    const { href: uri, hostname, port, searchParams } = parsed(() => new URL(this.#url));
    const host = hostname.replace(/^\[(.*)\]$/, "$1");
    // The driver would take them for where to go, whatever host is written before them.
    for (const name of ["host", "port", "stream"]) if (searchParams.has(name)) throw unreadable();
    const socketPath = searchParams.get("socketPath");
    if (socketPath !== null && (host !== "localhost" || !socketPath.startsWith("/"))) throw unreadable();
    await admit(addresses, socketPath ?? host);
    const lookup = socketPath === null ? addresses?.lookup : undefined;
    const connection = await answered(mysqlCode, () =>
      mysql.createConnection({
        uri,
        ...(lookup !== undefined && {
          stream: () => connect({ host, port: port === "" ? 3306 : Number(port), lookup }),
        }),
        connectTimeout: connectTimeoutMs,
        charset: "utf8mb4",
        typeCast: (field) => (field.type.endsWith("BLOB") ? asText(field.buffer()) : field.string()),
      }),
    );
    connection.on("error", () => undefined);
    const query: SqlQuery = (text, values = []) =>
      answered(mysqlCode, async () => {
        const timeout = statementTimeoutMs + connectTimeoutMs;
        const [rows] = await connection.query({ sql: text, values: [...values], timeout });
        return Array.isArray(rows) ? (rows as readonly TableRow[]) : [];
      });
    return {
      query,
      begin: async (zone) => {
        const [about] = await query("SELECT VERSION() AS version");
        const seconds = Math.ceil(statementTimeoutMs / 1000);
        // MariaDB and MySQL have each a name and a unit of their own for the same limit.
        await query(
          about?.["version"]?.includes("MariaDB") === true
            ? `SET SESSION max_statement_time = ${seconds}`
            : `SET SESSION max_execution_time = ${statementTimeoutMs}`,
        );
        await query("SET SESSION sql_mode = '', time_zone = ?", [zone === "UTC" ? "+00:00" : zone]);
        await query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
        // The first table that the work reads takes the snapshot, not the beginning of the transaction.
        await query("START TRANSACTION READ ONLY");
      },
      end: () => connection.end(),
      destroy: () => connection.destroy(),
    };
  }
}

/** The configuration wrote this host, in a secret that only we have read. A path is a socket of this machine. */
async function admit(addresses: Addresses | undefined, host: string): Promise<void> {
  if (addresses === undefined || host.startsWith("/")) return;
  addresses.own(host);
  try {
    await addresses.resolve(host);
  } catch (error) {
    if (!(error instanceof Error) || error instanceof IsochronError) throw error;
    throw new IsochronError(
      "source-unavailable",
      `The database's host cannot be found: ${error.message}.`,
      remedies["source-unavailable"] ?? "",
    );
  }
}

/** A socket of PostgreSQL's driver that connects to the address that was checked. */
class CheckedSocket extends Socket {
  readonly #addresses: Addresses;

  constructor(addresses: Addresses) {
    super();
    this.#addresses = addresses;
  }

  // The driver knows the two forms `connect(port, host)` and `connect(path)`.
  override connect(...given: unknown[]): this {
    const [port, host] = given;
    if (typeof host !== "string") return super.connect(String(port));
    return super.connect({ port: Number(port), host, lookup: this.#addresses.lookup });
  }
}

/** Bytes that are text, as text; others in hex. */
function asText(bytes: Buffer | null): string | null {
  if (bytes === null) return null;
  const text = bytes.toString("utf8");
  return Buffer.from(text, "utf8").equals(bytes) ? text : `0x${bytes.toString("hex")}`;
}

function parsed<Result>(make: () => Result): Result {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof Error && error.message.includes("URL")))
      throw error;
    throw unreadable();
  }
}

function unreadable(): IsochronError {
  return new IsochronError(
    "config-invalid",
    "The database's URL cannot be read.",
    "Write it as postgres://user:password@host:5432/database, with special characters percent-encoded.",
  );
}

interface DriverError extends Error {
  readonly code?: string | number;
  readonly sqlState?: string;
}

async function answered<Result>(
  codeOf: (error: DriverError) => ErrorCode,
  ask: () => Promise<Result>,
): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof IsochronError || error instanceof TypeError)
      throw error;
    const failure = error as DriverError;
    const code = codeOf(failure);
    const said = failure.message === "" ? String(failure.code ?? "no answer") : failure.message;
    throw new IsochronError(code, `The database says: ${said}.`, remedies[code] ?? "Try again later.");
  }
}

const remedies: Partial<Record<ErrorCode, string>> = {
  "config-invalid": "Correct the connection's `zone`; MySQL knows names of zones only once they are loaded.",
  "source-denied": "Check the login of the database's URL, and that it may read the tables (GRANT SELECT).",
  "source-malformed": "Check that the mapping fits the tables.",
  "source-unavailable": "Check that the server runs and is reached; the next pass tries again.",
};

/** SQLSTATE of PostgreSQL, appendix A of its manual. */
function postgresCode({ code }: DriverError): ErrorCode {
  const state = typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) ? code : "";
  if (/^28|^42501$/.test(state)) return "source-denied";
  if (/^3D000$/.test(state)) return "source-denied";
  // Reset by a time-out, a lock, a conflict with recovery, too little room, or the operator.
  if (state === "" || /^(08|25P0|40|53|55|57|58|XX)/.test(state)) return "source-unavailable";
  return state === "22023" ? "config-invalid" : "source-malformed";
}

/** SQLSTATE and error codes of MySQL and MariaDB. */
function mysqlCode({ code, sqlState }: DriverError): ErrorCode {
  const name = String(code ?? "");
  if (name === "ER_UNKNOWN_TIME_ZONE") return "config-invalid";
  if (/ACCESS_DENIED|ER_BAD_DB_ERROR|ER_TABLEACCESS|ER_COLUMNACCESS|ER_SPECIFIC_ACCESS/.test(name))
    return "source-denied";
  if (
    /^ER_(QUERY_TIMEOUT|STATEMENT_TIMEOUT|LOCK_|CON_COUNT|SERVER_SHUTDOWN|QUERY_INTERRUPTED|OUT_OF)/.test(
      name,
    )
  )
    return "source-unavailable";
  if (sqlState === undefined || /^(08|40|70|HY000)/.test(sqlState)) return "source-unavailable";
  return "source-malformed";
}
