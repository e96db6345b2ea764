import { setTimeout as pause } from "node:timers/promises";
import type { FaultKind, Outcome, Scale } from "../fault-kind.ts";
import { killPoints } from "../kill-points.ts";
import type { Lab } from "../lab.ts";
import { freePort } from "../private-postgres.ts";
import type { SeededRandom } from "../seeded-random.ts";
import type { Worker } from "../worker.ts";
import { patience } from "../patience.ts";
import { recoveryMsMax, World } from "../world.ts";

/** After SIGTERM a worker finishes what it holds; what takes longer is a hang. */
const drainMsMax = 20_000 * patience;

/** Waits until all told so far is stored, and writes down how long that took. */
export async function recover(
  world: World,
  recoveredMs: number[],
  after: string,
  withinMs = recoveryMsMax,
): Promise<void> {
  const took = await world.caughtUp(withinMs);
  if (took === undefined)
    world.violations.push(`no recovery from ${after}: ${world.workers.at(-1)?.log.slice(-600)}`);
  recoveredMs.push(took ?? withinMs);
}

export const sigterm: FaultKind = {
  name: "sigterm",
  says: "SIGTERM under load: the worker finishes what it holds, frees its leases and ends with 0",
  short: true,
  async run(lab: Lab, random: SeededRandom, scale: Scale): Promise<Outcome> {
    const world = await World.open(lab, random);
    const recoveredMs: number[] = [];
    try {
      let worker = world.startWorker();
      await worker.listening();
      for (let count = 0; count < (scale.short ? 2 : 6); count += 1) {
        await pause(random.whole(1_000, 3_000));
        worker.signal("SIGTERM");
        const ended = await worker.endsWithin(drainMsMax);
        if (ended?.code !== 0)
          world.violations.push(`SIGTERM ended with ${ended?.signal ?? ended?.code ?? "nothing"}`);
        if (ended === undefined) await worker.kill();
        worker = world.startWorker();
        await recover(world, recoveredMs, "SIGTERM");
      }
      return await world.settle({ injected: recoveredMs.length, recoveredMs });
    } finally {
      await world.close();
    }
  },
};

/** As often as the connection is told to be polled, and one start; each pass asks for lists and histories. */
const requestsPerSecondMax = 400;

export const crashLoop: FaultKind = {
  name: "crash-loop",
  says: "all workers are killed together, again and again, sooner than a lease runs out",
  short: false,
  async run(lab: Lab, random: SeededRandom): Promise<Outcome> {
    const world = await World.open(lab, random);
    const recoveredMs: number[] = [];
    const rounds = 10;
    try {
      const ports = await Promise.all([undefined, freePort()]);
      let workers: Worker[] = [];
      const startAll = () => ports.map((port) => world.startWorker(port === undefined ? {} : { port }));
      for (let round = 0; round < rounds; round += 1) {
        workers = startAll();
        await pause(random.whole(600, 4_000));
        for (const worker of workers) worker.signal("SIGKILL");
        await Promise.all(workers.map((worker) => worker.ended));
      }
      workers = startAll();
      await recover(world, recoveredMs, "a crash loop");
      const busiest = busiestSecond(world.desk.requests);
      if (busiest > requestsPerSecondMax)
        world.violations.push(`the desk was asked ${busiest} times in a second`);
      return await world.settle({
        injected: rounds * ports.length,
        recoveredMs,
        kills: { "any moment": rounds * ports.length },
        note: `at most ${busiest} requests in a second to the desk`,
      });
    } finally {
      await world.close();
    }
  },
};

function busiestSecond(moments: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const at of moments) counts.set(Math.floor(at / 1000), (counts.get(Math.floor(at / 1000)) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}

/** Starts an empty store under kills: the roles and the schema have to come about all the same. */
export const killAtOpen: FaultKind = {
  name: "kill-at-open",
  says: "SIGKILL while the program opens an empty database: after the roles, within a migration, after one",
  short: true,
  async run(lab: Lab, random: SeededRandom, scale: Scale): Promise<Outcome> {
    const world = await World.open(lab, random, { readers: false, still: true });
    const kills: Record<string, number> = {};
    const recoveredMs: number[] = [];
    try {
      await world.server.ask(`DROP DATABASE ${world.database}`);
      await world.server.ask(`CREATE DATABASE ${world.database} ENCODING 'UTF8' TEMPLATE template0`);
      for (const { name } of killPoints.filter(({ during }) => during === "open")) {
        for (let nth = 1; nth <= (scale.short || name === "roles-made" ? 1 : 3); nth += 1) {
          const worker = world.startWorker({ strike: { step: name, nth, signal: "SIGKILL" } });
          const ended = await worker.endsWithin(drainMsMax);
          if (ended?.signal === "SIGKILL") kills[name] = (kills[name] ?? 0) + 1;
          else await worker.kill();
        }
      }
      const began = performance.now();
      const worker = world.startWorker();
      await worker.listening();
      recoveredMs.push(performance.now() - began);
      await worker.kill();
      return {
        injected: Object.values(kills).reduce((sum, count) => sum + count, 0),
        recoveredMs,
        kills,
        expected: 0,
        lost: [],
        duplicate: [],
        extra: [],
        claims: 0,
        falseClaims: [],
        violations: world.violations,
      };
    } finally {
      await world.close();
    }
  },
};
