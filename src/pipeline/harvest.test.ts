import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { TestStore } from "../../test/database.ts";
import { countEvents, openTestStore } from "../../test/database.ts";
import { openCommitCutter } from "../../test/commit-cutter.ts";
import { eventually } from "../../test/eventually.ts";
import { notification, stagesOver } from "../../test/stages.ts";
import { HeldTime } from "../../test/timed-source.ts";
import { IsochronError } from "../errors.ts";
import { duration, instant } from "../model/instant.ts";
import { openstackNotifications } from "../sources/openstack-notifications.ts";
import type { PullSource, SourceIo } from "../sources/source.ts";
import { openStore } from "../store/postgres/open.ts";
import { harvestForever, harvestOnce } from "./harvest.ts";
import type { Stages } from "./ingest.ts";

const connection = { name: "pulled", source: "numbers", controlPlane: "cloud" };

/** A source of numbered notifications, `perPage` a page, that fails at the pages it is told to. */
function numbers(until: number, perPage: number, failAt = new Set<number>()): PullSource<number> {
  return {
    name: "numbers",
    title: "Numbers",
    summary: "Numbered notifications.",
    delivery: "pull",
    contract: {
      identity: "number",
      version: "never changes",
      ordering: "sorted",
      commitDelayMax: duration(0),
      clockErrorMax: duration(0),
      delivery: "pull",
      revisions: "never",
      blindSpots: "none",
    },
    config: z.strictObject({}),
    cursor: z.number(),
    normalise: openstackNotifications.normalise,
    async fetch(_config, from = 0) {
      if (failAt.delete(from)) throw new IsochronError("source-unavailable", "The source is away.", "Wait.");
      const to = Math.min(until, from + perPage);
      const records = Array.from({ length: to - from }, (_, index) =>
        notification(from + index, "volume.create.end", { volume_id: `v${from + index}`, tenant_id: "acme" }),
      );
      return { records, cursor: to, done: to === until };
    },
  };
}

let opened: TestStore;
let stages: Stages;

beforeEach(async () => {
  opened = await openTestStore();
  stages = stagesOver(opened.store);
});

afterEach(() => opened.close());

const io: SourceIo = {
  http: () => Promise.reject(new Error("no network here")),
  now: () => instant(0),
  signal: new AbortController().signal,
  warn: () => undefined,
  secret: () => "",
  readText: async () => undefined,
} as unknown as SourceIo;

const pass = (source: PullSource<number>, holder = "me", over = stages, lent = io) =>
  harvestOnce(over, { connection, source: source as unknown as PullSource, config: {}, io: lent, holder });

describe("a pass of a pulling source", () => {
  it("reads every page, and a second pass from where the first ended", async () => {
    expect(await pass(numbers(25, 10))).toMatchObject({ records: 25, created: 25 });
    expect(await pass(numbers(30, 10))).toMatchObject({ records: 5, created: 5 });
    expect(await stages.store.cursor("pulled", "main")).toBe(30);
  });

  it("keeps what was stored before a failure, says what failed, and goes on from there", async () => {
    await expect(pass(numbers(25, 10, new Set([20])))).rejects.toThrow("The source is away.");
    expect(await stages.store.cursor("pulled", "main")).toBe(20);
    const { connections } = await opened.store.reader.coverage({ kind: "provider" });
    expect(connections).toMatchObject([
      { state: "failing", lastError: { message: expect.stringContaining("away") } },
    ]);
    expect(await pass(numbers(25, 10))).toMatchObject({ records: 5, created: 5 });
    const after = await opened.store.reader.coverage({ kind: "provider" });
    expect(after.connections).toMatchObject([{ state: "idle" }]);
  });

  it("moves the cursor only with the last part of a page that takes several transactions", async () => {
    expect(await pass(numbers(2500, 2500))).toMatchObject({ records: 2500, created: 2500 });
    expect(await stages.store.cursor("pulled", "main")).toBe(2500);
  });

  it("is refused while another worker holds the connection", async () => {
    await stages.store.connect({ ...connection, config: {} });
    const epoch = await stages.store.lease("pulled", "somebody else", 60_000);
    await expect(pass(numbers(5, 5))).rejects.toMatchObject({ code: "fenced" });
    await stages.store.release("pulled", epoch!);
    expect(await pass(numbers(5, 5))).toMatchObject({ created: 5 });
  });

  it("stores nothing more once its lease has passed to another", async () => {
    const source = numbers(20, 10);
    const stolen: PullSource<number> = {
      ...source,
      async fetch(config, from, given) {
        const page = await source.fetch(config, from, given);
        if (from === 10)
          await opened.sql("UPDATE isochron.connection SET epoch = epoch + 1 WHERE name = 'pulled'");
        return page;
      },
    };
    await expect(pass(stolen)).rejects.toMatchObject({ code: "fenced" });
    expect(await stages.store.cursor("pulled", "main")).toBe(10);
  });
});

