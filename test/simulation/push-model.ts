import { IsochronError } from "../../src/errors.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { duration, instant } from "../../src/model/instant.ts";
import type { Stages } from "../../src/pipeline/ingest.ts";
import { receiveRequest } from "../../src/pipeline/receive.ts";
import { runStream } from "../../src/pipeline/stream.ts";
import { cloudevents } from "../../src/sources/cloudevents.ts";
import type { RawRecord, Span, StreamIo, StreamSource, WebhookSource } from "../../src/sources/source.ts";
import type { Element } from "./ledger.ts";
import type { PushScenario, ScenarioPlace } from "./scenario.ts";
import type { Actor } from "./world.ts";
import { running } from "./world.ts";

interface Message {
  readonly key: string;
  readonly body: JsonObject;
  readonly atMs: number;
  /** Undefined where it cannot be read. */
  readonly element: Element | undefined;
}

const connection = { name: "far", source: cloudevents.name, controlPlane: "cloud" };
const senderTimeoutMs = 30_000;
const encoder = new TextEncoder();

/** Makes what senders send, and tells the ledger of it. */
class Sender {
  readonly #place: ScenarioPlace;
  #last = 0;

  constructor(place: ScenarioPlace) {
    this.#place = place;
  }

  next(): Message {
    const { world, active, ledger } = this.#place;
    const id = `e${(this.#last += 1)}`;
    const time = new Date(world.nowMs).toISOString();
    const isPoison = active.has("poison") && world.random.chance(0.1);
    const mark = isPoison ? { time: "soon" } : { time };
    const body = { specversion: "1.0", id, source: "/sim", type: "thing.done", ...mark };
    const key = `/sim ${id}`;
    if (isPoison) ledger.tellPoison(`"id":"${id}"`);
    const element = isPoison ? undefined : ledger.tell({ key, atMs: world.nowMs });
    return { key, body, atMs: world.nowMs, element };
  }
}

/** How long after its own time a post comes, except where the sender gave it up. */
const postDelayMs = duration(60_000);

/** How many records an answer to a recall holds. */
const recalledPerPage = 3;

/**
 * Senders that post until they are told 2xx: twice, out of order, and to whichever process answers. Some posts are given
 * up, and are only found by asking the sender's API.
 */
export class PostModel implements PushScenario {
  readonly name = "webhook";
  readonly settleMs = 120_000;
  readonly workerClockErrorMs = 2_000;
  readonly #place: ScenarioPlace;
  readonly #sender: Sender;
  readonly #servers: { readonly actor: Actor; readonly stages: Stages }[] = [];
  readonly #sent: Message[] = [];
  readonly source: WebhookSource = {
    ...cloudevents,
    contract: { ...cloudevents.contract, commitDelayMax: postDelayMs },
    recall: (_config, span) => this.#recall(span),
  };

  constructor(place: ScenarioPlace) {
    this.#place = place;
    this.#sender = new Sender(place);
  }

  serve(actor: Actor, stages: Stages): Promise<void> {
    this.#servers.push({ actor, stages });
    return Promise.resolve();
  }

  act(): void {
    const { world, active } = this.#place;
    const count = active.has("bursts") && world.random.chance(0.3) ? world.random.between(2, 8) : 1;
    const messages = Array.from({ length: count }, () => this.#sender.next());
    this.#sent.push(...messages.filter(({ element }) => element !== undefined));
    const isUnreadable = messages.some(({ element }) => element === undefined);
    if (!isUnreadable && active.has("dropped posts") && world.random.chance(0.15)) {
      world.note(`${messages.map(({ key }) => key).join()} is never posted`);
      return;
    }
    this.#post(messages);
    if (world.random.chance(0.15)) this.#post(messages);
  }

  calm(): void {
    this.#place.world.note("nobody posts anything new");
  }

  async *#recall({ from, to }: Span): AsyncIterable<readonly RawRecord[]> {
    const { world, weather } = this.#place;
    const place = running.getStore();
    if (place === undefined) throw new Error("a recall outside of a history");
    const asked = this.#sent.filter(({ atMs }) => from <= atMs && atMs < to);
    for (let start = 0; start < asked.length; start += recalledPerPage) {
      const part = asked.slice(start, start + recalledPerPage);
      const receivedAt = instant(world.nowMs);
      yield await world.call(place.actor, "recall", weather, () =>
        part.map(({ key, body }) => ({
          bytes: encoder.encode(JSON.stringify(body)),
          position: `recall of ${key}`,
          receivedAt,
          meta: {},
        })),
      );
    }
  }

