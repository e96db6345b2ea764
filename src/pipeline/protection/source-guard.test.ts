import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { guardOver, StillTime } from "../../../test/guard.ts";
import { ByteCredits } from "./byte-credits.ts";
import type { Judgement, SourceGuard } from "./source-guard.ts";

const signal = new AbortController().signal;
const good: Judgement = { verdict: "good", slowDown: false };
const bad: Judgement = { verdict: "bad", slowDown: true, problem: "It answered 500." };
const denied: Judgement = { verdict: "denied", slowDown: false };

function ask(guard: SourceGuard, judgement: Judgement, target = "nova"): Promise<Judgement> {
  return guard.request(
    target,
    () => Promise.resolve(judgement),
    (outcome) => outcome,
    signal,
  );
}

async function fail(guard: SourceGuard, target = "nova"): Promise<void> {
  for (let count = 0; count < 5; count++) await ask(guard, bad, target);
}

describe("a source that fails", () => {
  test("is left alone with a reason, a beginning and a time to come, and no request leaves", async () => {
    const guard = guardOver(new StillTime());
    await fail(guard);
    expect(guard.state()).toMatchObject({ breaker: "open", requests: 5 });
    await expect(ask(guard, good)).rejects.toMatchObject({
      code: "source-unavailable",
      problem:
        "nova@region-1 has been left alone since 2026-11-21T00:00:00.000Z, because its requests failed. The last problem: It answered 500.",
      remedy: "It is tried again at 2026-11-21T00:00:09.000Z. Check the source and the way to it.",
    });
    expect(guard.state().requests).toBe(5);
  });

  test("does not hide what else the connection asks, but when all is away the pass fails at once", async () => {
    const guard = guardOver(new StillTime());
    await ask(guard, good, "cinder");
    await fail(guard, "nova");
    guard.check();
    expect(await ask(guard, good, "cinder")).toBe(good);
    await fail(guard, "cinder");
    expect(() => guard.check()).toThrow("left alone");
  });

  test("is come back to by a ramp once a probe went well", async () => {
    const time = new StillTime();
    const guard = guardOver(time, { limits: { requestsPerSecond: 40, requestsAtOnce: 8 } });
    await fail(guard);
    time.ms += 9000;
    await ask(guard, good);
    expect(guard.state()).toMatchObject({ breaker: "closed", requestsAtOnce: 1 });
    const from = time.ms;
    for (let count = 0; count < 10; count++) await ask(guard, good);
    expect(time.ms - from).toBeGreaterThan(4000);
  });
});

test("refused credentials stop everything that the connection asks, and are said to be what is wrong", async () => {
  const time = new StillTime();
  const guard = guardOver(time);
  guard.denied("Keystone refused the credentials (401).");
  await expect(ask(guard, good, "anything")).rejects.toMatchObject({
    code: "source-denied",
    problem: expect.stringContaining("Keystone refused the credentials (401).") as string,
  });
  time.ms += 60_000;
  await ask(guard, denied);
  expect(() => guard.check()).toThrow("refuses our credentials");
  time.ms += 120_000;
  await ask(guard, good);
  guard.check();
});

test("a target given up during the wait does not use up the one probe that tries the credentials again", async () => {
  const time = new StillTime();
  let onWait = (): void => undefined;
  const wait = async (ms: number) => {
    time.ms += ms;
    onWait();
  };
  const clock = { nowMs: time.nowMs, wallNowMs: time.nowMs, random: () => 0, wait };
  const guard = guardOver(time, { clock, limits: { requestsPerSecond: 0.01, requestsAtOnce: 1 } });
  await ask(guard, good, "cinder");
  guard.denied("It answered 401.");
  time.ms += 60_000;
  onWait = () => guard.restFor("nova", 3_600_000);
  await expect(ask(guard, good, "nova")).rejects.toThrow("asked for a rest");
  expect(await ask(guard, good, "cinder")).toBe(good);
});

test("a process that starts gently asks a twentieth of the rate at first", async () => {
  const time = new StillTime();
  const limits = { requestsPerSecond: 100, requestsAtOnce: 20 };
  const guard = guardOver(time, { limits, startsGently: true });
  for (let count = 0; count < 10; count++) await ask(guard, good);
  expect(time.ms).toBeGreaterThanOrEqual(1000);
  expect(guard.state()).toMatchObject({ requestsAtOnce: 1, throttledMs: time.ms });
});

test("a request that waited for its turn does not leave when the source was given up meanwhile", async () => {
  const time = new StillTime();
  const guard = guardOver(time, { limits: { requestsPerSecond: 1, requestsAtOnce: 1 } });
  let sent = 0;
  const left = Promise.withResolvers<void>();
  const held = Promise.withResolvers<Judgement>();
  const send = () => {
    sent += 1;
    left.resolve();
    return held.promise;
  };
  const first = guard.request("nova", send, (outcome) => outcome, signal);
  const second = guard.request("nova", send, (outcome) => outcome, signal);
  await left.promise;
  guard.restFor("nova", 60_000);
  held.resolve(good);
  await first;
  await expect(second).rejects.toThrow("asked for a rest");
  expect(sent).toBe(1);
});

test("a send that throws gives its place back and says nothing about the source", async () => {
  const guard = guardOver(new StillTime(), { limits: { requestsPerSecond: 1000, requestsAtOnce: 1 } });
  for (let count = 0; count < 10; count++) {
    const broken = guard.request(
      "nova",
      () => Promise.reject(new Error("a bug")),
      () => good,
      signal,
    );
    await expect(broken).rejects.toThrow("a bug");
  }
  expect(await ask(guard, good)).toBe(good);
});

test("whatever the answers, also over retries, no second has more requests than the rate", async () => {
  const outcome = fc.constantFrom(good, bad, denied, good, good);
  const steps = fc.array(fc.record({ restMs: fc.nat(700), outcome }), { maxLength: 150 });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 12 }),
      fc.boolean(),
      steps,
      async (rate, startsGently, list) => {
        const time = new StillTime();
        const limits = { requestsPerSecond: rate, requestsAtOnce: 3 };
        const guard = guardOver(time, { limits, startsGently });
        const sent: number[] = [];
        for (const { restMs, outcome: one } of list) {
          time.ms += restMs;
          const send = () => {
            sent.push(time.ms);
            return Promise.resolve(one);
          };
          const made = guard.request("nova", send, (judgement) => judgement, signal);
          await made.catch((error: Error) => expect(error.message).toContain("left alone"));
        }
        for (const from of sent) {
          expect(sent.filter((at) => at >= from && at < from + 1000).length).toBeLessThanOrEqual(rate);
        }
      },
    ),
  );
});

test("bytes are held until the page ends, also those that came late", async () => {
  const credits = new ByteCredits(4000);
  const guard = guardOver(new StillTime(), { credits: credits.account("nova") });
  await guard.takeBytes(600, signal);
  await guard.takeBytes(400, signal);
  await expect(guard.takeBytes(1, signal)).rejects.toMatchObject({ code: "source-malformed" });
  expect(credits.heldBytes).toBe(1000);
  guard.endPage();
  expect(credits.heldBytes).toBe(0);
  await guard.takeBytes(1000, signal);
  guard.endPage();
  expect(credits.heldBytes).toBe(0);
});
