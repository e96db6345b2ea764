import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TestStore } from "../../test/database.ts";
import { countEvents, openTestStore } from "../../test/database.ts";
import { notification, stagesOver } from "../../test/stages.ts";
import { createTimedSource, timedAt, timedIo, type TimedSource } from "../../test/timed-source.ts";
import type { Instant } from "../model/instant.ts";
import { duration, instant } from "../model/instant.ts";
import type { PullSource, WebhookSource } from "../sources/source.ts";
import { harvestOnce } from "./harvest.ts";
import type { Stages } from "./ingest.ts";
import { ingest } from "./ingest.ts";
import {
  isReconcileDue,
  reconcileAndCount,
  reconcileOnce,
  reconcileWhenDue,
  whyNotReconciled,
  type ReconcilePass,
} from "./reconcile.ts";

const hourMs = 3_600_000;
const hour = 3600;
const connection = { name: "timed", source: "timed", controlPlane: "cloud" };
let opened: TestStore;
let stages: Stages;
let nowSeconds: number;
const now = (): Instant => timedAt(nowSeconds);

beforeEach(async () => {
  opened = await openTestStore();
  nowSeconds = 2 * hour;
  stages = { ...stagesOver(opened.store), now };
});

afterEach(() => opened.close());

function passOf(source: TimedSource | WebhookSource, name = "timed"): ReconcilePass {
  return {
    connection: { ...connection, name },
    source: source as unknown as ReconcilePass["source"],
    config: {},
    io: timedIo(now),
    holder: "me",
    intervalMs: 60_000,
  };
}

const harvest = (source: TimedSource, name = "timed") =>
  harvestOnce(stages, { ...passOf(source, name), source: source as unknown as PullSource });
const state = async () => (await opened.store.reader.coverage({ kind: "provider" })).connections[0];
const hole = (from: number, to: number) => ({
  from: timedAt(from),
  to: timedAt(to),
  reason: "outage" as const,
  says: "We were away.",
});
const lateRecord = (second: number) => ({
  ...notification(second, "volume.create.end", { volume_id: `v${second}`, tenant_id: "acme" }),
  receivedAt: now(),
});
const minutes = (count: number) => Array.from({ length: count }, (_, minute) => minute * 60);

