import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../test/database.ts";
import { connection, draft, event, minute, page } from "../../test/drafts.ts";
import { instant } from "../model/instant.ts";
import { keepLearning, learnTypePairs } from "./learn-pairs.ts";
import type { Scheduler } from "./scheduler.ts";

let db: TestStore;
beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect({ ...connection, config: {} });
  const events = Array.from({ length: 12 }, (_, index) => {
    const subject = { kind: "host", id: `compute-${index}` };
    const at = index * 600;
    return [
      draft(`flash ${index}`, at, { type: "firmware.flashed", subject }),
      draft(`down ${index}`, at + 3, { type: "host.down", kind: "symptom", severity: "critical", subject }),
    ];
  }).flat();
  await db.store.events.append(page(events.map((one) => event(one))));
});
afterAll(() => db.close());

const now = () => minute(12 * 600);
const quiet: Scheduler = { wait: async () => undefined, every: () => () => undefined };

test("what came before a symptom on the same things again and again is learnt from the store", async () => {
  expect(await learnTypePairs({ ...db.store, now })).toBe(1);
  const [pair] = await db.store.typePairs.pairs(["host.down"], ["firmware.flashed"]);
  expect(pair).toMatchObject({ together: 12, direction: 1 });
  expect(pair!.lift).toBeGreaterThan(5);
});

test("it is learnt once a day, by whichever process looks first, and a time that failed is tried again", async () => {
  const { typePairs } = db.store;
  const ended = new AbortController();
  const asked: string[] = [];
  const parts = {
    ...db.store,
    // A day goes by before the third look, and is learnt from once.
    now: () => instant(Date.now() + (asked.length === 3 ? 25 * 3_600_000 : 0)),
    typePairs: {
      ...typePairs,
      learntAt: async () => {
        asked.push("look");
        if (asked.length === 2) throw new Error("gone");
        if (asked.length === 5) ended.abort();
        return typePairs.learntAt();
      },
      replace: async () => void asked.push("learn"),
    },
  };
  const failures: unknown[] = [];
  await keepLearning({ ...parts, scheduler: quiet, onError: (error) => failures.push(error) }, ended.signal);
  expect(asked).toEqual(["look", "look", "look", "learn", "look"]);
  expect(failures).toHaveLength(1);
});
