import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { loadConfig } from "../../src/config.ts";
import { createLog } from "../../src/log.ts";
import { openIsochron } from "../../src/main.ts";
import type { Isochron } from "../../src/main.ts";

/** A whole Isochron beside a database with the tables of pf9-mngt that it reads, on one embedded server. */
export interface Laboratory {
  readonly isochron: Isochron;
  /** The tables that are read. */
  readonly foreign: pg.Client;
  /** Another session on them, for transactions that stay open. */
  readonly session: () => Promise<pg.Client>;
  /** Isochron's own database, as its administrator. */
  readonly store: pg.Client;
  /** A folder that the server may write to. */
  readonly serverDir: string;
  readonly close: () => Promise<void>;
}

export const connection = "pf9";
export const controlPlane = "region-1";

/** The environment's name of the database's URL. */
const urlName = "ISOCHRON_BENCH_SOURCE_URL";

/** Opens it in a new folder; `only` names the tables of the preset to read. */
export async function openLaboratory(only: readonly string[]): Promise<Laboratory> {
  const data = await mkdtemp(join(tmpdir(), "isochron-bench-"));
  const database = { host: join(data, "run"), user: "isochron_admin" };
  process.env[urlName] = `postgresql://${database.user}@/pf9?host=${encodeURIComponent(database.host)}`;
  await writeFile(
    join(data, "isochron.yaml"),
    JSON.stringify({
      connections: [
        {
          name: connection,
          source: "sql",
          control_plane: controlPlane,
          config: { url: `env:${urlName}`, preset: "pf9-mngt", only },
        },
      ],
    }),
  );
  const config = loadConfig({ env: {}, cwd: data, flags: { data, log_level: "error" } });
  const isochron = await openIsochron(config, createLog({ level: "error", format: "json", colour: false }), {
    version: "bench",
  });
  const clients: pg.Client[] = [];
  const connect = async (name: string): Promise<pg.Client> => {
    const client = new pg.Client({ ...database, database: name });
    await client.connect();
    clients.push(client);
    return client;
  };
  const store = await connect("isochron");
  await store.query("CREATE DATABASE pf9");
  const foreign = await connect("pf9");
  await foreign.query(await readFile(new URL("../../test/sql-source/pf9-mngt.sql", import.meta.url), "utf8"));
  return {
    isochron,
    foreign,
    store,
    session: () => connect("pf9"),
    serverDir: join(data, "postgres"),
    close: async () => {
      for (const client of clients) await client.end();
      await isochron.close();
      await rm(data, { recursive: true, force: true });
    },
  };
}

export async function timed<T>(act: () => Promise<T>): Promise<{ result: T; seconds: number }> {
  const began = performance.now();
  const result = await act();
  return { result, seconds: (performance.now() - began) / 1000 };
}
