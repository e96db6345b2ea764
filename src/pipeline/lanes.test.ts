import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TestStore } from "../../test/database.ts";
import { countEvents, openTestStore } from "../../test/database.ts";
import { stagesOver } from "../../test/stages.ts";
import { createTimedSource, timedAt, timedIo, type TimedSource } from "../../test/timed-source.ts";
import type { PullSource } from "../sources/source.ts";
import type { ResolvedPage } from "../store/event-store.ts";
import { harvestOnce } from "./harvest.ts";
import type { Stages } from "./ingest.ts";

const hour = 3600;
let opened: TestStore;
let stages: Stages;
/** Every page in the order in which it was stored. */
let stored: ResolvedPage[];
let nowSeconds: number;

beforeEach(async () => {
  opened = await openTestStore();
  nowSeconds = 12 * hour;
  stored = [];
  const plain = stagesOver(opened.store);
  stages = {
    ...plain,
    now: () => timedAt(nowSeconds),
    store: {
      ...plain.store,
      append: async (page) => {
        const appended = await plain.store.append(page);
        stored.push(page);
        return appended;
      },
    },
  };
});

afterEach(() => opened.close());

function everyMinute(hours: number): number[] {
  return Array.from({ length: hours * 60 }, (_, minute) => minute * 60);
}

function pass(source: TimedSource, name = "timed", over: Stages = stages, anew = false) {
  const connection = { name, source: "timed", controlPlane: "cloud" };
  return harvestOnce(over, {
    connection,
    source: source as unknown as PullSource,
    config: {},
    io: timedIo(() => timedAt(nowSeconds)),
    holder: "me",
    anew,
  });
}

const countOf = (name: string) => countEvents(opened, name);

describe("a backlog", () => {
  it("is read behind what happens now, and every event is stored once", async () => {
    const source = createTimedSource(everyMinute(12), 10);
    const total = await pass(source);
    expect(total).toMatchObject({ created: 720 });
    // One page tells that it is far behind; the newest events come next.
    const newest = source.read.findIndex((number) => number >= 12 * hour - 60);
    expect(newest).toBeLessThan(30);
    expect(await countOf("timed")).toBe(720);
    expect(await stages.store.cursor("timed", "live")).toBeUndefined();
  });

  it("lets what happens meanwhile come first in every round", async () => {
    const source = createTimedSource(everyMinute(12), 10);
    const { fetch } = source;
    let mainPages = 0;
    const readAt = new Map<number, number>();
    const growing: TimedSource = {
      ...source,
      async fetch(config, from, io) {
        const page = await fetch(config, from, io);
        const first = source.read.at(-page.records.length) ?? 0;
        if (first < 11 * hour) mainPages += 1;
        for (const number of source.read.slice(-page.records.length)) {
          if (!readAt.has(number)) readAt.set(number, mainPages);
        }
        if (mainPages === 5 && nowSeconds === 12 * hour) {
          nowSeconds += 60;
          source.numbers.push(12 * hour + 30);
        }
        return page;
      },
    };
    await pass(growing);
    expect(readAt.get(12 * hour + 30)).toBeLessThanOrEqual(5 + 20);
    expect(await countOf("timed")).toBe(721);
  });

  it("makes nobody believe that the source is complete before the main lane has come to its end", async () => {
    await pass(createTimedSource(everyMinute(12), 10));
    const live = stored.filter((page) => page.lane === "live");
    expect(live.length).toBeGreaterThan(0);
    expect(live.every((page) => page.completeTo === undefined && page.stream === "main")).toBe(true);
    const claims = stored.findIndex((page) => page.completeTo !== undefined);
    expect(claims).toBe(stored.length - 1);
  });

  it("of a source that cannot be asked for its past is read from its beginning on", async () => {
    const { startAt: _, ...source } = createTimedSource(everyMinute(12), 10);
    await pass(source as TimedSource);
    expect(stored.every((page) => page.lane === "main")).toBe(true);
    expect(source.read).toEqual(everyMinute(12));
  });

  it("shorter than half an hour is no backlog", async () => {
    const source = createTimedSource(everyMinute(12).slice(-25), 5);
    await pass(source);
    expect(stored.every((page) => page.lane === "main")).toBe(true);
  });
});

