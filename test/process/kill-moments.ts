import { existsSync, globSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { eventually } from "../eventually.ts";
import { countStored, HeldCommits, type EmbeddedStore } from "../outside-store.ts";

/** Settles when a process that fills the store has come to the moment, and gives what has to be undone after the kill. */
export type KillMoment = (store: EmbeddedStore) => Promise<(() => void) | undefined>;

/** Moments of an import of `records` lines at which it is killed. */
export function killMoments(records: number): readonly (readonly [string, KillMoment])[] {
  return [
    ["while the database is being made", whenThereIs("postgres.new*/base")],
    ["while the server starts", whenThereIs("postgres/postmaster.pid")],
    ["while the first page waits for its commit", whileCommitWaits(0)],
    ["right after the commit of the first page", whenStored(1)],
    ["while the second page waits for its commit", whileCommitWaits(1)],
    ["right after the commit of the last page", whenStored(records)],
  ];
}

function whenThereIs(path: string): KillMoment {
  return async (store) => {
    await eventually(`there is ${path}`, () => globSync(join(store.data, path)).length > 0, { everyMs: 1 });
    return undefined;
  };
}

function whenStored(count: number): KillMoment {
  return async (store) => {
    const client = await connectEarly(store);
    const stored = async () => (await countStored(client)) >= count;
    await eventually(`${count} records are stored`, stored, { everyMs: 1 });
    return () => void client.end().catch(() => undefined);
  };
}

function whileCommitWaits(stored: number): KillMoment {
  return async (store) => {
    const client = await connectEarly(store);
    const reached = async () => (await countStored(client)) >= stored;
    await eventually(`${stored} records are stored`, reached, { everyMs: 1 });
    await client.end();
    const held = await HeldCommits.hold(store);
    await held.met();
    return () => held.abandon();
  };
}

/** Connects as soon as the server of another process has its tables. */
async function connectEarly(store: EmbeddedStore): Promise<pg.Client> {
  return eventually(
    "the store has its tables",
    async () => {
      if (!existsSync(join(store.data, "run/.s.PGSQL.5432"))) return undefined;
      const client = await store.connect().catch(() => undefined);
      if (client === undefined) return undefined;
      const { rows } = await client.query("SELECT to_regclass('isochron.reattribution_due') AS found");
      if (rows[0].found !== null) return client;
      await client.end();
      return undefined;
    },
    { everyMs: 1 },
  );
}
