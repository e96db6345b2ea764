import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type pg from "pg";
import { IsochronError } from "../../errors.ts";
import { ownerRole } from "./roles.ts";

/** Spells "isochron" in spirit; any number will do as long as all agree on it. */
const migrationLock = 7_402_981_116;
const folder = new URL("./migrations/", import.meta.url);

interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/**
 * Brings the schema up to this code's, one transaction for each migration, and gives its number.
 * Throws `migration-newer` when the store was made by a later Isochron.
 */
export async function migrate(admin: pg.Client): Promise<number> {
  await admin.query(`SET ROLE ${ownerRole}`);
  const migrations = await readMigrations();
  const newest = migrations.at(-1)?.number ?? 0;
  if ((await appliedNumber(admin)) === newest) {
    await verify(admin, migrations);
    return newest;
  }
  await admin.query("SELECT pg_advisory_lock($1)", [migrationLock]);
  try {
    await prepareLedger(admin);
    await verify(admin, migrations);
    const applied = (await appliedNumber(admin)) ?? 0;
    for (const migration of migrations) {
      if (migration.number > applied) await apply(admin, migration);
    }
  } finally {
    await admin.query("SELECT pg_advisory_unlock($1)", [migrationLock]);
  }
  return newest;
}

/** The migrations that this code brings, in their order: `0001-name.sql`. */
async function readMigrations(): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => /^\d{4}-[a-z0-9-]+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(new URL(name, folder), "utf8");
      const checksum = createHash("sha256").update(sql.replaceAll("\r\n", "\n")).digest("hex");
      return { number: Number(name.slice(0, 4)), name, sql, checksum };
    }),
  );
}

/** The last migration applied; undefined where the store is still empty. */
async function appliedNumber(admin: pg.Client): Promise<number | undefined> {
  const ledger = await admin.query("SELECT to_regclass('isochron.schema_migration') IS NOT NULL AS found");
  if (ledger.rows[0].found !== true) return undefined;
  const last = await admin.query("SELECT max(number)::integer AS number FROM isochron.schema_migration");
  return (last.rows[0].number as number | null) ?? 0;
}

async function prepareLedger(admin: pg.Client): Promise<void> {
  await admin.query("CREATE SCHEMA IF NOT EXISTS isochron");
  await admin.query(
    `CREATE TABLE IF NOT EXISTS isochron.schema_migration (
       number integer PRIMARY KEY,
       name text NOT NULL,
       checksum text NOT NULL,
       applied_at timestamptz NOT NULL DEFAULT now())`,
  );
}

async function verify(admin: pg.Client, migrations: readonly Migration[]): Promise<void> {
  const { rows } = await admin.query<{ number: number; name: string; checksum: string }>(
    "SELECT number, name, checksum FROM isochron.schema_migration ORDER BY number",
  );
  for (const row of rows) {
    const ours = migrations.find((migration) => migration.number === row.number);
    if (ours?.checksum === row.checksum) continue;
    throw new IsochronError(
      "migration-newer",
      ours === undefined
        ? `The store has migration ${row.name}, which this Isochron does not know.`
        : `The store's migration ${row.name} is not the one that this Isochron brings.`,
      "Use the Isochron that last opened this store, or a newer one.",
    );
  }
}

async function apply(admin: pg.Client, migration: Migration): Promise<void> {
  await admin.query("BEGIN");
  try {
    await admin.query(migration.sql);
    await admin.query("INSERT INTO isochron.schema_migration (number, name, checksum) VALUES ($1, $2, $3)", [
      migration.number,
      migration.name,
      migration.checksum,
    ]);
    await admin.query("COMMIT");
  } catch (error) {
    await admin.query("ROLLBACK");
    throw error;
  }
}
