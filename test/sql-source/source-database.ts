import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import pg from "pg";
import { inject } from "vitest";
import { withDatabase } from "../database-server.ts";

/** A database of somebody else, on the tests' server, that a source reads from. */
export interface SourceDatabase {
  readonly url: string;
  readonly sql: <Row extends pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ) => Promise<readonly Row[]>;
  readonly insert: (table: string, ...rows: readonly Readonly<Record<string, unknown>>[]) => Promise<void>;
  /** A session of its own, for transactions that stay open; ended with the database. */
  readonly session: () => Promise<pg.Client>;
  readonly close: () => Promise<void>;
}

/** Makes it from `test/sql-source/<script>.sql`. */
export async function openSourceDatabase(script: "pf9-mngt" | "bacula"): Promise<SourceDatabase> {
  const name = `source_${randomBytes(6).toString("hex")}`;
  const server = new pg.Client({ connectionString: inject("databaseUrl") });
  await server.connect();
  await server.query(`CREATE DATABASE ${name}`);
  const url = withDatabase(inject("databaseUrl"), name);
  const clients: pg.Client[] = [];
  const session = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    clients.push(client);
    return client;
  };
  const client = await session();
  await client.query(await readFile(new URL(`./${script}.sql`, import.meta.url), "utf8"));
  return {
    url,
    session,
    sql: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
      (await client.query<Row>(text, [...values])).rows,
    insert: async (table, ...rows) => {
      for (const row of rows) await insertInto(client, table, row);
    },
    close: async () => {
      for (const one of clients) await one.end();
      await server.query(`DROP DATABASE ${name} WITH (FORCE)`);
      await server.end();
    },
  };
}

/** Writes one row; also for sessions with an open transaction. */
export async function insertInto(
  client: pg.Client,
  table: string,
  row: Readonly<Record<string, unknown>>,
): Promise<void> {
  const names = Object.keys(row);
  const columns = names.map((column) => `"${column}"`).join(", ");
  const places = names.map((_name, index) => `$${index + 1}`).join(", ");
  await client.query(`INSERT INTO ${table} (${columns}) VALUES (${places})`, Object.values(row));
}
