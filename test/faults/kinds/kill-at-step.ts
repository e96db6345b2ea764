import type { FaultKind, Outcome, Scale } from "../fault-kind.ts";
import { killPoints } from "../kill-points.ts";
import type { Lab } from "../lab.ts";
import type { SeededRandom } from "../seeded-random.ts";
import type { Misbehaviour } from "../ticket-desk.ts";
import { patience } from "../patience.ts";
import { recoveryMsMax, World } from "../world.ts";

const slowAnswerMs = 7_000;
const slowAnswer: Misbehaviour = (_, respond) => void setTimeout(respond, slowAnswerMs);

/** How long a step may take to be reached. */
const reachedMsMax = 45_000 * patience;

/** SIGKILL at each named step of a pass and of a post, one after the other, while everything goes on. */
export const killAtStep: FaultKind = {
  name: "kill-at-step",
  says: "SIGKILL of the worker at a named step of its work; it is started again at once",
  short: true,
  async run(lab: Lab, random: SeededRandom, scale: Scale): Promise<Outcome> {
    const steps = random.shuffled(killPoints.filter(({ during }) => during !== "open"));
    const world = await World.open(lab, random);
    const kills: Record<string, number> = {};
    const recoveredMs: number[] = [];
    try {
      let worker = world.startWorker();
      await worker.listening();
      for (const { name, during } of scale.short ? steps.slice(0, 5) : steps) {
        // A lease is renewed only in a pass that takes longer than a few seconds.
        world.desk.misbehave = during === "renewal" ? () => slowAnswer : undefined;
        await worker.arm({ step: name, nth: random.whole(1, 3), signal: "SIGKILL" });
        const ended = await worker.endsWithin(reachedMsMax);
        if (ended === undefined) {
          world.violations.push(`step ${name} was not reached`);
          await worker.kill();
        } else kills[name] = (kills[name] ?? 0) + 1;
        world.desk.misbehave = undefined;
        worker = world.startWorker();
        const took = await world.caughtUp();
        if (took === undefined) world.violations.push(`no recovery from a kill at ${name}: ${worker.log}`);
        recoveredMs.push(took ?? recoveryMsMax);
        if (took === undefined) break;
      }
      return await world.settle({ injected: recoveredMs.length, recoveredMs, kills });
    } finally {
      await world.close();
    }
  },
};
