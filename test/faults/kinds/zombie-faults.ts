import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../../eventually.ts";
import type { FaultKind, Outcome, Scale } from "../fault-kind.ts";
import type { Lab } from "../lab.ts";
import { freePort } from "../private-postgres.ts";
import type { SeededRandom } from "../seeded-random.ts";
import { patience } from "../patience.ts";
import { World } from "../world.ts";
import { recover } from "./worker-faults.ts";

/** For how long a stopped worker may hold up its rival: the database ends idle transactions, leases run out. */
const heldUpMsMax = 35_000 * patience;
const lookMs = 100;

/** A holder learns that its lease has passed on when it stores, or at its next renewal. */
const toldMsMax = 20_000 * patience;

/** Stops one of two workers at a step for longer than its lease, lets the other take over, and wakes the first up. */
function stopAt(name: string, says: string, steps: readonly string[], short: boolean): FaultKind {
  return {
    name,
    says,
    short,
    async run(lab: Lab, random: SeededRandom, scale: Scale): Promise<Outcome> {
      const world = await World.open(lab, random);
      const recoveredMs: number[] = [];
      try {
        const zombie = world.startWorker({ port: await freePort() });
        await zombie.listening();
        for (const step of scale.short ? [random.pick(steps)] : steps) {
          await zombie.arm({ step, nth: random.whole(1, 4), signal: "SIGSTOP" });
          await eventually(`a worker stops at ${step}`, () => zombie.stopped, {
            withinMs: 60_000 * patience,
          });
          const before = await epochsOf(world);
          const rival = world.startWorker();
          await rival.listening();
          const took = await takenOver(world, before);
          if (took === undefined)
            world.violations.push(
              `a worker stopped at ${step} held the other up for more than ${heldUpMsMax / 1000} s`,
            );
          recoveredMs.push(took ?? heldUpMsMax);
          await world.caughtUp();
          zombie.signal("SIGCONT");
          // What it does now is fenced off.
          await pause(random.whole(1_500, 3_000));
          if (!zombie.running)
            world.violations.push(`a worker that was woken up at ${step} ended: ${zombie.log.slice(-400)}`);
          rival.signal("SIGTERM");
          await rival.ended;
        }
        const last = world.startWorker();
        await last.listening();
        await recover(world, recoveredMs, "zombies");
        return await world.settle({ injected: recoveredMs.length - 1, recoveredMs });
      } finally {
        await world.close();
      }
    },
  };
}

export const stopInTransaction = stopAt(
  "stop-in-transaction",
  "SIGSTOP of a worker inside its transaction, while it holds the connection's row; a rival goes on",
  ["connection-held", "events-written", "cursor-moved", "before-commit"],
  true,
);

export const stopPastLease = stopAt(
  "stop-past-lease",
  "SIGSTOP of a worker outside any transaction until its lease has passed on; then it wakes up",
  ["lease-taken", "page-fetched", "records-normalised", "before-append"],
  false,
);

/** Two workers who both believe that the lease is theirs: the table is edited under the holder. */
export const twoWorkersOneLease: FaultKind = {
  name: "two-workers-one-lease",
  says: "the lease table is edited under a holder that is in the middle of a page; its page must be refused",
  short: true,
  async run(lab: Lab, random: SeededRandom, scale: Scale): Promise<Outcome> {
    const world = await World.open(lab, random);
    const recoveredMs: number[] = [];
    try {
      const first = world.startWorker();
      await first.listening();
      let known = 0;
      for (let count = 0; count < (scale.short ? 2 : 5); count += 1) {
        // Only a pass comes by here, so that it is a holder of a lease who stops.
        await first.arm({ step: "page-fetched", nth: random.whole(1, 3), signal: "SIGSTOP" });
        await eventually("the holder stops", () => first.stopped, { withinMs: 60_000 * patience });
        await world.server.ask(
          "UPDATE isochron.connection SET epoch = epoch + 1, holder = NULL, lease_until = NULL WHERE name IN ('desk', 'jobs')",
          world.database,
        );
        const before = await epochsOf(world);
        first.signal("SIGCONT");
        const told = await eventually(
          "it is told",
          () => /passed on|taken over/.test(first.log.slice(known)),
          {
            withinMs: toldMsMax,
          },
        ).catch(() => false);
        if (!told) world.violations.push("a page was taken from a holder whose lease had passed on");
        known = first.log.length;
        const after = await epochsOf(world);
        if ([...before].some(([name, epoch]) => (after.get(name) ?? 0) < epoch))
          world.violations.push("an epoch went back");
        await recover(world, recoveredMs, "an edited lease");
      }
      return await world.settle({ injected: recoveredMs.length, recoveredMs });
    } finally {
      await world.close();
    }
  },
};

async function epochsOf(world: World): Promise<ReadonlyMap<string, number>> {
  const rows = await world.server.ask(
    "SELECT name, epoch FROM isochron.connection WHERE name IN ('desk', 'jobs')",
    world.database,
  );
  return new Map(rows.map((row) => [String(row["name"]), Number(row["epoch"])]));
}

/** How long it takes until both pulling connections are held anew; undefined when it takes too long. */
async function takenOver(world: World, before: ReadonlyMap<string, number>): Promise<number | undefined> {
  const began = performance.now();
  while (performance.now() - began < heldUpMsMax) {
    const epochs = await epochsOf(world);
    if ([...before].every(([name, epoch]) => (epochs.get(name) ?? 0) > epoch))
      return performance.now() - began;
    await pause(lookMs);
  }
  return undefined;
}
