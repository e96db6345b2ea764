import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { TestProject } from "vitest/node";
import { startEmbedded } from "../src/store/postgres/embedded.ts";
import { openStore } from "../src/store/postgres/open.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A server's URL as its administrator, without a database of the tests' own. */
    databaseUrl: string;
    /** The migrated database that each test file clones. */
    databaseTemplate: string;
  }
}

/** A server with the migrated database that stores of tests are cloned from. */
export interface TestServer {
  readonly url: string;
  readonly template: string;
  readonly stop: () => Promise<void>;
}

/** One server for all test files. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, template, stop } = await startTestServer();
  project.provide("databaseUrl", url);
  project.provide("databaseTemplate", template);
  return stop;
}

/**
 * That of ISOCHRON_TEST_DATABASE_URL, else an embedded one in a folder that is removed again. It need not survive a
 * crash, so it does not wait for the disk.
 */
export async function startTestServer(): Promise<TestServer> {
  const given = process.env["ISOCHRON_TEST_DATABASE_URL"];
  const server = given === undefined ? await startOwn() : { url: given, stop: () => Promise.resolve() };
  const template = `isochron_template_${process.pid}`;
  const templateUrl = withDatabase(server.url, template);
  await execute(server.url, `CREATE DATABASE ${template} ENCODING 'UTF8' TEMPLATE template0`);
  const store = await openStore({ databaseUrl: templateUrl });
  await store.close();
  const stop = async (): Promise<void> => {
    await execute(server.url, `DROP DATABASE IF EXISTS ${template}`);
    await server.stop();
  };
  return { url: server.url, template, stop };
}

async function startOwn(): Promise<{ url: string; stop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "isochron-test-"));
  const server = await startEmbedded(folder, () => undefined, [
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=300",
  ]);
  const { host, port, user, database } = server.admin;
  return {
    url: `postgresql://${user}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`,
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The same server, another database. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
