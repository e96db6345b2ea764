import fc from "fast-check";
import { expect, test } from "vitest";
import type { Permit, Verdict } from "./circuit-breaker.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";

function breakerOver() {
  const world = { now: 0, closings: 0 };
  const breaker = new CircuitBreaker({
    nowMs: () => world.now,
    random: () => 1,
    onClosed: () => (world.closings += 1),
  });
  const tell = (...verdicts: Verdict[]) => {
    for (const verdict of verdicts) breaker.settle(admitted(breaker), verdict);
  };
  return { world, breaker, tell };
}

function admitted(breaker: CircuitBreaker): Permit {
  const permit = breaker.admit();
  if ("reason" in permit) throw new Error("nothing may leave");
  return permit;
}

test("it opens at the fifth failure in a row, not before", () => {
  const { breaker, tell } = breakerOver();
  tell("bad", "bad", "bad", "bad", "denied", "bad", "bad", "bad", "bad", "unknown");
  expect(breaker.state).toBe("closed");
  tell("bad");
  expect(breaker.state).toBe("open");
});

test("it opens when more than half of the last twenty failed", () => {
  const { breaker, tell } = breakerOver();
  for (let count = 0; count < 30; count++) tell("bad", "good");
  expect(breaker.state).toBe("closed");
  tell("bad", "bad");
  expect(breaker.state).toBe("open");
});

test("while open nothing leaves; then one probe leaves, and only one", () => {
  const { world, breaker, tell } = breakerOver();
  world.now = 1000;
  tell("bad", "bad", "bad", "bad", "bad");
  expect(breaker.admit()).toEqual({ reason: "failing", sinceMs: 1000, retryInMs: 10_000 });
  world.now = 10_999;
  expect(breaker.admit()).toMatchObject({ retryInMs: 1 });
  world.now = 11_000;
  expect(breaker.state).toBe("half-open");
  const probe = admitted(breaker);
  expect(breaker.admit()).toMatchObject({ reason: "failing", retryInMs: 0 });
  breaker.settle(probe, "good");
  expect([breaker.state, world.closings]).toEqual(["closed", 1]);
});

test("each probe that fails makes the rest twice as long, up to five minutes, and the beginning stays", () => {
  const { world, breaker, tell } = breakerOver();
  tell("bad", "bad", "bad", "bad", "bad");
  const rests: number[] = [];
  for (let count = 0; count < 8; count++) {
    const { sinceMs, retryInMs } = breaker.look()!;
    expect(sinceMs).toBe(0);
    rests.push(retryInMs);
    world.now += retryInMs;
    tell("bad");
  }
  expect(rests).toEqual([10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]);
});

test("a probe that was given up says nothing, and the next may go", () => {
  const { world, breaker, tell } = breakerOver();
  tell("bad", "bad", "bad", "bad", "bad");
  world.now = 10_000;
  breaker.settle(admitted(breaker), "unknown");
  expect(breaker.state).toBe("half-open");
  expect(admitted(breaker).isProbe).toBe(true);
});

test("answers to requests from before it opened change nothing, then and when it has closed again", () => {
  const { world, breaker, tell } = breakerOver();
  const late = Array.from({ length: 6 }, () => admitted(breaker));
  tell("bad", "bad", "bad", "bad", "bad");
  breaker.settle(late.pop()!, "good");
  expect(breaker.state).toBe("open");
  world.now = 10_000;
  tell("good");
  for (const permit of late) breaker.settle(permit, "bad");
  expect(breaker.state).toBe("closed");
});

test("refused credentials are tried again after a minute, then ever later, up to a quarter of an hour", () => {
  const { world, breaker, tell } = breakerOver();
  breaker.open("credential");
  const rests: number[] = [];
  for (let count = 0; count < 6; count++) {
    const { reason, retryInMs } = breaker.look()!;
    expect(reason).toBe("credential");
    rests.push(retryInMs);
    world.now += retryInMs;
    tell("denied");
  }
  expect(rests).toEqual([60_000, 120_000, 240_000, 480_000, 900_000, 900_000]);
});

test("in no history do two requests leave while it is not closed, and it always closes when the source is well", () => {
  const verdict = fc.constantFrom<Verdict>("good", "bad", "denied", "unknown");
  const step = fc.record({ restMs: fc.integer({ min: 0, max: 30_000 }), verdict, settles: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const { world, breaker, tell } = breakerOver();
      const underWay: Permit[] = [];
      let probe: Permit | undefined;
      for (const { restMs, verdict: outcome, settles } of steps) {
        world.now += restMs;
        const before = breaker.state;
        const answer = breaker.admit();
        if (before === "open") expect("reason" in answer).toBe(true);
        if (!("reason" in answer)) {
          if (answer.isProbe) expect(probe).toBeUndefined();
          if (answer.isProbe) probe = answer;
          underWay.push(answer);
        }
        for (let count = 0; count < settles && underWay.length > 0; count++) {
          const permit = underWay.shift()!;
          breaker.settle(permit, outcome);
          if (permit === probe) probe = undefined;
        }
      }
      for (const permit of underWay) breaker.settle(permit, "unknown");
      world.now += 900_000;
      tell("good");
      expect(breaker.state).toBe("closed");
    }),
  );
});