describe("a comparison with a pulling source", () => {
  it("finds what became readable behind the cursor, once, and says so", async () => {
    const source = createTimedSource(minutes(110), 20);
    await harvest(source);
    source.numbers.push(30, 4000);
    expect(await harvest(source)).toMatchObject({ created: 0 });
    const outcome = await reconcileOnce(stages, passOf(source), hourMs);
    expect(outcome).toEqual({
      from: timedAt(hour),
      to: timedAt(2 * hour),
      records: 51,
      foundLate: 1,
    });
    expect(await state()).toMatchObject({
      reconciled: { from: timedAt(hour), to: timedAt(2 * hour), records: 51, foundLate: 1, foundLateEver: 1 },
    });
    expect(await reconcileOnce(stages, passOf(source), 2 * hourMs)).toMatchObject({
      records: 112,
      foundLate: 1,
    });
    expect(await reconcileOnce(stages, passOf(source), 2 * hourMs)).toMatchObject({ foundLate: 0 });
  });

  it("does not call late what is simply new", async () => {
    const source = createTimedSource(minutes(110), 20);
    await harvest(source);
    source.numbers.push(2 * hour - 30);
    expect(await reconcileOnce(stages, passOf(source), hourMs)).toMatchObject({ foundLate: 0 });
    expect(source.read).toContain(2 * hour - 30);
  });

  it("closes the holes inside of its span, and leaves the others open", async () => {
    const source = createTimedSource(minutes(110), 20);
    await harvest(source);
    await stages.store.noteHealth("timed", { holes: [hole(600, 900), hole(hour + 60, hour + 120)] });
    const outcome = await reconcileAndCount(stages, opened.store.reader, passOf(source), hourMs);
    expect(outcome).toMatchObject({ foundLate: 0, holesClosed: 1, holesLeft: 1 });
    expect((await state())?.holes).toMatchObject([{ from: timedAt(600) }]);
  });

  it("leaves the main cursor alone, and its claim of completeness", async () => {
    const source = createTimedSource(minutes(110), 20);
    await harvest(source);
    const before = await stages.store.cursor("timed", "main");
    await reconcileOnce(stages, passOf(source), hourMs);
    expect(await stages.store.cursor("timed", "main")).toBe(before);
    expect(await state()).toMatchObject({ completeTo: timedAt(2 * hour) });
  });

  it("goes on after a crash where it was", async () => {
    const source = createTimedSource(minutes(110), 10);
    await harvest(source);
    source.numbers.push(30, 6500);
    source.read.length = 0;
    let pages = 0;
    const failing: TimedSource = {
      ...source,
      fetch: (config, from, io) => {
        pages += 1;
        return pages > 5 ? Promise.reject(new Error("crash")) : source.fetch(config, from, io);
      },
    };
    await expect(reconcileOnce(stages, passOf(failing), 2 * hourMs)).rejects.toThrow("crash");
    const readBefore = source.read.length;
    const outcome = await reconcileWhenDue(stages, passOf(source), {
      everyMs: 24 * hourMs,
      spanMs: 2 * hourMs,
    });
    expect(outcome).toMatchObject({ from: timedAt(0), records: 112 });
    expect(source.read.length).toBe(112);
    expect(readBefore).toBeGreaterThan(20);
    expect(await countEvents(opened)).toBe(112);
  });

  it("counts each event that was missing once, wherever a crash lies", async () => {
    const numbers = minutes(110);
    const late = [30, 2000, 2010, 4000, 6500];
    for (let step = 1; step <= 6; step++) {
      const name = `cut-${step}`;
      const source = createTimedSource(numbers, 20);
      await harvest(source, name);
      source.numbers.push(...late);
      let pages = 0;
      const cut: Stages = {
        ...stages,
        store: {
          ...stages.store,
          append: async (page) => {
            const appended = await stages.store.append(page);
            if (page.lane === "reconcile") pages += 1;
            if (page.lane === "reconcile" && pages === step) throw new Error("crash");
            return appended;
          },
        },
      };
      const pass = passOf(source, name);
      await expect(reconcileOnce(cut, pass, 2 * hourMs)).rejects.toThrow("crash");
      const outcome = await reconcileOnce(stages, pass, 2 * hourMs);
      expect(outcome, name).toMatchObject({ records: 115, foundLate: late.length });
    }
  });

  it("counts what was missing also where a page takes several transactions", async () => {
    const source = createTimedSource([0, 7100], 3000);
    await harvest(source);
    source.numbers.push(...Array.from({ length: 1500 }, (_, index) => index + 1));
    let parts = 0;
    const cut: Stages = {
      ...stages,
      store: {
        ...stages.store,
        append: async (page) => {
          const appended = await stages.store.append(page);
          if (page.lane === "reconcile" && (parts += 1) === 1) throw new Error("crash");
          return appended;
        },
      },
    };
    await expect(reconcileOnce(cut, passOf(source), 2 * hourMs)).rejects.toThrow("crash");
    expect(await reconcileOnce(stages, passOf(source), 2 * hourMs)).toMatchObject({ foundLate: 1500 });
  });

  it("closes no hole when the source answers in part only, and begins anew the next time", async () => {
    const source = createTimedSource(minutes(110), 20);
    await harvest(source);
    await stages.store.noteHealth("timed", { holes: [hole(600, 900)] });
    const partly: TimedSource = {
      ...source,
      async fetch(config, from, io) {
        const { completeTo: _, ...page } = await source.fetch(config, from, io);
        return page;
      },
    };
    await expect(reconcileOnce(stages, passOf(partly), 2 * hourMs)).rejects.toMatchObject({
      code: "source-unavailable",
    });
    expect((await state())?.holes).toHaveLength(1);
    source.read.length = 0;
    expect(await reconcileOnce(stages, passOf(source), 2 * hourMs)).toMatchObject({ records: 110 });
    expect((await state())?.holes).toEqual([]);
  });

  it("closes no hole from before what the source still keeps", async () => {
    const timed = createTimedSource(minutes(110), 20);
    const source = { ...timed, contract: { ...timed.contract, retention: duration(hourMs) } };
    await harvest(source);
    await stages.store.noteHealth("timed", { holes: [hole(600, 4500)] });
    expect(await reconcileOnce(stages, passOf(source), 2 * hourMs)).toMatchObject({ from: timedAt(hour) });
    expect((await state())?.holes).toMatchObject([{ from: timedAt(600), to: timedAt(hour) }]);
  });

  it("closes no hole while what it has read is still changing", async () => {
    const timed = createTimedSource(minutes(110), 10);
    const late = { completeness: "settled" as const };
    const source = { ...timed, contract: { ...timed.contract, ...late } };
    await harvest(source);
    await stages.store.noteHealth("timed", { holes: [hole(600, 900)] });
    let pages = 0;
    const changing: TimedSource = {
      ...source,
      async fetch(config, from, io) {
        pages += 1;
        nowSeconds += 25;
        const page = await source.fetch(config, from, io);
        // A pass over the main lane meets what was committed late, after the comparison has been there.
        if (pages !== 5) return page;
        const records = [{ ...page.records[0]!, ...lateRecord(61) }];
        return { ...page, records };
      },
    };
    expect(await reconcileOnce(stages, passOf(changing), 2 * hourMs)).toMatchObject({ foundLate: 0 });
    expect(await state()).toMatchObject({
      findings: [{ code: "late-commit" }],
      holes: [
        { from: timedAt(61), reason: "late-commit" },
        { from: timedAt(600), reason: "outage" },
      ],
    });
    await reconcileOnce(stages, passOf(source), 3 * hourMs);
    expect(await state()).toMatchObject({ findings: [], holes: [] });
  });

  it("calls nothing late that may still become readable", async () => {
    const timed = createTimedSource(minutes(110), 20);
    const promised = { commitDelayMax: duration(300_000), completeness: "read" as const };
    const source = { ...timed, contract: { ...timed.contract, ...promised } };
    await harvest(source);
    const pushing: TimedSource = {
      ...source,
      async fetch(config, from, io) {
        const page = await source.fetch(config, from, io);
        if (!source.numbers.includes(2 * hour - 90)) source.numbers.push(2 * hour - 90);
        return page;
      },
    };
    expect(await reconcileOnce(stages, passOf(pushing), hourMs)).toMatchObject({
      to: timedAt(2 * hour - 300),
      foundLate: 0,
    });
    expect(source.read).toContain(2 * hour - 90);
  });

  it("lets what happens now be read every interval meanwhile", async () => {
    const source = createTimedSource(minutes(110), 10);
    await harvest(source);
    source.read.length = 0;
    const slow: TimedSource = {
      ...source,
      async fetch(config, from, io) {
        nowSeconds += 25;
        source.numbers.push(nowSeconds);
        return source.fetch(config, from, io);
      },
    };
    await reconcileOnce(stages, passOf(slow), 2 * hourMs);
    // Every third page is one of the main lane, which is new and not late.
    const fresh = source.read.findIndex((number) => number > 2 * hour + 60);
    expect(fresh).toBeLessThan(60);
    expect(await state()).toMatchObject({ reconciled: { foundLate: 0 } });
  });

  it("waits for another worker's pass to end, but not for ever", async () => {
    const source = createTimedSource(minutes(10), 20);
    await harvest(source);
    const epoch = await stages.store.lease("timed", "somebody else", 15_000);
    const waits: number[] = [];
    const every = () => () => undefined;
    const held = { every, wait: async (ms: number) => void waits.push(ms) };
    await expect(reconcileOnce({ ...stages, scheduler: held }, passOf(source), hourMs)).rejects.toMatchObject(
      {
        code: "fenced",
      },
    );
    expect(waits.length).toBeLessThan(8);
    const freed = { every, wait: () => stages.store.release("timed", epoch!) };
    expect(await reconcileOnce({ ...stages, scheduler: freed }, passOf(source), hourMs)).toMatchObject({
      foundLate: 0,
    });
  });

  it("is plainly refused where the source cannot be asked for its past", async () => {
    const { startAt: _, ...source } = createTimedSource(minutes(10), 20);
    await expect(reconcileOnce(stages, passOf(source as TimedSource), hourMs)).rejects.toMatchObject({
      code: "usage",
      problem: "timed cannot be reconciled. Timed numbers cannot be asked for its past.",
    });
  });
});

