import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { countEvents, openTestStore, type TestStore } from "../../test/database.ts";
import { eventually } from "../../test/eventually.ts";
import { notification, stagesOver } from "../../test/stages.ts";
import { createTimedSource, HeldTime, timedAt, timedIo } from "../../test/timed-source.ts";
import type { PullSource, Source, StreamSource, WebhookSource } from "../sources/source.ts";
import { runConnections, type Running } from "./run-connections.ts";

let opened: TestStore;
const now = () => timedAt(3600);

beforeEach(async () => {
  opened = await openTestStore();
});

afterEach(() => opened.close());

function running(name: string, source: Source, signal: AbortSignal): Running {
  return {
    connection: { name, source: "timed", controlPlane: "cloud" },
    source,
    config: {},
    io: timedIo(now, signal),
    intervalMs: 60_000,
    startDelayMs: 0,
    reconcile: { everyMs: 3_600_000, spanMs: 3_600_000 },
  };
}

describe("everything that runs by itself", () => {
  it("goes on whatever fails in one connection, until the signal ends it", async () => {
    const time = new HeldTime();
    const stop = new AbortController();
    const { fetch: _, cursor: __, startAt: ___, ...rest } = createTimedSource([], 1);
    const sound = createTimedSource([10, 20], 5) as unknown as PullSource;
    const away = { ...sound, fetch: () => Promise.reject(new Error("away")) };
    let broken = 0;
    const stream: StreamSource = {
      ...rest,
      delivery: "stream",
      consume: () => {
        broken += 1;
        return Promise.reject(new Error("no broker"));
      },
    };
    let recalled = 0;
    const webhook: WebhookSource = {
      ...rest,
      delivery: "webhook",
      split: () => [],
      recall: () =>
        (async function* () {
          recalled += 1;
          yield [notification(30, "volume.create.end", { volume_id: "v30", tenant_id: "acme" })];
        })(),
    };
    await opened.store.events.connect({ name: "posted", source: "timed", controlPlane: "cloud", config: {} });
    await opened.store.events.append({
      connection: "posted",
      stream: "main",
      controlPlane: "cloud",
      events: [],
      facts: [],
      rejects: [],
      lane: "reconcile",
      cursor: { endedAt: 0 },
    });
    const errors: string[] = [];
    const work = runConnections(
      { ...stagesOver(opened.store), now, scheduler: time },
      [
        running("sound", sound, stop.signal),
        running("away", away, stop.signal),
        running("streamed", stream, stop.signal),
        running("posted", webhook, stop.signal),
      ],
      {
        holder: "me",
        signal: stop.signal,
        onError: (error, connection) => errors.push(`${connection} ${(error as Error).message}`),
      },
    );
    let rounds = 0;
    await eventually("both are tried again, and the others have done their work", async () => {
      if (time.waiting >= 4) {
        time.endWaits();
        rounds += 1;
      }
      return broken >= 2 && recalled > 0 && rounds >= 2 && (await countEvents(opened)) === 3;
    });
    expect(errors).toContain("away away");
    expect(errors).toContain("streamed no broker");
    expect(errors.filter((text) => /^(sound|posted)/.test(text))).toEqual([]);
    expect(recalled).toBe(1);
    stop.abort();
    await work;
  });

  it("expects nothing of what is configured and switched off, and makes nothing known that never was", async () => {
    const stop = new AbortController();
    const connection = { name: "off", source: "timed", controlPlane: "cloud" };
    const { store, reader } = { store: opened.store.events, reader: opened.store.reader };
    await store.connect({ ...connection, config: {}, expectWithinMs: 60_000 });
    await store.noteHealth("off", { heard: true });
    await opened.sql(
      "UPDATE isochron.connection SET last_heard_at = now() - interval '1 hour', expect_since = NULL",
    );
    const states = async () =>
      (await reader.coverage({ kind: "provider" })).connections.map((one) => [one.connection, one.state]);
    expect(await states()).toEqual([["off", "silent"]]);
    const resting = [connection, { ...connection, name: "never used" }];
    const options = { holder: "me", signal: stop.signal, onError: () => undefined, resting };
    await runConnections({ ...stagesOver(opened.store), now, scheduler: new HeldTime() }, [], options);
    expect(await states()).toEqual([["off", "idle"]]);
  });
});
