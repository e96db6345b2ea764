import { parse } from "pg-connection-string";
import { IsochronError } from "../../errors.ts";
import type { Target } from "./pools.ts";

/**
 * Takes a PostgreSQL URL apart (RFC 3986, with libpq's `host` and `sslmode` parameters).
 * Throws `config-invalid`.
 */
export function parseDatabaseUrl(url: string): Target {
  const invalid = (problem: string): IsochronError =>
    new IsochronError(
      "config-invalid",
      `ISOCHRON_DATABASE_URL ${problem}.`,
      "Write it as postgresql://login:password@host:5432/database.",
    );
  if (!/^postgres(ql)?:\/\//.test(url)) throw invalid("is not a PostgreSQL URL");
  let parts: ReturnType<typeof parse>;
  try {
    parts = parse(url);
  } catch {
    throw invalid("cannot be understood");
  }
  if (!parts.user) throw invalid("names no login");
  if (!parts.database) throw invalid("names no database");
  return {
    host: parts.host || "localhost",
    port: Number(parts.port || 5432),
    database: parts.database,
    ssl: parts.ssl as Target["ssl"],
    adminUser: parts.user,
    adminPassword: parts.password,
    embedded: undefined,
  };
}
