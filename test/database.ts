import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { parseDatabaseUrl } from "../src/store/postgres/database-url.ts";
import { openStore } from "../src/store/postgres/open.ts";
import { adminConfig } from "../src/store/postgres/pools.ts";
import { loginPassword, logins, type LoginName } from "../src/store/postgres/roles.ts";
import type { Store } from "../src/store/store.ts";
import { withDatabase, type TestServer } from "./database-server.ts";

export interface TestStore {
  readonly store: Store;
  /** The database's URL as its administrator. */
  readonly url: string;
  /** Runs one statement as the administrator, beside the store. */
  readonly sql: <Row extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ) => Promise<readonly Row[]>;
  /** A second store over the same database, as after a restart. The caller closes it. */
  readonly reopen: () => Promise<Store>;
  /** Closes the store and drops its database. */
  readonly close: () => Promise<void>;
}

let chosen: Pick<TestServer, "url" | "template"> | undefined;

/** From now on stores are opened on this server, for programs that run without Vitest. */
export function useTestServer(server: Pick<TestServer, "url" | "template">): void {
  chosen = server;
}

/** A store of its own over an empty, migrated database; about as fast as copying a few megabytes. */
export async function openTestStore(): Promise<TestStore> {
  const name = `isochron_test_${randomBytes(6).toString("hex")}`;
  const { url: serverUrl, template } = chosen ?? {
    url: inject("databaseUrl"),
    template: inject("databaseTemplate"),
  };
  await onServer(serverUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  const url = withDatabase(serverUrl, name);
  const store = await openStore({ databaseUrl: url });
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  return {
    store,
    url,
    sql: async <Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) =>
      (await admin.query<Row>(text, [...values])).rows,
    reopen: () => openStore({ databaseUrl: url }),
    close: async () => {
      await store.close();
      await admin.end();
      await onServer(serverUrl, `DROP DATABASE ${name}`);
    },
  };
}

/** A session on one of the store's own logins, to see with its eyes. The caller ends it. */
export async function loginAs(url: string, login: LoginName): Promise<pg.Client> {
  const target = parseDatabaseUrl(url);
  const user = logins[login];
  const password = loginPassword(target.adminPassword, user);
  const client = new pg.Client({
    ...adminConfig(target),
    user,
    ...(password === undefined ? {} : { password }),
  });
  await client.connect();
  return client;
}

/** How many events the store holds, of one connection or of all. */
export async function countEvents({ sql }: TestStore, connection?: string): Promise<number> {
  const [row] = await sql<{ count: string }>(
    "SELECT count(*) FROM isochron.event WHERE $1::text IS NULL OR connection = $1",
    [connection ?? null],
  );
  return Number(row?.count);
}

async function onServer(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
