import { setTimeout as pause } from "node:timers/promises";
import pg from "pg";
import type { FaultKind, Outcome, Scale } from "../fault-kind.ts";
import type { Lab } from "../lab.ts";
import type { PrivatePostgres } from "../private-postgres.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { patience } from "../patience.ts";
import { World, type WorldOptions } from "../world.ts";
import { recover } from "./worker-faults.ts";

/** What is done to a world while one worker harvests; gives what was not as it should be. */
type Strike = (world: World, random: SeededRandom, recoveredMs: number[]) => Promise<void>;

interface Struck {
  readonly name: string;
  readonly says: string;
  readonly short: boolean;
  readonly times: number;
  readonly strike: Strike;
  readonly options?: WorldOptions;
  /** How long recovery may take, where that is longer than usual. */
  readonly withinMs?: number;
  /** Connections are opened to a server of the fault's own. */
  readonly ownServer?: true;
  readonly missing?: () => string | undefined;
}

/** A kind that strikes a running world several times, each time until all told so far is stored. */
export function strikeWorld({
  name,
  says,
  short,
  times,
  strike,
  options,
  ownServer,
  missing,
  withinMs,
}: Struck): FaultKind {
  return {
    name,
    says,
    short,
    ...(missing === undefined ? {} : { missing }),
    async run(lab: Lab, random: SeededRandom, scale: Scale): Promise<Outcome> {
      const server = ownServer === true ? await lab.createServer() : undefined;
      const world = await World.open(lab, random, {
        ...options,
        ...(server === undefined ? {} : { server }),
      });
      const recoveredMs: number[] = [];
      try {
        await world.startWorker().listening();
        await world.caughtUp();
        for (let count = 0; count < (scale.short ? 1 : times); count += 1) {
          await strike(world, random, recoveredMs);
          await recover(world, recoveredMs, name, withinMs);
        }
        return await world.settle({ injected: recoveredMs.length, recoveredMs });
      } finally {
        await world.close();
        await server?.remove();
      }
    },
  };
}

export const databaseRestart = strikeWorld({
  name: "database-restart",
  says: "the store's PostgreSQL crashes in the middle of batches (immediate stop) and is started again",
  short: true,
  times: 4,
  ownServer: true,
  strike: async (world, random) => {
    await pause(random.whole(500, 3_000));
    await world.server.stop("SIGQUIT");
    await pause(random.whole(100, 1_500));
    await world.server.start();
  },
});

export const networkCut = strikeWorld({
  name: "network-cut",
  says: "the link between worker and store breaks, and nothing can be reached for seconds",
  short: true,
  times: 4,
  strike: async (world, random) => {
    await pause(random.whole(300, 2_000));
    world.link.mode = "refuse";
    await pause(random.whole(1_000, 5_000));
    world.link.mode = "pass";
  },
});

/** Answers are waited for a little longer than statements may take, 30 s; others may take over after 15 s. */
const halfOpenMsMax = 60_000 * patience;

export const halfOpen = strikeWorld({
  name: "half-open",
  says: "the store's far end vanishes without a word: links stay open and nothing comes back; new ones work",
  short: false,
  times: 2,
  strike: async (world, random) => {
    await pause(random.whole(300, 2_000));
    // A post on a silent link is answered once its statement is given up.
    world.sender.answerMsMax = halfOpenMsMax;
    world.link.freeze(random.chance(0.5) ? "blackhole" : "mute");
    // It has to notice by itself; nobody cuts the link.
    const took = await world.caughtUp(halfOpenMsMax, ["desk", "jobs"]);
    if (took === undefined)
      world.violations.push(`half-open links held the worker up for more than ${halfOpenMsMax / 1000} s`);
    world.link.cut();
  },
});

export const slowLink = strikeWorld({
  name: "slow-link",
  says: "every piece of data between worker and store takes 60 ms each way for a while",
  short: false,
  times: 2,
  strike: async (world) => {
    world.link.delayMs = 60;
    await pause(8_000);
    world.link.delayMs = 0;
    world.link.cut();
  },
});

export const poolExhausted = strikeWorld({
  name: "connections-exhausted",
  says: "others take every connection of the store's server, and ours are ended",
  short: false,
  times: 2,
  ownServer: true,
  strike: async (world, random) => {
    const held = await takeConnections(world.server);
    world.link.cut();
    await pause(random.whole(2_000, 5_000));
    await Promise.all(held.map((client) => client.end()));
  },
});

async function takeConnections(server: PrivatePostgres): Promise<readonly pg.Client[]> {
  const held: pg.Client[] = [];
  for (let count = 0; count < 200; count += 1) {
    const client = new pg.Client({ connectionString: server.url("postgres") });
    client.on("error", () => undefined);
    try {
      await client.connect();
    } catch (error) {
      // Too many connections: that is what we want.
      if ((error as { code?: string }).code !== "53300") throw error;
      return held;
    }
    held.push(client);
  }
  return held;
}

export const lockHolder = strikeWorld({
  name: "lock-holder",
  says: "somebody holds the connections' rows locked in an open transaction for seconds",
  short: false,
  times: 2,
  strike: async (world, random) => {
    const client = new pg.Client({ connectionString: world.server.url(world.database) });
    client.on("error", () => undefined);
    await client.connect();
    await client.query("BEGIN");
    await client.query("SELECT 1 FROM isochron.connection FOR UPDATE");
    await pause(random.whole(6_000, 9_000));
    await client.query("ROLLBACK");
    await client.end();
  },
});
