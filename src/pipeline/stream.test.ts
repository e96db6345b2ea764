import { describe, expect, it } from "vitest";
import { openTestStore } from "../../test/database.ts";
import { notification, stagesOver } from "../../test/stages.ts";
import { createTimedSource, timedAt, timedIo } from "../../test/timed-source.ts";
import type { StreamSource } from "../sources/source.ts";
import type { HealthNote } from "../store/event-store.ts";
import { ByteCredits } from "./protection/byte-credits.ts";
import { RecordBatcher, runStream } from "./stream.ts";

const record = (number: number) => notification(number, "volume.create.end", { volume_id: "v" });

describe("storing deliveries in pages", () => {
  it("settles a delivery only after the page that holds it was stored", async () => {
    const commits: (() => void)[] = [];
    const batcher = new RecordBatcher(() => new Promise((commit) => commits.push(commit)));
    let settled = false;
    const delivery = batcher.deliver(record(1)).then(() => {
      settled = true;
    });
    await Promise.resolve();
    expect(settled).toBe(false);
    commits.shift()!();
    await delivery;
    expect(settled).toBe(true);
  });

  it("puts whatever arrives during a commit into the next page", async () => {
    const pages: number[] = [];
    const commits: (() => void)[] = [];
    const batcher = new RecordBatcher((records) => {
      pages.push(records.length);
      return new Promise((commit) => commits.push(commit));
    });
    const deliveries = [1, 2, 3, 4].map((number) => batcher.deliver(record(number)));
    commits.shift()!();
    await deliveries[0];
    await Promise.resolve();
    commits.shift()!();
    await Promise.all(deliveries);
    expect(pages).toEqual([1, 3]);
  });

  it("tells every sender of a page that failed, and goes on with the next", async () => {
    let attempts = 0;
    const batcher = new RecordBatcher(async () => {
      attempts += 1;
      if (attempts === 1) throw new Error("the store is away");
    });
    await expect(batcher.deliver(record(1))).rejects.toThrow("the store is away");
    await expect(batcher.deliver(record(2))).resolves.toBeUndefined();
  });

  it("waits for room before it takes a delivery, and gives it back when the page is stored or failed", async () => {
    const bytes = record(1).bytes.byteLength;
    const credits = new ByteCredits(4 * 2 * bytes);
    const commits: { store: () => void; fail: (error: Error) => void }[] = [];
    const pages: number[] = [];
    const batcher = new RecordBatcher((records) => {
      pages.push(records.length);
      return new Promise((store, fail) => commits.push({ store, fail }));
    }, credits.account("bus"));
    const deliveries = [1, 2, 3, 4].map((number) => batcher.deliver(record(number)));
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    await turn();
    expect(credits.heldBytes).toBe(2 * bytes);
    commits.shift()!.store();
    await turn();
    expect(credits.heldBytes).toBe(2 * bytes);
    commits.shift()!.fail(new Error("the store is away"));
    await expect(deliveries[1]).rejects.toThrow("the store is away");
    await turn();
    while (commits.length > 0) {
      commits.shift()!.store();
      await turn();
    }
    await Promise.all([deliveries[0], deliveries[2], deliveries[3]]);
    expect(credits.heldBytes).toBe(0);
    expect(Math.max(...pages)).toBeLessThanOrEqual(2);
  });

  it("never takes more than 500 records into one commit", async () => {
    const sizes: number[] = [];
    const batcher = new RecordBatcher(async (records) => {
      sizes.push(records.length);
    });
    await Promise.all(Array.from({ length: 1201 }, (_, number) => batcher.deliver(record(number))));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(1201);
  });
});

describe("what a stream is complete to", () => {
  it("is believed only when it was asked for after the last delivery that went back", async () => {
    const opened = await openTestStore();
    try {
      let seconds = 60;
      let isAway = true;
      const notes: HealthNote[] = [];
      const plain = stagesOver(opened.store);
      const stages = {
        ...plain,
        now: () => timedAt(seconds),
        store: {
          ...plain.store,
          append: (page: Parameters<typeof plain.store.append>[0]) =>
            isAway ? Promise.reject(new Error("the store is away")) : plain.store.append(page),
          noteHealth: async (_connection: string, note: HealthNote) => void notes.push(note),
        },
      };
      const { fetch: _, cursor: __, startAt: ___, ...rest } = createTimedSource([], 1);
      const source: StreamSource = {
        ...rest,
        delivery: "stream",
        async consume(_config, deliver, io) {
          const askedAt = io.now();
          seconds += 1;
          await expect(deliver(record(1))).rejects.toThrow("away");
          io.alive(askedAt);
          isAway = false;
          seconds += 1;
          await deliver(record(1));
          io.alive(io.now());
        },
      };
      const connection = { name: "bus", source: "timed", controlPlane: "cloud" };
      await runStream(stages, connection, source, {}, timedIo(stages.now));
      expect(notes.map(({ completeTo }) => completeTo)).toEqual([undefined, timedAt(62)]);
    } finally {
      await opened.close();
    }
  });
});

describe("what a stream tells of itself", () => {
  it("notes a loss until it is written, and forgets a heartbeat that could not be", async () => {
    const opened = await openTestStore();
    try {
      const notes: HealthNote[] = [];
      const plain = stagesOver(opened.store);
      let failures = 2;
      const noteHealth = async (_connection: string, note: HealthNote) => {
        failures -= 1;
        if (failures >= 0) throw new Error("the store is away");
        notes.push(note);
      };
      const stages = { ...plain, now: () => timedAt(60), store: { ...plain.store, noteHealth } };
      const { fetch: _, cursor: __, startAt: ___, ...rest } = createTimedSource([], 1);
      const turn = () => new Promise((resolve) => setImmediate(resolve));
      const hole = (second: number) => {
        return { from: timedAt(second), to: timedAt(second + 1), reason: "outage", says: "away" } as const;
      };
      const source: StreamSource = {
        ...rest,
        delivery: "stream",
        async consume(_config, _deliver, io) {
          io.lost(hole(1), { code: "place-lost", says: "gone" });
          await turn();
          io.lost(hole(5));
          await turn();
          io.alive(timedAt(50));
        },
      };
      const connection = { name: "bus", source: "timed", controlPlane: "cloud" };
      await runStream(stages, connection, source, {}, timedIo(stages.now));
      expect(notes).toEqual([
        {
          holes: [hole(1), hole(5)],
          findings: [{ code: "place-lost", says: "gone" }],
          heard: true,
          completeTo: timedAt(50),
        },
      ]);
    } finally {
      await opened.close();
    }
  });
});