describe("a comparison with a push source's sender", () => {
  const record = (number: number) => ({
    ...notification(number, "volume.create.end", { volume_id: `v${number}`, tenant_id: "acme" }),
    receivedAt: instant(now()),
  });
  const posted = (known: readonly number[]): WebhookSource => {
    const { fetch: _, cursor: __, startAt: ___, ...rest } = createTimedSource([], 1);
    return {
      ...rest,
      delivery: "webhook",
      split: () => [],
      recall: (_config, span) =>
        (async function* () {
          const asked = known.filter((number) => timedAt(number) >= span.from && timedAt(number) < span.to);
          for (const number of asked) yield [record(number)];
        })(),
    };
  };

  it("finds what was never posted, under the very ids that a post would have had", async () => {
    const source = posted(minutes(110));
    await stages.store.connect({ ...connection, config: {} });
    const arrived = minutes(110).filter((number) => number !== 5400);
    await ingest(stages, { connection, source, stream: "webhook", records: arrived.map(record) });
    const pass = passOf(source);
    expect(await reconcileOnce(stages, pass, hourMs)).toMatchObject({ foundLate: 1 });
    expect(await reconcileOnce(stages, pass, hourMs)).toMatchObject({ foundLate: 0 });
    const late = await ingest(stages, { connection, source, stream: "webhook", records: [record(5400)] });
    expect(late).toMatchObject({ created: 0, repeated: 1 });
  });

  it("does not take an answer of the sender's API for a post", async () => {
    const source = posted(minutes(110));
    await stages.store.connect({ ...connection, config: {}, expectWithinMs: 60_000 });
    await opened.sql("UPDATE isochron.connection SET expect_since = now() - interval '1 day'");
    expect(await state()).toMatchObject({ state: "silent" });
    expect((await reconcileOnce(stages, passOf(source), 2 * hourMs)).foundLate).toBeGreaterThan(100);
    expect(await state()).toMatchObject({ state: "silent" });
  });

  it("is refused where its settings name no API", async () => {
    const source: WebhookSource = { ...posted([]), recall: () => undefined };
    expect(whyNotReconciled(passOf(source))).toBe(
      "Its settings name no API that could be asked for what was missed.",
    );
    const { recall: _, ...deaf } = posted([]);
    expect(whyNotReconciled(passOf(deaf))).toContain("can only be received");
  });
});

