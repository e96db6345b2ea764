import { statfsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { FaultKind, Outcome } from "../fault-kind.ts";
import type { Lab } from "../lab.ts";
import type { PrivatePostgres } from "../private-postgres.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { World } from "../world.ts";
import { recover } from "./worker-faults.ts";

interface Pair {
  readonly primary: PrivatePostgres;
  readonly standby: PrivatePostgres;
}

async function openPair(lab: Lab, synchronous: boolean): Promise<Pair> {
  const primary = await lab.createServer({ settings: ["wal_level = replica", "max_wal_senders = 5"] });
  const standby = await lab.createStandby(primary);
  if (synchronous) await primary.reload(["synchronous_standby_names = 'standby'", "synchronous_commit = on"]);
  return { primary, standby };
}

/** The primary's machine goes; the standby takes its place, and everybody is led there. */
async function failOver(world: World, { primary, standby }: Pair): Promise<void> {
  world.link.mode = "refuse";
  world.readerLink.mode = "refuse";
  await primary.kill();
  // What a stopped receiver has not read yet is lost with the primary's machine, also from the link's buffers.
  standby.signalChildren("walreceiver", "SIGTERM");
  standby.signalChildren("walreceiver", "SIGCONT");
  await standby.promote();
  world.moveTo(standby);
  world.link.mode = "pass";
  world.readerLink.mode = "pass";
}

async function closePair(world: World, { primary, standby }: Pair): Promise<void> {
  await world.close();
  standby.signalChildren("walreceiver", "SIGCONT");
  await primary.remove();
  await standby.remove();
}

export const failoverSync: FaultKind = {
  name: "failover-sync",
  says: "the primary is killed and a synchronous standby promoted: whatever was acknowledged is there",
  short: true,
  async run(lab: Lab, random: SeededRandom): Promise<Outcome> {
    const pair = await openPair(lab, true);
    const world = await World.open(lab, random, { server: pair.primary });
    const recoveredMs: number[] = [];
    try {
      await world.startWorker().listening();
      await world.caughtUp();
      await pause(random.whole(1_000, 3_000));
      await failOver(world, pair);
      await recover(world, recoveredMs, "a failover");
      return await world.settle({ injected: 1, recoveredMs });
    } finally {
      await closePair(world, pair);
    }
  },
};

/** The standby hears nothing for a while before the primary dies, so that acknowledged posts are gone. */
export const failoverAsync: FaultKind = {
  name: "failover-async",
  says: "the same with a standby that nobody waits for and that lags: posts may be lost, which must show; pulls heal themselves",
  short: true,
  async run(lab: Lab, random: SeededRandom): Promise<Outcome> {
    const pair = await openPair(lab, false);
    const world = await World.open(lab, random, { server: pair.primary });
    const recoveredMs: number[] = [];
    try {
      await world.startWorker().listening();
      await world.caughtUp();
      if (pair.standby.signalChildren("walreceiver", "SIGSTOP") === 0)
        world.violations.push("there is no receiver to stop");
      await pause(3_000);
      await failOver(world, pair);
      const took = await world.caughtUp(undefined, ["desk", "jobs"]);
      if (took === undefined) world.violations.push("pulls did not heal themselves");
      recoveredMs.push(took ?? 0);
      const outcome = await world.settle({ injected: 1, recoveredMs }, ["desk", "jobs"]);
      return forgivePosts(outcome);
    } finally {
      await closePair(world, pair);
    }
  },
};

/** Lost posts are what this fault is there to show; that none are lost would mean that it does not strike. */
function forgivePosts(outcome: Outcome): Outcome {
  const posts = outcome.lost.filter((name) => /^W\d+$/.test(name));
  const rest = outcome.lost.filter((name) => !posts.includes(name));
  const silent = posts.length === 0 ? ["no post was lost, so the fault did not strike"] : [];
  // What was shown and is gone went with the primary.
  const violations = outcome.violations.filter((text) => !text.includes("were shown and are gone"));
  return {
    ...outcome,
    lost: rest,
    // A claim that the lost primary made cannot be held against the standby.
    violations: [...violations, ...silent],
    note: `${posts.length} acknowledged posts went with the primary, as they may without a synchronous standby; of what is pulled nothing was lost`,
  };
}

export const standbyLag: FaultKind = {
  name: "standby-lag",
  says: "the synchronous standby stops to receive: posts are not acknowledged meanwhile; then the primary dies",
  short: false,
  async run(lab: Lab, random: SeededRandom): Promise<Outcome> {
    const pair = await openPair(lab, true);
    const world = await World.open(lab, random, { server: pair.primary });
    const recoveredMs: number[] = [];
    try {
      await world.startWorker().listening();
      await world.caughtUp();
      pair.standby.signalChildren("walreceiver", "SIGSTOP");
      await pause(1_000);
      const before = world.sender.acknowledged;
      await pause(5_000);
      const meanwhile = world.sender.acknowledged - before;
      if (meanwhile > 0)
        world.violations.push(`${meanwhile} posts were acknowledged that only the primary had`);
      await failOver(world, pair);
      await recover(world, recoveredMs, "a failover from a lagging standby");
      // While the primary waited for the standby, nobody could be answered.
      world.sender.hangs = 0;
      return await world.settle({ injected: 2, recoveredMs });
    } finally {
      await closePair(world, pair);
    }
  },
};

const diskMegabytes = 200;

export const diskFull: FaultKind = {
  name: "disk-full",
  says: "the disk of the store's server fills up: posts are put off, reading goes on; it goes on once there is room",
  short: false,
  missing: () => (process.getuid?.() === 0 ? undefined : "only root can mount a small disk"),
  async run(lab: Lab, random: SeededRandom): Promise<Outcome> {
    const disk = lab.mountDisk(diskMegabytes);
    const recoveredMs: number[] = [];
    let server: PrivatePostgres | undefined;
    let world: World | undefined;
    try {
      const settings = ["max_wal_size = 32MB", "min_wal_size = 32MB", "fsync = off"];
      server = await lab.createServer({ data: join(disk, "data"), settings });
      world = await World.open(lab, random, { server });
      await world.startWorker().listening();
      await world.caughtUp();
      await server.fill("ballast", freeBytes(disk));
      await pause(8_000);
      const put =
        [...world.sender.statuses].filter(([status]) => status === 503 || status === 507).length > 0;
      if (!put) world.violations.push(`no post was put off: ${JSON.stringify([...world.sender.statuses])}`);
      await rm(join(server.data, "ballast"));
      if (server.pid === undefined) await server.start();
      await recover(world, recoveredMs, "a full disk");
      return await world.settle({ injected: 1, recoveredMs });
    } finally {
      await world?.close();
      await server?.remove();
      lab.unmountDisk(disk);
    }
  },
};

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}
