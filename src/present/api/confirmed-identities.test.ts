import { expect, test } from "vitest";
import { IsochronError } from "../../errors.ts";
import type { Identity } from "../../model/identity.ts";
import { instant } from "../../model/instant.ts";
import { ConfirmedIdentities } from "./confirmed-identities.ts";
import { TestClock } from "../../../test/api-host.ts";

const freshMs = 60_000;

function ask(clock: TestClock, expiresInMs = 3_600_000) {
  const identity: Identity = {
    subject: "keystone/u-1",
    name: "ada",
    grants: [],
    expiresAt: instant(clock.now + expiresInMs),
  };
  return async () => identity;
}

function refuse(code: "not-signed-in" | "identity-unavailable") {
  return async (): Promise<Identity> => {
    throw new IsochronError(code, "No.", "Else.");
  };
}

/** Counts how often it is asked. */
function counted(asking: () => Promise<Identity>) {
  const count = { asked: 0, ask: () => (count.asked++, asking()) };
  return count;
}

test("a word is good until it is as old as may be, counted from the question", async () => {
  const clock = new TestClock();
  const known = new ConfirmedIdentities(clock.read, 10);
  const slow = counted(async () => {
    clock.pass(10_000);
    return ask(clock)();
  });
  await known.find("a", freshMs, slow.ask);
  clock.pass(49_999);
  await known.find("a", freshMs, slow.ask);
  expect(slow.asked).toBe(1);
  expect(known.isKnown("a", 20_000)).toBe(false);
  clock.pass(1);
  await known.find("a", freshMs, slow.ask);
  expect(slow.asked).toBe(2);
});

test("all who want to know at once ask once", async () => {
  const known = new ConfirmedIdentities(new TestClock().read, 10);
  const service = counted(ask(new TestClock()));
  await Promise.all(Array.from({ length: 20 }, () => known.find("a", freshMs, service.ask)));
  expect(service.asked).toBe(1);
});

test("a refusal is remembered for five seconds, a failure not at all, and neither lets an old word live", async () => {
  const clock = new TestClock();
  const known = new ConfirmedIdentities(clock.read, 10);
  await known.find("a", freshMs, ask(clock));
  clock.pass(freshMs);
  await expect(known.find("a", freshMs, refuse("identity-unavailable"))).rejects.toThrow("No.");
  const good = counted(ask(clock));
  await known.find("a", freshMs, good.ask);
  expect(good.asked).toBe(1);
  clock.pass(freshMs);
  await expect(known.find("a", freshMs, refuse("not-signed-in"))).rejects.toMatchObject({
    code: "not-signed-in",
  });
  clock.pass(4_999);
  await expect(known.find("a", freshMs, good.ask)).rejects.toMatchObject({ code: "not-signed-in" });
  clock.pass(1);
  await known.find("a", freshMs, good.ask);
  expect(good.asked).toBe(2);
});

test("a word that has run out lets nobody in", async () => {
  const clock = new TestClock();
  const known = new ConfirmedIdentities(clock.read, 10);
  await expect(known.find("a", freshMs, ask(clock, 0))).rejects.toMatchObject({ code: "not-signed-in" });
  await known.find("b", freshMs, ask(clock, 10_000));
  clock.pass(9_999);
  expect(known.isKnown("b", freshMs)).toBe(true);
  clock.pass(1);
  expect(known.isKnown("b", freshMs)).toBe(false);
});

test("a clock that was set back makes every word an old one", async () => {
  const clock = new TestClock();
  const known = new ConfirmedIdentities(clock.read, 10);
  const service = counted(ask(clock));
  await known.find("a", freshMs, service.ask);
  clock.pass(-1);
  await known.find("a", freshMs, service.ask);
  expect(service.asked).toBe(2);
});

test("no more is remembered than was allowed: the oldest is asked about again", async () => {
  const clock = new TestClock();
  const known = new ConfirmedIdentities(clock.read, 3);
  for (const key of ["a", "b", "c", "d"]) await known.find(key, freshMs, ask(clock));
  expect(["a", "b", "c", "d"].map((key) => known.isKnown(key, freshMs))).toEqual([false, true, true, true]);
  known.forget("b");
  known.rename("c", "e");
  expect(["b", "c", "d", "e"].map((key) => known.isKnown(key, freshMs))).toEqual([false, false, true, true]);
});
