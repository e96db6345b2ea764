import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { EventJson } from "../../src/present/api/contract.ts";
import { readServerEvents } from "../../src/present/cli/server-events.ts";
import { eventually } from "../eventually.ts";
import { countStored, embeddedStore, externalStore, HeldCommits, type TestStore } from "../outside-store.ts";
import { brokenBodies } from "./broken-bodies.ts";
import { HoldingProxy } from "./holding-proxy.ts";
import {
  backlogOf,
  drained,
  listening,
  NotificationSender,
  queuesOf,
  rabbitmqAddress,
  rabbitmqctl,
} from "./rabbitmq.ts";
import { readRecordedNotifications, type Notification } from "./recorded-notifications.ts";
import { ServingIsochron } from "./serving-isochron.ts";

const address = rabbitmqAddress ?? "";
const server = process.env["ISOCHRON_TEST_DATABASE_URL"];
const prefix = `isochron-test-${randomBytes(4).toString("hex")}`;
const recorded = readRecordedNotifications();
const exchanges = ["nova", "cinder", "neutron", "glance", "keystone", "heat"];

const stores: readonly (readonly [string, (() => Promise<TestStore>) | undefined])[] = [
  ["the embedded store", embeddedStore],
  [
    "an existing PostgreSQL",
    server === undefined ? undefined : () => externalStore(server, prefix.replaceAll("-", "_")),
  ],
];

if (rabbitmqAddress === undefined) {
  console.warn("left out: there is no RabbitMQ. Start it with `.ci/with-rabbitmq npm run test:service`");
}
if (server === undefined) {
  console.warn("left out: there is no existing PostgreSQL. Start one with `.ci/with-postgresql`");
}