describe("a lease that is lost", () => {
  it("ends the pass in the middle of a long request, and nothing more is written", async () => {
    const time = new HeldTime();
    const asked = Promise.withResolvers<AbortSignal>();
    const slow: PullSource<number> = {
      ...numbers(20, 10),
      fetch: async (_config, _from, given) => {
        asked.resolve(given.signal);
        return new Promise(() => undefined);
      },
    };
    const outcome = pass(slow, "me", { ...stages, scheduler: time });
    const signal = await asked.promise;
    await time.tick();
    expect(signal.aborted).toBe(false);
    await opened.sql("UPDATE isochron.connection SET lease_until = now() - interval '1 second'");
    const next = await stages.store.lease("pulled", "somebody else", 15_000);
    await time.tick();
    await expect(outcome).rejects.toMatchObject({ code: "fenced" });
    expect(signal.aborted).toBe(true);
    expect(await stages.store.renew("pulled", next!)).toBe(true);
    expect((await coverage()).connections).toMatchObject([{ state: "running" }]);
    expect((await coverage()).connections[0]).not.toHaveProperty("lastError");
  });

  it("is not assumed from a renewal that nobody answered", async () => {
    const time = new HeldTime();
    const source = numbers(20, 10);
    const renewals: string[] = [];
    const deaf: Stages = {
      ...stages,
      scheduler: time,
      store: {
        ...stages.store,
        renew: () => Promise.reject(new IsochronError("store-unavailable", "Away.", "Wait.")),
      },
    };
    const ticking: PullSource<number> = {
      ...source,
      async fetch(config, from, given) {
        await time.tick();
        return source.fetch(config, from, given);
      },
    };
    const warn = (message: string) => void renewals.push(message);
    expect(await pass(ticking, "me", deaf, { ...io, warn })).toMatchObject({ created: 20 });
    expect(renewals).toEqual(["a lease could not be renewed", "a lease could not be renewed"]);
  });
});

describe("a pass that cannot say how it ended", () => {
  it("tells what went wrong first, whatever else goes wrong", async () => {
    const away = () => Promise.reject(new IsochronError("store-unavailable", "The store is away.", "Wait."));
    const mute: Stages = { ...stages, store: { ...stages.store, report: away, release: away } };
    const warnings: string[] = [];
    const warn = (message: string) => void warnings.push(message);
    await expect(pass(numbers(25, 10, new Set([20])), "me", mute, { ...io, warn })).rejects.toThrow(
      "The source is away.",
    );
    expect(warnings).toHaveLength(2);
    expect(await pass(numbers(25, 10))).toMatchObject({ created: 5 });
  });

  it("because it is told to stop, fails nothing and leaves the connection due", async () => {
    const stop = new AbortController();
    const source = numbers(20, 10);
    const stopped: PullSource<number> = {
      ...source,
      async fetch(config, from, given) {
        if (from === 10) stop.abort();
        return source.fetch(config, from, given);
      },
    };
    await expect(pass(stopped, "me", stages, { ...io, signal: stop.signal })).rejects.toThrow("aborted");
    expect((await coverage()).connections).toMatchObject([{ state: "idle" }]);
    expect(await stages.store.lease("pulled", "another", 15_000, 60_000)).toBeDefined();
  });
});

