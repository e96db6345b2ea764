import { IsochronError } from "../../src/errors.ts";
import type { JsonObject } from "../../src/model/json.ts";
import { instant } from "../../src/model/instant.ts";
import type { Stages } from "../../src/pipeline/ingest.ts";
import { receiveRequest } from "../../src/pipeline/receive.ts";
import { runStream } from "../../src/pipeline/stream.ts";
import { cloudevents } from "../../src/sources/cloudevents.ts";
import type { RawRecord, StreamIo, StreamSource } from "../../src/sources/source.ts";
import type { PushScenario, ScenarioPlace } from "./scenario.ts";
import type { Actor } from "./world.ts";
import { running } from "./world.ts";

interface Message {
  readonly key: string;
  readonly body: JsonObject;
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
    if (isPoison) ledger.tellPoison(`"id":"${id}"`);
    else ledger.tell({ key: `/sim ${id}`, atMs: world.nowMs });
    return { key: `/sim ${id}`, body };
  }
}

/** Senders that post until they are told 2xx: twice, out of order, and to whichever process answers. */
export class PostModel implements PushScenario {
  readonly name = "webhook";
  readonly settleMs = 120_000;
  readonly workerClockErrorMs = 2_000;
  readonly #place: ScenarioPlace;
  readonly #sender: Sender;
  readonly #servers: { readonly actor: Actor; readonly stages: Stages }[] = [];

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
    this.#post(messages);
    if (world.random.chance(0.15)) this.#post(messages);
  }

  calm(): void {
    this.#place.world.note("nobody posts anything new");
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
        receiveRequest(stages, () => cloudevents, connection, request).then(
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
  readonly unacked: Set<Message>;
}

/** A broker that delivers again what nobody acknowledged; the consumer acknowledges when a delivery has settled. */
export class BrokerModel implements PushScenario {
  readonly name = "stream";
  readonly settleMs = 120_000;
  readonly workerClockErrorMs = 2_000;
  readonly #place: ScenarioPlace;
  readonly #sender: Sender;
  readonly #queue: Message[] = [];
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
    this.#pump();
  }

  calm(): void {
    this.#place.world.note("nothing new is published");
  }

  #consume(deliver: Consumer["deliver"], { signal }: StreamIo): Promise<void> {
    const place = running.getStore();
    if (place === undefined) throw new Error("a consumer outside of a history");
    this.#consumers.add({ actor: place.actor, deliver, unacked: new Set() });
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
        world.schedule(world.random.between(500, 10_000), "unacknowledged deliveries go back", () => {
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

  #hand({ actor, deliver, unacked }: Consumer, message: Message): void {
    const { world, weather, ledger } = this.#place;
    const record: RawRecord = {
      bytes: encoder.encode(JSON.stringify(message.body)),
      position: `delivery of ${message.key}`,
      receivedAt: instant(world.nowMs),
      meta: {},
    };
    const goBack = () => {
      if (!unacked.delete(message)) return;
      this.#queue.push(message);
      this.#pump();
    };
    deliver(record).then(
      () =>
        world
          .call(actor, `ack of ${message.key}`, weather, () => {
            ledger.acked([message.key]);
            unacked.delete(message);
            this.#pump();
          })
          .catch(goBack),
      (error: unknown) => {
        if (!(error instanceof IsochronError)) ledger.fault("error", String(error));
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
