import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { TestStore } from "../../test/database.ts";
import { openTestStore } from "../../test/database.ts";
import { notification, stagesOver } from "../../test/stages.ts";
import { IsochronError } from "../errors.ts";
import { duration, instant } from "../model/instant.ts";
import { openstackNotifications } from "../sources/openstack-notifications.ts";
import type { PullSource, SourceIo } from "../sources/source.ts";
import { harvestOnce } from "./harvest.ts";
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

const pass = (source: PullSource<number>, holder = "me") =>
  harvestOnce(stages, { connection, source: source as unknown as PullSource, config: {}, io, holder });

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
