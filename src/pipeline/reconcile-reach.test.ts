import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TestStore } from "../../test/database.ts";
import { openTestStore } from "../../test/database.ts";
import { stagesOver } from "../../test/stages.ts";
import { createTimedSource, timedAt, timedIo, type TimedSource } from "../../test/timed-source.ts";
import type { Instant } from "../model/instant.ts";
import { duration } from "../model/instant.ts";
import type { PullSource } from "../sources/source.ts";
import { harvestOnce } from "./harvest.ts";
import type { Stages } from "./ingest.ts";
import { reconcileWhenDue, type ReconcilePass } from "./reconcile.ts";

const hourMs = 3_600_000;
const hour = 3600;
let opened: TestStore;
let stages: Stages;
let nowSeconds: number;
const now = (): Instant => timedAt(nowSeconds);

beforeEach(async () => {
  opened = await openTestStore();
  nowSeconds = 100 * 24 * hour;
  stages = { ...stagesOver(opened.store), now };
});

afterEach(() => opened.close());

function passOf(source: TimedSource) {
  const connection = { name: "timed", source: "timed", controlPlane: "cloud" };
  const asked = source as unknown as PullSource;
  return {
    connection,
    source: asked,
    config: {},
    io: timedIo(now),
    holder: "me",
    intervalMs: 60_000,
  } satisfies ReconcilePass;
}

const harvest = (source: TimedSource) => harvestOnce(stages, passOf(source));
const state = async () => (await opened.store.reader.coverage({ kind: "provider" })).connections[0];
const hole = (from: number, to: number) => ({
  from: timedAt(from),
  to: timedAt(to),
  reason: "outage" as const,
  says: "We were away.",
});

describe("a comparison by itself", () => {
  it("reaches back to the oldest hole that it may close, a month at most, and not for the others", async () => {
    const source = createTimedSource([], 20);
    const seeing = { ...stages, reader: opened.store.reader };
    const schedule = { everyMs: 24 * hourMs, spanMs: hourMs };
    const nextNight = async () => {
      nowSeconds += 24 * hour;
      await harvest(source);
      return (await reconcileWhenDue(seeing, passOf(source), schedule))?.from;
    };
    await harvest(source);
    await reconcileWhenDue(seeing, passOf(source), schedule);
    const daysAgo = (count: number) => nowSeconds - count * 24 * hour;
    await stages.store.noteHealth("timed", { holes: [hole(daysAgo(5), daysAgo(4))] });
    const begin = daysAgo(5);
    expect(await nextNight()).toBe(timedAt(begin));
    expect((await state())?.holes).toEqual([]);
    const lasting = { ...hole(daysAgo(9), daysAgo(8)), reason: "outlived-retention" as const };
    await stages.store.noteHealth("timed", { holes: [lasting, hole(daysAgo(60), daysAgo(50))] });
    expect(await nextNight()).toBe(timedAt(nowSeconds - hour));
    await stages.store.noteHealth("timed", { holes: [hole(daysAgo(40), daysAgo(20))] });
    expect(await nextNight()).toBe(timedAt(daysAgo(31)));
    expect((await state())?.holes.map(({ to }) => to)).toContain(timedAt(daysAgo(31)));
    expect(await nextNight()).toBe(timedAt(nowSeconds - hour));
  });

  it("reaches no further back than the source keeps what it told", async () => {
    const timed = createTimedSource([], 20);
    const source = { ...timed, contract: { ...timed.contract, retention: duration(30 * hourMs) } };
    await harvest(source);
    const seeing = { ...stages, reader: opened.store.reader };
    const schedule = { everyMs: 24 * hourMs, spanMs: hourMs };
    await reconcileWhenDue(seeing, passOf(source), schedule);
    await stages.store.noteHealth("timed", { holes: [hole(nowSeconds - 99 * hour, nowSeconds)] });
    nowSeconds += 24 * hour;
    await harvest(source);
    expect(await reconcileWhenDue(seeing, passOf(source), schedule)).toMatchObject({
      from: timedAt(nowSeconds - 30 * hour),
    });
  });
});