describe("the schedule", () => {
  it("brings a comparison in the connection's own turn, not on top of the first harvest", async () => {
    const source = createTimedSource(minutes(110), 20);
    await harvest(source);
    const schedule = { everyMs: 24 * hourMs, spanMs: hourMs };
    expect(await reconcileWhenDue(stages, passOf(source), schedule)).toBeUndefined();
    nowSeconds += 25 * hour;
    expect(await reconcileWhenDue(stages, passOf(source), schedule)).toMatchObject({ foundLate: 0 });
    expect(await reconcileWhenDue(stages, passOf(source), schedule)).toBeUndefined();
  });

  it("is once in every span of time, for any connection and clock", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 0, max: 2 ** 40 }),
        (name, hours, start) => {
          const everyMs = hours * hourMs;
          const due = (from: number, to: number) => isReconcileDue(name, everyMs, instant(from), instant(to));
          expect(due(start, start)).toBe(false);
          expect(due(start, start + everyMs)).toBe(true);
          const steps = Array.from({ length: 100 }, (_, step) => start + (step * everyMs * 10) / 100);
          let last = start;
          let count = 0;
          for (const at of steps) {
            if (!due(last, at)) continue;
            last = at;
            count += 1;
          }
          expect(count).toBeGreaterThanOrEqual(9);
          expect(count).toBeLessThanOrEqual(10);
        },
      ),
    );
  });
});