describe.each(stores)("notifications from a real RabbitMQ into %s", (title, makeStore) => {
  const left = rabbitmqAddress === undefined || makeStore === undefined;
  const queue = `${prefix}-${title.replaceAll(/\W/g, "")}`;
  const sent = new Set<string>();
  let unsent: readonly Notification[] = recorded;
  let proxy: HoldingProxy;
  let sender: NotificationSender;
  let isochron: ServingIsochron;

  /** The next messages of the recording, each sent once. */
  function next(count: number): readonly Notification[] {
    const batch = unsent.slice(0, count);
    unsent = unsent.slice(count);
    if (batch.length < count) throw new Error("the recording is used up");
    for (const { messageId } of batch) sent.add(messageId);
    return batch;
  }

  async function start(): Promise<void> {
    await isochron.start();
    await listening(queue, exchanges);
  }

  /** Settles once the connection is called complete to after the given moment, with nothing sent to it meanwhile. */
  async function expectCompleteTo(at: number): Promise<void> {
    const reached = await eventually(
      "the connection is complete to after that",
      async () => {
        const completeTo = Date.parse((await isochron.state())?.complete_to ?? "");
        return completeTo > at ? completeTo : undefined;
      },
      { withinMs: 60_000, everyMs: 500 },
    );
    expect(reached).toBeGreaterThan(at);
  }

  /** Everything that was sent stands in the store, each message once. */
  async function expectAllStoredOnce(): Promise<void> {
    const stored = (await isochron.events()).flatMap((event) => event.source_ids ?? []).toSorted();
    expect(stored).toEqual([...sent].toSorted());
  }

  beforeAll(async () => {
    if (left) return;
    proxy = await HoldingProxy.open(address);
    sender = await NotificationSender.open(address);
    isochron = await ServingIsochron.prepare(await makeStore(), {
      url: proxy.addressFor(address),
      exchanges,
      queue,
      queue_messages_max: 5000,
      prefetch: 100,
    });
    await start();
  });

  // A test that failed in the middle must not take the following ones with it.
  afterEach(() => proxy?.release());

  afterAll(async () => {
    if (left) return;
    await isochron.remove();
    await sender.deleteQueues(queue);
    await sender.close();
    await proxy.close();
  });

  test.skipIf(left)("a published notification appears on an open live stream", async () => {
    const response = await isochron.get("/api/v1/live", AbortSignal.timeout(60_000));
    const text = response.body!.pipeThrough(new TextDecoderStream());
    const [notification] = next(1);
    await sender.send([notification!]);
    for await (const message of readServerEvents(text as unknown as AsyncIterable<string>)) {
      if (message.event !== "event") continue;
      const event = JSON.parse(message.data) as EventJson;
      if (event.source_ids?.includes(notification!.messageId)) break;
    }
    await drained(queue);
    await expectAllStoredOnce();
  });

  test.skipIf(left)("a message is acknowledged only after its commit", async () => {
    const held = await HeldCommits.hold(isochron.store);
    await sender.send(next(1));
    await held.met();
    expect(await backlogOf(queue)).toEqual({ ready: 0, unacknowledged: 1 });
    expect(await storedIds(isochron.store)).toBe(sent.size - 1);
    await held.release();
    await drained(queue);
    await expectAllStoredOnce();
  });

  test.skipIf(left)("a broken message is set aside and acknowledged, and stops no other", async () => {
    const broken = brokenBodies();
    const good = next(broken.length * 3);
    const mixed = good.flatMap((notification, index) => {
      const body = index % 3 === 1 ? broken[(index - 1) / 3]?.body : undefined;
      return body === undefined ? [notification] : [notification, { ...notification, body }];
    });
    await sender.send(mixed);
    await drained(queue);
    expect((await isochron.counts())?.set_aside).toBe(broken.length);
    await expectAllStoredOnce();
  });

  test.skipIf(left)("a connection that the broker cuts is made again", async () => {
    await sender.send(next(20));
    await rabbitmqctl("close_all_connections", "cut by a test");
    sender = await NotificationSender.open(address);
    await sender.send(next(20));
    await listening(queue, exchanges);
    await sender.send(next(20));
    await drained(queue);
    expect(isochron.log).toMatch(/cut by a test|(connection|channel) was closed/);
    await expectAllStoredOnce();
  });

  describe.each(["first", "second", "third"])("kill -9, %s round", () => {
    test.skipIf(left)("while a commit waits", async () => {
      const held = await HeldCommits.hold(isochron.store);
      await sender.send(next(40));
      await held.met();
      await isochron.end("SIGKILL");
      held.abandon();
      await eventually("every message is given back", async () => {
        return (await backlogOf(queue)).ready === 40;
      });
      await start();
      await drained(queue);
      await expectAllStoredOnce();
    });

    test.skipIf(left)("after the commit and before the acknowledgement has left", async () => {
      const before = (await isochron.counts())?.set_aside ?? 0;
      const batch = next(40);
      proxy.hold();
      await sender.send([{ ...batch[0]!, body: `{"cut off": "${batch[0]!.messageId}` }, ...batch]);
      await eventually(
        "every message is stored",
        async () => (await storedIds(isochron.store)) === sent.size,
      );
      expect(await backlogOf(queue)).toEqual({ ready: 0, unacknowledged: 41 });
      await isochron.end("SIGKILL");
      proxy.release();
      await start();
      await drained(queue);
      await expectAllStoredOnce();
      const { repeated, set_aside: setAside } = (await isochron.counts())!;
      expect(repeated).toBeGreaterThan(0);
      expect(setAside).toBe(before + 1);
    });

    test.skipIf(left)("in the middle of a flood, which goes on meanwhile", async () => {
      const before = sent.size;
      const flood = next(90);
      await sender.send(flood.slice(0, 60));
      await eventually("some are stored", async () => (await storedIds(isochron.store)) > before, {
        everyMs: 1,
      });
      await isochron.end("SIGKILL");
      await sender.send(flood.slice(60));
      await start();
      await drained(queue);
      await expectAllStoredOnce();
    });
  });

  test.skipIf(left)("the queues are durable, bounded, and outlive the broker's restart", async () => {
    const queues = await queuesOf(queue);
    expect(queues).toHaveLength(exchanges.length);
    for (const { durable, arguments: bounds } of queues) {
      expect(durable).toBe(true);
      expect(bounds).toMatchObject({ "x-max-length": 5000, "x-overflow": "drop-head" });
    }
    await isochron.end("SIGKILL");
    await sender.send(next(30));
    await rabbitmqctl("stop_app");
    await rabbitmqctl("start_app");
    expect((await backlogOf(queue)).ready).toBe(30);
    await start();
    sender = await NotificationSender.open(address);
    await drained(queue);
    await expectAllStoredOnce();
  });

  test.skipIf(left)(
    "a broker that is heard and has nothing for us moves what is complete along",
    async () => {
      await expectCompleteTo(Date.now());
    },
  );

  test.skipIf(left)("what happened before that and is sent after it is told as a late commit", async () => {
    await expectCompleteTo(Date.now());
    const [notification] = next(1);
    await sender.send([{ ...notification!, body: datedAt(notification!.body, Date.now() - 3_600_000) }]);
    await drained(queue);
    const { findings, holes } = (await isochron.state())!;
    expect(findings.map(({ code }) => code)).toContain("late-commit");
    expect(holes.map(({ reason }) => reason)).toContain("late-commit");
    await expectAllStoredOnce();
  });

  test.skipIf(left)("queues that vanish while we are away are told as a hole", async () => {
    await isochron.end("SIGKILL");
    await sender.deleteQueues(queue);
    await start();
    const told = await eventually(
      "the loss is told",
      async () => (await isochron.state())?.holes.find(({ reason }) => reason === "place-lost"),
      { withinMs: 60_000, everyMs: 500 },
    );
    expect(told.says).toContain(`${queue}.nova`);
    expect(Date.parse(told.to)).toBeGreaterThan(Date.parse(told.from));
    const after = await isochron.state();
    expect(after?.findings.map(({ code }) => code)).toContain("place-lost");
    await sender.send(next(3));
    await drained(queue);
    await expectAllStoredOnce();
  });
});

/** The same notification with every time in it moved to the given one. */
function datedAt(body: Notification["body"], at: number): string {
  const [day, time] = new Date(at).toISOString().slice(0, -1).split("T");
  return body.toString().replaceAll(/\d{4}-\d\d-\d\d([ T])\d\d:\d\d:\d\d(\.\d+)?/g, `${day}$1${time}`);
}

/** How many messages are stored, seen past Isochron. */
async function storedIds(store: TestStore): Promise<number> {
  const client = await store.connect();
  try {
    return await countStored(client);
  } finally {
    await client.end();
  }
}
