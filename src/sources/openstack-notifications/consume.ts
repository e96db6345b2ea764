import type { Channel, ChannelModel, ConsumeMessage } from "amqplib";
import { connect } from "amqplib";
import { setTimeout as sleep } from "node:timers/promises";
import type { JsonObject } from "../../model/json.ts";
import { isSecretReference } from "../../model/secret-reference.ts";
import type { RawRecord, StreamSource } from "../source.ts";
import { notificationsConfig } from "./config.ts";
import type { NotificationsConfig } from "./config.ts";
import { channelEnd, lost } from "./channel-end.ts";
import { queueOf, QueueWatch } from "./queue-watch.ts";

type Deliver = Parameters<StreamSource["consume"]>[1];
type ConsumeIo = Parameters<StreamSource["consume"]>[2];

/** The longest rest between two attempts to reach the broker. */
const restMsMax = 30_000;

/**
 * Listens until the signal ends it: own durable, bounded queues beside those of other consumers, so that
 * nobody's messages are taken away; an acknowledgement is sent only after `deliver` settled, which is
 * after the commit. A lost connection is made again, with growing rests.
 */
export async function consumeNotifications(
  settings: JsonObject,
  deliver: Deliver,
  io: ConsumeIo,
): Promise<void> {
  const config = notificationsConfig.parse(settings);
  const url = isSecretReference(config.url) ? io.secret(config.url) : config.url;
  const watch = new QueueWatch(config, io);
  let failures = 0;
  while (!io.signal.aborted) {
    try {
      await listen(url, config, deliver, { ...io, watch }, () => {
        failures = 0;
        io.report(undefined);
      });
    } catch (error) {
      failures += 1;
      const why = error instanceof Error ? error.message : String(error);
      io.warn("the broker cannot be reached", { attempt: failures, error: why });
      io.report(`The broker cannot be reached: ${why}`);
    }
    if (!io.signal.aborted) await rest(failures, io.signal);
  }
}

/** Full jitter, so that many processes do not come back at the same moment. */
async function rest(failures: number, signal: AbortSignal): Promise<void> {
  const most = Math.min(restMsMax, 500 * 2 ** Math.min(failures, 10));
  try {
    await sleep(100 + Math.random() * most, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** One connection's life: ends when the signal says so, throws when the broker ends it. */
async function listen(
  url: string,
  config: NotificationsConfig,
  deliver: Deliver,
  io: ConsumeIo & { readonly watch: QueueWatch },
  onReady: () => void,
): Promise<void> {
  const { addresses } = io;
  const host = new URL(url).hostname;
  addresses?.own(host);
  await addresses?.resolve(host);
  const connection = await connect(withHeartbeat(url), {
    clientProperties: { connection_name: "isochron" },
    ...(addresses !== undefined && { lookup: addresses.lookup }),
  });
  const ended = connectionEnd(connection);
  const over = new AbortController();
  try {
    for (const exchange of config.exchanges) await ensureExchange(connection, exchange, config);
    await io.watch.lookForQueues(connection);
    const channel = await connection.createChannel();
    const failed = channelEnd(channel);
    await channel.prefetch(config.prefetch, true);
    for (const exchange of config.exchanges) await subscribe(channel, exchange, config, deliver, io);
    onReady();
    await Promise.race([ended, failed, io.watch.tellAlive(channel, over.signal), abortOf(io.signal)]);
  } finally {
    over.abort();
    await closeQuietly(connection);
  }
}

/** A silent broker is noticed within a minute. */
function withHeartbeat(url: string): string {
  const address = new URL(url);
  if (!address.searchParams.has("heartbeat")) address.searchParams.set("heartbeat", "20");
  return address.href;
}

function connectionEnd(connection: ChannelModel): Promise<never> {
  const end = new Promise<never>((_, reject) => {
    connection.on("error", reject);
    connection.on("close", () => reject(lost("the connection was closed")));
  });
  end.catch(() => undefined);
  return end;
}

function abortOf(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Closing a connection that is already gone is no news. */
async function closeQuietly(connection: ChannelModel): Promise<void> {
  try {
    await connection.close();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}

/**
 * Uses the exchange as it stands, whatever its durability; only a missing one is declared, as oslo would.
 * The look is taken on a channel of its own, because a failed passive declaration closes its channel.
 */
async function ensureExchange(
  connection: ChannelModel,
  exchange: string,
  config: NotificationsConfig,
): Promise<void> {
  const probe = await connection.createChannel();
  const closed = channelEnd(probe);
  try {
    await Promise.race([probe.checkExchange(exchange), closed]);
    await probe.close();
  } catch (error) {
    if (!/404|NOT_FOUND/.test(error instanceof Error ? error.message : "")) throw error;
    const channel = await connection.createChannel();
    await channel.assertExchange(exchange, "topic", { durable: config.exchanges_durable, autoDelete: false });
    await channel.close();
  }
}

async function subscribe(
  channel: Channel,
  exchange: string,
  config: NotificationsConfig,
  deliver: Deliver,
  io: ConsumeIo,
): Promise<void> {
  const queue = queueOf(config, exchange);
  await channel.assertQueue(queue, {
    durable: true,
    arguments: { "x-max-length": config.queue_messages_max, "x-overflow": "drop-head" },
  });
  for (const topic of config.topics) {
    for (const priority of config.priorities)
      await channel.bindQueue(queue, exchange, `${topic}.${priority}`);
  }
  await channel.consume(queue, (message) => {
    if (message === null) {
      channel.emit("error", lost(`the broker cancelled the consumer of ${queue}`));
      return;
    }
    void take(channel, message, deliver, io);
  });
}

/** Acknowledges after the commit; what could not be stored goes back to the queue. */
async function take(
  channel: Channel,
  message: ConsumeMessage,
  deliver: Deliver,
  io: ConsumeIo,
): Promise<void> {
  try {
    await deliver(toRecord(message, io));
    if (!io.signal.aborted) channel.ack(message);
  } catch (error) {
    io.warn("a delivery was not stored and goes back to the queue", {
      error: error instanceof Error ? error.message : String(error),
    });
    requeue(channel, message);
  }
}

/** A channel that is gone has given its deliveries back by itself. */
function requeue(channel: Channel, message: ConsumeMessage): void {
  try {
    channel.nack(message, false, true);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== "IllegalOperationError") throw error;
  }
}

function toRecord(message: ConsumeMessage, io: ConsumeIo): RawRecord {
  const { exchange, routingKey, redelivered } = message.fields;
  return {
    bytes: message.content,
    // Without the delivery's number, which changes when it is delivered again: the same broken message is kept once.
    position: `${exchange} ${routingKey}`,
    receivedAt: io.now(),
    meta: { exchange, routing_key: routingKey, redelivered },
  };
}
