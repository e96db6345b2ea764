import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { instant } from "../../src/model/instant.ts";
import type { Instant } from "../../src/model/instant.ts";
import { consumeKafka } from "../../src/sources/kafka/consume.ts";
import type { RawRecord, StreamIo } from "../../src/sources/source.ts";
import { eventually } from "../eventually.ts";
import { embeddedStore, HeldCommits } from "../outside-store.ts";
import { committed, committedIn, kafkaAddress, sendToKafka } from "./kafka.ts";
import { binaryEvent, brokenMessages, structuredEvent, type SampleMessage } from "./sample-messages.ts";
import { ServingIsochron } from "./serving-isochron.ts";

const address = kafkaAddress ?? "";
const left = kafkaAddress === undefined;
const topic = `test-${randomBytes(4).toString("hex")}`;
const group = `${topic}-group`;

if (left) console.warn("left out: there is no Kafka. Start it with `.ci/with-kafka npm run test:service`");

describe("CloudEvents over Kafka's protocol, from the mock cluster of librdkafka", () => {
  const sent = new Set<string>();
  let offsets = 0;
  let isochron: ServingIsochron;

  /** Sends so many new events, half of them in headers. */
  async function send(count: number, more: readonly SampleMessage[] = []): Promise<void> {
    const events = Array.from({ length: count }, (_, index) => {
      const id = `event-${sent.size}`;
      sent.add(id);
      return index % 2 === 0 ? structuredEvent(id) : binaryEvent(id, "ce_");
    });
    offsets += events.length + more.length;
    await sendToKafka(address, topic, [...events, ...more]);
  }

  /** Everything that was sent stands in the store, each event once. */
  async function expectAllStoredOnce(): Promise<void> {
    await committed(address, topic, group, offsets);
    const stored = (await isochron.events()).flatMap((event) => event.source_ids ?? []).toSorted();
    expect(stored).toEqual([...sent].toSorted());
  }

  beforeAll(async () => {
    if (left) return;
    await send(4);
    isochron = await ServingIsochron.prepare(
      await embeddedStore(),
      { brokers: [address], topics: [topic], group, session_seconds: 6 },
      "kafka",
    );
    await isochron.start();
  });

  afterAll(async () => {
    if (!left) await isochron.remove();
  });

  test.skipIf(left)(
    "a new group begins at the oldest message, and what is no CloudEvent is set aside",
    async () => {
      const broken = brokenMessages("ce_");
      await send(6, broken);
      await expectAllStoredOnce();
      expect((await isochron.counts())?.set_aside).toBe(broken.length);
      await eventually("it is complete", async () => (await isochron.state())?.complete_to ?? undefined);
    },
  );

  test.skipIf(left)("an offset is committed only after the commit of its message", async () => {
    const before = offsets;
    const held = await HeldCommits.hold(isochron.store);
    await send(1);
    await held.met();
    expect(await committedIn(address, topic, group)).toBe(before);
    await held.release();
    await expectAllStoredOnce();
  });

  test.skipIf(left).each(["first", "second"])(
    "kill -9 while a commit waits loses nothing, %s round",
    async () => {
      const held = await HeldCommits.hold(isochron.store);
      await send(40);
      await held.met();
      await isochron.end("SIGKILL");
      held.abandon();
      await isochron.start();
      await expectAllStoredOnce();
    },
  );

  test.skipIf(left)("kill -9 in the middle of a flood loses nothing and stores nothing twice", async () => {
    const before = await committedIn(address, topic, group);
    await send(60);
    await eventually("some are committed", async () => (await committedIn(address, topic, group)) > before, {
      everyMs: 1,
    });
    await isochron.end("SIGKILL");
    await send(30);
    await isochron.start();
    await expectAllStoredOnce();
  });

  test.skipIf(left)("what the broker dropped while we were away is shown as a hole", async () => {
    expect((await isochron.state())?.holes).toEqual([]);
    await isochron.end("SIGKILL");
    const large = Array.from({ length: 9 }, (_, index) =>
      structuredEvent(`large-${index}`, { padding: "x".repeat(900_000) }),
    );
    await sendToKafka(address, topic, large, 0);
    await isochron.start();
    const holes = await eventually("the hole is shown", async () => {
      const shown = (await isochron.state())?.holes ?? [];
      return shown.length > 0 && shown;
    });
    expect(holes[0]).toMatchObject({
      reason: "outlived-retention",
      says: expect.stringMatching(/were dropped/),
    });
    expect((await isochron.state())?.findings[0]?.code).toBe("outlived-retention");
    await eventually("what is left is read", async () =>
      (await isochron.events()).some(({ source_ids: ids }) => ids?.includes("large-8")),
    );
  });

  // The mock cluster refuses a second member while the first is there, so that only the handover can be shown.
  test.skipIf(left)("a worker that leaves hands its partitions on where it stood", async () => {
    const own = `${topic}-handed`;
    const work = async (ids: readonly string[]): Promise<readonly RawRecord[]> => {
      await sendToKafka(
        address,
        own,
        ids.map((id) => structuredEvent(id)),
      );
      const end = new AbortController();
      const seen: RawRecord[] = [];
      const complete: Instant[] = [];
      const worker = consumeKafka(
        { brokers: [address], topics: [own], group: own, session_seconds: 6 },
        async (record) => {
          seen.push(record);
          await Promise.resolve();
        },
        { ...quietIo(end.signal), alive: (at) => void (at !== undefined && complete.push(at)) },
      );
      await eventually("it has read all", () => seen.length === ids.length && complete.length > 0);
      end.abort();
      await worker;
      return seen;
    };
    const first = await work(["a", "b", "c", "d", "e"]);
    const second = await work(["f", "g", "h", "i", "j"]);
    expect(new Set([...first, ...second].map((record) => record.position)).size).toBe(10);
  });
});

function quietIo(signal: AbortSignal): StreamIo {
  return {
    signal,
    now: () => instant(Date.now()),
    warn: () => undefined,
    secret: () => "",
    heardBefore: undefined,
    report: () => undefined,
    alive: () => undefined,
    lost: () => undefined,
  };
}