  #post(messages: readonly Message[]): void {
    const { world, weather, active } = this.#place;
    const name = messages.map(({ key }) => key).join();
    let isAnswered = false;
    const again = (afterMs: number) => {
      if (isAnswered) return;
      isAnswered = true;
      world.schedule(afterMs, "", () => this.#post(messages));
    };
    world.schedule(weather.latencyMs(), `post of ${name}`, () => {
      const up = this.#servers.filter(({ actor }) => actor.state !== "dead");
      if (up.length === 0) return again(2_000);
      const { actor, stages } = world.random.pick(up);
      const request = {
        headers: { "content-type": "application/cloudevents-batch+json" },
        body: encoder.encode(JSON.stringify(messages.map(({ body }) => body))),
        receivedAt: instant(world.nowMs + actor.clockErrorMs),
      };
      running.run({ world, actor }, () => {
        receiveRequest(stages, () => this.source, connection, request).then(
          () =>
            this.#answer(messages, () =>
              active.has("lost answers") && world.random.chance(0.1) ? again(5_000) : (isAnswered = true),
            ),
          (error: unknown) => {
            if (!(error instanceof IsochronError)) this.#place.ledger.fault("error", String(error));
            again(world.random.between(1_000, 8_000));
          },
        );
      });
      world.schedule(senderTimeoutMs, "", () => again(0));
    });
  }

  #answer(messages: readonly Message[], heard: () => void): void {
    this.#place.world.note(`answered ${messages.map(({ key }) => key).join()}`);
    this.#place.ledger.acked(messages.map(({ key }) => key));
    heard();
  }
}

interface Consumer {
  readonly actor: Actor;
  readonly deliver: (record: RawRecord) => Promise<void>;
  readonly io: StreamIo;
  readonly unacked: Set<Message>;
  /** Those of them that the process has, and has not failed to store. */
  readonly taken: Set<Message>;
}

const heartbeatMs = 5_000;

/**
 * A broker that delivers again what nobody acknowledged; the consumer acknowledges when a delivery has settled, and says
 * at each heartbeat whether it has all that was published. A queue may be purged; whoever reads on from there sees that
 * there is a gap, until something behind it was acknowledged.
 */
export class BrokerModel implements PushScenario {
  readonly name = "stream";
  readonly settleMs = 120_000;
  readonly workerClockErrorMs = 2_000;
  readonly #place: ScenarioPlace;
  readonly #sender: Sender;
  readonly #queue: Message[] = [];
  /** Deliveries to processes that died, which the broker has not noticed yet. */
  #lingering = 0;
  #gap: { readonly fromMs: number; readonly toMs: number } | undefined;
  readonly #consumers = new Set<Consumer>();
  readonly #source: StreamSource;

