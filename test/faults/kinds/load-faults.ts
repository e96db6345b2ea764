import { existsSync } from "node:fs";
import { machine } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import type { FaultKind, Outcome, Scale } from "../fault-kind.ts";
import type { Lab } from "../lab.ts";
import { freePort } from "../private-postgres.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { World } from "../world.ts";
import { recover } from "./worker-faults.ts";

const heapMegabytes = 160;

/** Senders that never rest, against a worker with little memory that is killed in the middle. */
export const postStorm: FaultKind = {
  name: "post-storm",
  says: "senders post without a rest to a worker with a small heap, which is killed in between",
  short: false,
  async run(lab: Lab, random: SeededRandom, scale: Scale): Promise<Outcome> {
    const world = await World.open(lab, random, { readers: true });
    const recoveredMs: number[] = [];
    try {
      let worker = world.startWorker({ heapMegabytes });
      await worker.listening();
      world.sender.batchMax = 50;
      world.sender.restMsMax = 10;
      world.sender.start(10);
      for (let count = 0; count < (scale.short ? 1 : 3); count += 1) {
        await pause(random.whole(1_500, 3_000));
        if (!worker.running) world.violations.push(`the worker ended by itself: ${worker.log.slice(-400)}`);
        await worker.kill();
        worker = world.startWorker({ heapMegabytes });
        await worker.listening();
      }
      await pause(2_000);
      world.sender.restMsMax = 400;
      world.sender.batchMax = 4;
      await recover(world, recoveredMs, "a storm of posts");
      const kills = { "post storm": scale.short ? 1 : 3 };
      return await world.settle({
        injected: 1 + kills["post storm"],
        recoveredMs,
        kills,
        note: `${world.sender.acknowledged} events acknowledged, heap of ${heapMegabytes} MiB`,
      });
    } finally {
      await world.close();
    }
  },
};

const faketime = `/usr/lib/${machine() === "aarch64" ? "aarch64" : "x86_64"}-linux-gnu/faketime/libfaketimeMT.so.1`;

/** Leases and places must not depend on the clocks of those who hold them. */
export const clockSkew: FaultKind = {
  name: "clock-skew",
  says: "two workers whose clocks are an hour fast and an hour slow; the one that holds the leases is killed again and again",
  short: false,
  missing: () => (existsSync(faketime) ? undefined : "libfaketime is not installed"),
  async run(lab: Lab, random: SeededRandom): Promise<Outcome> {
    const world = await World.open(lab, random);
    const recoveredMs: number[] = [];
    const skewed = (offset: string) => ({
      LD_PRELOAD: faketime,
      FAKETIME: offset,
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    });
    const offsets = random.shuffled(["+3600", "-3600"]);
    try {
      const start = async (index: number) =>
        world.startWorker({
          env: skewed(offsets[index % 2]!),
          ...(index === 0 ? {} : { port: await freePort() }),
        });
      const workers = [await start(0), await start(1)];
      for (const worker of workers) await worker.listening();
      for (let count = 0; count < 4; count += 1) {
        await pause(random.whole(1_000, 3_000));
        await workers[count % 2]!.kill();
        workers[count % 2] = world.startWorker({
          env: skewed(offsets[(count + 1) % 2]!),
          ...(count % 2 === 0 ? {} : { port: await freePort() }),
        });
        await recover(world, recoveredMs, "a worker with a wrong clock");
      }
      return await world.settle({ injected: 2 + 4, recoveredMs, kills: { "wrong clock": 4 } });
    } finally {
      await world.close();
    }
  },
};
