import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { instant } from "../../src/model/instant.ts";
import type { RawRecord, StreamIo } from "../../src/sources/source.ts";
import { consumeNats } from "../../src/sources/nats/consume.ts";
import { eventually } from "../eventually.ts";
import { countStored, embeddedStore, HeldCommits, type TestStore } from "../outside-store.ts";
import { HoldingProxy } from "./holding-proxy.ts";
import { killNats, natsAddress, TestStream } from "./nats.ts";
import { binaryEvent, brokenMessages, structuredEvent, type SampleMessage } from "./sample-messages.ts";
import { ServingIsochron } from "./serving-isochron.ts";

const address = natsAddress ?? "";
const left = natsAddress === undefined;
const name = `test-${randomBytes(4).toString("hex")}`;

if (left) console.warn("left out: there is no NATS. Start it with `.ci/with-nats npm run test:service`");

describe("CloudEvents from a real NATS JetStream", () => {
  const stream = new TestStream(address, name);
  const sent = new Set<string>();
  let proxy: HoldingProxy;
  let isochron: ServingIsochron;

  /** New events, half of them in headers. */
  function next(count: number): readonly SampleMessage[] {
    return Array.from({ length: count }, (_, index) => {
      const id = `event-${sent.size}`;
      sent.add(id);
      return index % 2 === 0 ? structuredEvent(id) : binaryEvent(id, "ce-");
    });
  }

  async function pulling(): Promise<boolean> {
    try {
      return (await stream.consumer()).num_waiting > 0;
    } catch (error) {
      if (!(error instanceof Error) || !/consumer not found/.test(error.message)) throw error;
      return false;
    }
  }

  /** Everything that was sent stands in the store, each event once. */
  async function expectAllStoredOnce(): Promise<void> {
    const stored = (await isochron.events()).flatMap((event) => event.source_ids ?? []).toSorted();
    expect(stored).toEqual([...sent].toSorted());
  }

  beforeAll(async () => {
    if (left) return;
    await stream.make();
    proxy = await HoldingProxy.open(address);
    const servers = [new URL(proxy.addressFor(address)).host];
    isochron = await ServingIsochron.prepare(
      await embeddedStore(),
      { servers, stream: name, ack_wait_seconds: 2 },
      "nats",
    );
    await isochron.start();
    await eventually("the consumer is made, and pulls", pulling);
  });

  // A test that failed in the middle must not take the following ones with it.
  afterEach(() => proxy?.release());

  afterAll(async () => {
    if (left) return;
    await isochron.remove();
    await stream.remove();
    await proxy.close();
  });

  test.skipIf(left)(
    "published events are stored, and what is no CloudEvent is set aside and acknowledged",
    async () => {
      const broken = brokenMessages("ce-");
      await stream.send([...next(3), ...broken, ...next(3)]);
      await stream.drained();
      await expectAllStoredOnce();
      expect((await isochron.counts())?.set_aside).toBe(broken.length);
    },
  );

  test.skipIf(left)("a message is acknowledged only after its commit", async () => {
    const held = await HeldCommits.hold(isochron.store);
    await stream.send(next(1));
    await held.met();
    expect((await stream.consumer()).num_ack_pending).toBe(1);
    await held.release();
    await stream.drained();
    await expectAllStoredOnce();
  });

  test.skipIf(left)("kill -9 while a commit waits loses nothing", async () => {
    const held = await HeldCommits.hold(isochron.store);
    await stream.send(next(40));
    await held.met();
    await isochron.end("SIGKILL");
    held.abandon();
    await isochron.start();
    await stream.drained();
    await expectAllStoredOnce();
  });

  test.skipIf(left)("kill -9 between the commit and the acknowledgement stores nothing twice", async () => {
    proxy.hold();
    // The pull that is under way brings them; what the process says afterwards is kept back.
    await stream.send(next(40));
    await eventually("every event is stored", async () => (await storedIn(isochron.store)) === sent.size);
    expect((await stream.consumer()).num_ack_pending).toBe(40);
    await isochron.end("SIGKILL");
    proxy.release();
    await isochron.start();
    await stream.drained();
    await expectAllStoredOnce();
    expect((await isochron.counts())?.repeated).toBeGreaterThan(0);
  });

  test.skipIf(left)("a server that is killed and started again is read on from where it was", async () => {
    await stream.send(next(20));
    await killNats();
    await stream.send(next(20));
    await stream.drained();
    await expectAllStoredOnce();
  });

  test.skipIf(left)("a purge while we were away is shown as a hole", async () => {
    await eventually("the place is kept", async () => {
      const { config, delivered } = await stream.consumer();
      return config.description?.includes(`${delivered.stream_seq}/`);
    });
    expect((await isochron.state())?.holes).toEqual([]);
    await isochron.end("SIGKILL");
    await stream.send(Array.from({ length: 7 }, (_, index) => structuredEvent(`purged-${index}`)));
    await stream.purge();
    await stream.send(next(2));
    await isochron.start();
    await stream.drained();
    const holes = await eventually("the hole is shown", async () => {
      const shown = (await isochron.state())?.holes ?? [];
      return shown.length > 0 && shown;
    });
    expect(holes[0]?.says).toMatch(/^7 messages of stream/);
    expect((await isochron.state())?.findings[0]?.code).toBe("place-lost");
    await expectAllStoredOnce();
  });

  test.skipIf(left)("two workers share one consumer, and each message goes to one of them", async () => {
    const own = new TestStream(address, `${name}-shared`);
    await own.make();
    const end = new AbortController();
    const seen: Record<"one" | "other", RawRecord[]> = { one: [], other: [] };
    const workers = (["one", "other"] as const).map((worker) =>
      consumeNats(
        { servers: [new URL(address).host], stream: own.name },
        async (record) => {
          seen[worker].push(record);
          await Promise.resolve();
        },
        quietIo(end.signal),
      ),
    );
    await eventually("both pull", async () => {
      try {
        return (await own.consumer()).num_waiting >= 2;
      } catch {
        return false;
      }
    });
    await own.send(Array.from({ length: 60 }, (_, index) => structuredEvent(`shared-${index}`)));
    await own.drained();
    end.abort();
    await Promise.all(workers);
    expect(seen.one.length).toBeGreaterThan(0);
    expect(seen.other.length).toBeGreaterThan(0);
    const positions = [...seen.one, ...seen.other].map((record) => record.position);
    expect(new Set(positions).size).toBe(60);
    expect(positions).toHaveLength(60);
    await own.remove();
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

/** How many records are stored, seen past Isochron. */
async function storedIn(store: TestStore): Promise<number> {
  const client = await store.connect();
  try {
    return await countStored(client);
  } finally {
    await client.end();
  }
}