describe("a commit whose outcome is not known", () => {
  it.each([
    ["that the server undid", "before", 0],
    ["that the server made", "after", 10],
  ] as const)(
    "%s is assumed to be neither, and the next pass goes on from what is stored",
    async (_, when, there) => {
      const cut = await openCommitCutter(opened.url);
      const store = await openStore({ databaseUrl: cut.url });
      try {
        const source = numbers(20, 10);
        const failing: PullSource<number> = {
          ...source,
          async fetch(config, from, given) {
            const page = await source.fetch(config, from, given);
            if (from === undefined) cut.arm(when);
            return page;
          },
        };
        const over = { ...stagesOver(store), scheduler: new HeldTime() };
        await expect(pass(failing, "me", over)).rejects.toMatchObject({ code: "store-unavailable" });
        expect(await countEvents(opened)).toBe(there);
        expect(await stages.store.cursor("pulled", "main")).toBe(there === 0 ? undefined : there);
        expect(await pass(source, "me", over)).toMatchObject({ records: 20 - there, created: 20 - there });
        expect(await countEvents(opened)).toBe(20);
      } finally {
        await store.close();
        await cut.close();
      }
    },
  );

  it("because the server ended the session at the commit, stores nothing of the page", async () => {
    await opened.sql(
      `CREATE FUNCTION public.cut() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
       $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`,
    );
    await opened.sql(
      `CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON isochron.connection_cursor
       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.cut()`,
    );
    await expect(pass(numbers(20, 10))).rejects.toMatchObject({ code: "store-unavailable" });
    expect(await countEvents(opened)).toBe(0);
    await opened.sql("DROP TRIGGER cut ON isochron.connection_cursor");
    expect(await pass(numbers(20, 10))).toMatchObject({ created: 20 });
  });
});

describe("several workers over one store", () => {
  it("read a source once an interval, and skip quietly what is another's", async () => {
    const workers = startWorkers(3);
    await workers.settle();
    expect(workers.passes()).toBe(1);
    await workers.age(30);
    expect(workers.passes()).toBe(1);
    await workers.age(40);
    expect(workers.passes()).toBe(2);
    expect(workers.errors).toEqual([]);
    for (const ms of workers.time.waited) expect(ms).toBeLessThanOrEqual(66_000);
    await workers.stop();
  });

  it("take over from one that died as soon as its lease is over", async () => {
    await stages.store.connect({ ...connection, config: {} });
    await stages.store.lease("pulled", "a worker that dies", 15_000);
    const workers = startWorkers(2);
    await workers.settle();
    expect(workers.passes()).toBe(0);
    for (const ms of workers.time.waited) expect(ms).toBeLessThanOrEqual(15_000);
    await workers.age(15);
    expect(workers.passes()).toBe(1);
    expect(workers.errors).toEqual([]);
    await workers.stop();
  });

  it("go on after the store was away, and after the source was", async () => {
    const away = new Set<string>(["connect"]);
    const workers = startWorkers(1, {
      ...stages.store,
      connect: (given) =>
        away.has("connect")
          ? Promise.reject(new IsochronError("store-unavailable", "Away.", "Wait."))
          : stages.store.connect(given),
    });
    await workers.settle();
    expect(workers.errors).toHaveLength(1);
    away.clear();
    workers.failNext();
    await workers.age(0);
    expect(workers.errors).toHaveLength(2);
    await workers.age(70);
    expect(workers.passes()).toBe(2);
    expect((await coverage()).connections).toMatchObject([{ state: "idle" }]);
    await workers.stop();
  });
});

function startWorkers(count: number, store: Stages["store"] = stages.store) {
  const time = new HeldTime();
  const stop = new AbortController();
  const errors: unknown[] = [];
  const failAt = new Set<number>();
  let fetches = 0;
  const source = numbers(0, 10, failAt);
  const counted: PullSource<number> = {
    ...source,
    fetch: (config, from, given) => {
      fetches += 1;
      return source.fetch(config, from, given);
    },
  };
  const loops = Array.from({ length: count }, (_, index) =>
    harvestForever(
      { ...stages, store, scheduler: time, random: () => 0.1234567 },
      {
        connection,
        source: counted as unknown as PullSource,
        config: {},
        io: { ...io, signal: stop.signal },
        holder: `worker ${index}`,
      },
      60_000,
      (error) => errors.push(error),
    ),
  );
  const settle = () => eventually("every worker rests", () => time.waiting === count);
  return {
    time,
    errors,
    settle,
    passes: () => fetches,
    failNext: () => failAt.add(0),
    /** Lets so many seconds go by in the database, and wakes every worker. */
    age: async (seconds: number) => {
      await opened.sql(
        `UPDATE isochron.connection SET lease_until = lease_until - $1 * interval '1 second',
           passed_at = passed_at - $1 * interval '1 second'`,
        [seconds],
      );
      time.endWaits();
      await settle();
    },
    stop: async () => {
      stop.abort();
      await Promise.all(loops);
    },
  };
}

const coverage = () => opened.store.reader.coverage({ kind: "provider" });