  constructor(place: ScenarioPlace) {
    this.#place = place;
    this.#sender = new Sender(place);
    const { normalise, contract, config, name, title, summary } = cloudevents;
    this.#source = {
      name,
      title,
      summary,
      contract,
      config,
      normalise,
      delivery: "stream",
      consume: (_config, deliver, io) => this.#consume(deliver, io),
    };
  }

  async serve(actor: Actor, stages: Stages): Promise<void> {
    const { world } = this.#place;
    const { signal } = new AbortController();
    const now = () => instant(world.nowMs + actor.clockErrorMs);
    const io = { signal, now, warn: () => undefined, secret: () => "secret" };
    for (;;) {
      try {
        await runStream(stages, connection, this.#source, {}, io);
      } catch (error) {
        if (!(error instanceof IsochronError)) throw error;
        await world.sleep(1_000, actor);
      }
    }
  }

  act(): void {
    const { world, active } = this.#place;
    const count = active.has("bursts") && world.random.chance(0.3) ? world.random.between(2, 20) : 1;
    for (let made = 0; made < count; made += 1) this.#queue.push(this.#sender.next());
    if (active.has("purges") && world.random.chance(0.05)) this.#purge();
    this.#pump();
  }

  #purge(): void {
    const { world } = this.#place;
    const lost = this.#queue.flatMap(({ element }) => element ?? []);
    this.#queue.splice(0, this.#queue.length, ...this.#queue.filter(({ element }) => element === undefined));
    // What came twice was stored already, perhaps.
    const unstored = lost.filter(({ stored }) => stored === 0);
    if (unstored.length === 0) return;
    world.note(`the queue is purged of ${unstored.map(({ key }) => key).join()}`);
    for (const element of unstored) element.breach = "place-lost";
    const fromMs = Math.min(this.#gap?.fromMs ?? world.nowMs, ...unstored.map(({ atMs }) => atMs));
    this.#gap = { fromMs, toMs: world.nowMs + 1 };
    for (const consumer of this.#consumers) this.#tellGap(consumer);
  }

  #tellGap({ actor, io }: Consumer): void {
    const { world } = this.#place;
    if (this.#gap === undefined || actor.state === "dead") return;
    const { fromMs, toMs } = this.#gap;
    const hole = { from: instant(fromMs), to: instant(toMs), reason: "place-lost", says: "purged" } as const;
    const tell = () =>
      running.run({ world, actor }, () => io.lost(hole, { code: "place-lost", says: "purged" }));
    world.schedule(0, "", tell, actor);
  }

  #beat(consumer: Consumer): void {
    const { world } = this.#place;
    const { actor, io, unacked, taken } = consumer;
    world.schedule(
      heartbeatMs,
      "",
      () => {
        const isElsewhere = [...this.#consumers].some((one) => one !== consumer && one.unacked.size > 0);
        const isOnItsWay = [...unacked].some((message) => !taken.has(message));
        const isAllHere = this.#queue.length === 0 && this.#lingering === 0 && !isElsewhere && !isOnItsWay;
        running.run({ world, actor }, () => io.alive(isAllHere ? instant(world.nowMs) : undefined));
        this.#beat(consumer);
      },
      actor,
    );
  }

  calm(): void {
    this.#place.world.note("nothing new is published");
  }

  #consume(deliver: Consumer["deliver"], io: StreamIo): Promise<void> {
    const { signal } = io;
    const place = running.getStore();
    if (place === undefined) throw new Error("a consumer outside of a history");
    const consumer = {
      actor: place.actor,
      deliver,
      io,
      unacked: new Set<Message>(),
      taken: new Set<Message>(),
    };
    this.#consumers.add(consumer);
    this.#tellGap(consumer);
    this.#beat(consumer);
    this.#pump();
    return new Promise((resolve) => void signal.addEventListener("abort", () => resolve(), { once: true }));
  }

  /** Hands over what waits, at most five at a time to each consumer. */
  #pump(): void {
    const { world, weather } = this.#place;
    for (const consumer of this.#consumers) {
      const { actor, unacked } = consumer;
      if (actor.state === "dead") {
        this.#consumers.delete(consumer);
        this.#lingering += unacked.size;
        world.schedule(world.random.between(500, 10_000), "unacknowledged deliveries go back", () => {
          this.#lingering -= unacked.size;
          this.#queue.unshift(...unacked);
          this.#pump();
        });
        continue;
      }
      while (unacked.size < 5 && this.#queue.length > 0) {
        const isShuffled = world.random.chance(0.2);
        const message = this.#queue.splice(
          isShuffled ? world.random.between(0, this.#queue.length - 1) : 0,
          1,
        )[0]!;
        unacked.add(message);
        const hand = () => running.run({ world, actor }, () => this.#hand(consumer, message));
        world.schedule(weather.latencyMs(), `${message.key} to ${actor.name}`, hand, actor);
      }
    }
  }

  #hand({ actor, deliver, unacked, taken }: Consumer, message: Message): void {
    const { world, weather, ledger } = this.#place;
    const record: RawRecord = {
      bytes: encoder.encode(JSON.stringify(message.body)),
      position: `delivery of ${message.key}`,
      receivedAt: instant(world.nowMs),
      meta: {},
    };
    const goBack = () => {
      taken.delete(message);
      if (!unacked.delete(message)) return;
      this.#queue.push(message);
      this.#pump();
    };
    taken.add(message);
    const isBehindGap = this.#gap !== undefined && message.atMs >= this.#gap.toMs - 1;
    deliver(record).then(
      () =>
        world
          .call(actor, `ack of ${message.key}`, weather, () => {
            ledger.acked([message.key]);
            unacked.delete(message);
            taken.delete(message);
            if (isBehindGap) this.#gap = undefined;
            this.#pump();
          })
          .catch(goBack),
      (error: unknown) => {
        if (!(error instanceof IsochronError)) ledger.fault("error", String(error));
        taken.delete(message);
        world.schedule(1_000, "", goBack, actor);
      },
    );
  }

  /** A broker sees that a consumer is gone when its connection ends. */
  settle(): void {
    if (this.#queue.length > 0)
      this.#place.ledger.fault("lost", `${this.#queue.length} deliveries are still queued`);
  }

  died(): void {
    this.#pump();
  }
}