describe("a pass that ends anywhere", () => {
  it("is gone on with until every event is stored once and the lane has ended", async () => {
    const numbers = everyMinute(2);
    nowSeconds = 2 * hour;
    await pass(createTimedSource(numbers, 15), "whole");
    const steps = stored.length;
    expect(stored.some((page) => page.lane === "live")).toBe(true);
    for (let step = 1; step <= steps; step++) {
      for (const committed of [true, false]) {
        const name = `cut-${step}-${committed}`;
        let count = 0;
        const cut: Stages = {
          ...stages,
          store: {
            ...stages.store,
            append: async (page) => {
              count += 1;
              if (count === step && !committed) throw new Error("cut");
              const appended = await stages.store.append(page);
              if (count === step) throw new Error("cut");
              return appended;
            },
          },
        };
        const source = createTimedSource(numbers, 15);
        await expect(pass(source, name, cut)).rejects.toThrow("cut");
        await pass(source, name);
        expect(await countOf(name)).toBe(numbers.length);
        expect(await stages.store.cursor(name, "live")).toBeUndefined();
        expect(await stages.store.cursor(name, "main")).toBe(await stages.store.cursor("whole", "main"));
      }
    }
  });

  it("goes on where the live lane was, or anew where we were away for long", async () => {
    const numbers = everyMinute(12);
    for (const awaySeconds of [60, 3 * hour]) {
      nowSeconds = 12 * hour;
      const name = `away-${awaySeconds}`;
      const source = createTimedSource(numbers, 10);
      let pages = 0;
      const failing: TimedSource = {
        ...source,
        fetch: (config, from, io) => {
          pages += 1;
          return pages > 6 ? Promise.reject(new Error("away")) : source.fetch(config, from, io);
        },
      };
      await expect(pass(failing, name)).rejects.toThrow("away");
      const left = Number(await stages.store.cursor(name, "live"));
      nowSeconds += awaySeconds;
      source.numbers.push(...everyMinute(16).slice(720, 720 + awaySeconds / 60));
      source.read.length = 0;
      await pass(source, name);
      // The page that shows how long we were away is the only one before what happens now.
      const first = source.read.find((number) => number >= nowSeconds - 600 - 60) ?? 0;
      expect(source.read.indexOf(first)).toBeLessThan(15);
      if (awaySeconds === 60) expect(source.read[0]).toBeGreaterThanOrEqual(left);
      expect(await countOf(name)).toBe(source.numbers.length);
    }
  });
});

describe("a live lane that begins with what is stored already", () => {
  it("is begun anew where that is from long ago", async () => {
    const source = createTimedSource(everyMinute(12), 10);
    // Another worker has stored what the lane reads next, and could not leave its place behind.
    const lost: Stages = {
      ...stages,
      store: {
        ...stages.store,
        append: (page) => {
          if (page.lane !== "live" || stored.every(({ lane }) => lane !== "live"))
            return stages.store.append(page);
          const { cursor: _, ...rest } = page;
          return stages.store.append(rest);
        },
      },
    };
    let pages = 0;
    const failing: TimedSource = {
      ...source,
      fetch: (config, from, io) => {
        pages += 1;
        // Half a page of the live lane is new each time, so that it has much to repeat.
        return pages > 12 ? Promise.reject(new Error("away")) : source.fetch(config, from, io);
      },
    };
    source.numbers.push(...Array.from({ length: 200 }, (_, second) => 12 * hour - 599 + second));
    await expect(pass(failing, "timed", lost)).rejects.toThrow("away");
    nowSeconds += 3 * hour;
    source.numbers.push(...everyMinute(15).slice(720));
    source.read.length = 0;
    await pass(source);
    const newest = source.read.findIndex((number) => number >= nowSeconds - 600 - 60);
    expect(newest).toBeLessThan(15);
    expect(await countOf("timed")).toBe(new Set(source.numbers).size);
  });
});

describe("a saved place that cannot be read", () => {
  const spoil = (lane: string) =>
    stages.store.append({
      connection: "timed",
      stream: "main",
      controlPlane: "cloud",
      events: [],
      facts: [],
      rejects: [],
      lane,
      cursor: { from: "a newer version" },
    });

  it("stops the pass with what to do, and is kept for the version that can read it", async () => {
    const source = createTimedSource(everyMinute(1), 10);
    await pass(source);
    await spoil("main");
    await expect(pass(source)).rejects.toMatchObject({
      code: "connection-mismatch",
      remedy: expect.stringContaining("isochron harvest timed --anew"),
    });
    expect(await stages.store.cursor("timed", "main")).toEqual({ from: "a newer version" });
  });

  it("is left behind on demand: nothing is lost or stored twice, and what is not known is said", async () => {
    const source = createTimedSource(everyMinute(1), 10);
    await pass(source);
    await spoil("main");
    await spoil("live");
    await opened.sql("UPDATE isochron.connection SET last_heard_at = $1::timestamptz", [
      new Date(timedAt(hour)).toISOString(),
    ]);
    source.numbers.push(11 * hour);
    expect(await pass(source, "timed", stages, true)).toMatchObject({ repeated: 60, created: 1 });
    expect(await countOf("timed")).toBe(61);
    const { connections } = await opened.store.reader.coverage({ kind: "provider" });
    expect(connections[0]).toMatchObject({
      findings: [{ code: "place-lost" }],
      holes: [{ from: timedAt(hour), to: timedAt(12 * hour), reason: "place-lost" }],
    });
    expect(await pass(source)).toMatchObject({ records: 0 });
  });

  it("of the live lane alone stops nothing", async () => {
    const source = createTimedSource(everyMinute(1), 10);
    await pass(source);
    await spoil("live");
    source.numbers.push(11 * hour);
    expect(await pass(source)).toMatchObject({ created: 1 });
    expect(await stages.store.cursor("timed", "live")).toBeUndefined();
  });
});
