import {
  AckPolicy,
  DeliverPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  jetstream,
  jetstreamManager,
} from "@nats-io/jetstream";
import type { Consumer, ConsumerConfig, ConsumerInfo, JetStreamManager, JsMsg } from "@nats-io/jetstream";
import { connect, credsAuthenticator } from "@nats-io/transport-node";
import type { NatsConnection, NodeConnectionOptions } from "@nats-io/transport-node";
import { IsochronError } from "../../errors.ts";
import { instant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import { messageMeta } from "../cloudevents/message.ts";
import { abortOf, keepSession, problemOf } from "../kept-session.ts";
import type { RawRecord, StreamIo, StreamSource } from "../source.ts";
import { natsConfig } from "./config.ts";
import type { NatsConfig } from "./config.ts";
import { formatPlace, lossBetween, parsePlace } from "./stream-place.ts";
import type { ConsumerPlace } from "./stream-place.ts";

type Deliver = Parameters<StreamSource["consume"]>[1];

/** How long one pull waits for messages; between two pulls the stream's state is looked at. */
const pullMs = 5_000;
/** How soon a message that could not be stored is given again. */
const againMs = 5_000;
/** What the server counts to a message beside its payload: subject, reply subject and framing. */
const framingBytes = 64 * 1024;
/** How far the kept moment of completeness may lag behind, in a stream that rests. */
const keptEveryMs = 5 * 60_000;

/** What a session has learnt of the place, which the next one goes on from. */
interface Memory {
  place: ConsumerPlace | undefined;
  /** The place that stands in the consumer's description. */
  written: ConsumerPlace | undefined;
}

/**
 * Reads a stream through a durable consumer until the signal ends it. A message is acknowledged after the commit that
 * stored it; one that was not stored comes again, to this worker or another of the same consumer.
 */
export async function consumeNats(settings: JsonObject, deliver: Deliver, io: StreamIo): Promise<void> {
  const config = natsConfig.parse(settings);
  const memory: Memory = { place: undefined, written: undefined };
  await keepSession(io, async (ready) => {
    const options = connectionOptions(config, io);
    const connection = await connect({ ...options, servers: await admitted(config, io) });
    try {
      const reading = readOn(connection, config, memory, deliver, io, ready);
      // A reading that outlives its connection fails by itself, after the connection's own end was told.
      reading.catch(() => undefined);
      await Promise.race([reading, endOf(connection), abortOf(io.signal)]);
    } finally {
      await connection.close();
    }
  });
}

function connectionOptions(config: NatsConfig, io: StreamIo): NodeConnectionOptions {
  const secret = (name: "password" | "token" | "creds" | "ca") => {
    const reference = config[name];
    return reference === undefined ? undefined : io.secret(reference);
  };
  const [password, token, creds, ca] = [secret("password"), secret("token"), secret("creds"), secret("ca")];
  return {
    name: "isochron",
    // Others that the servers tell of were written down by nobody.
    ignoreClusterUpdates: true,
    // A new session looks for losses first, which a connection that mends itself would not.
    reconnect: false,
    timeout: 10_000,
    pingInterval: 10_000,
    ...(config.user !== undefined && { user: config.user }),
    ...(password !== undefined && { pass: password }),
    ...(token !== undefined && { token }),
    ...(creds !== undefined && { authenticator: credsAuthenticator(new TextEncoder().encode(creds)) }),
    ...(ca !== undefined ? { tls: { ca } } : config.tls ? { tls: {} } : {}),
  };
}

/**
 * The servers, each by the address that was checked. With TLS they keep their names, which their certificates have to
 * bear; another machine behind the name could not show one.
 */
async function admitted({ servers, tls, ca }: NatsConfig, { addresses }: StreamIo): Promise<string[]> {
  if (addresses === undefined) return [...servers];
  const admit = async (server: string): Promise<string[]> => {
    const { hostname, port } = new URL(server.includes("://") ? server : `nats://${server}`);
    addresses.own(hostname);
    const found = await addresses.resolve(hostname);
    if (tls || ca !== undefined) return [server];
    return found.map(({ address, family }) => `${family === 6 ? `[${address}]` : address}:${port || "4222"}`);
  };
  return (await Promise.all(servers.map(admit))).flat();
}

async function endOf(connection: NatsConnection): Promise<void> {
  const error = await connection.closed();
  throw unavailable(error === undefined ? "the connection was closed" : problemOf(error));
}

async function readOn(
  connection: NatsConnection,
  config: NatsConfig,
  memory: Memory,
  deliver: Deliver,
  io: StreamIo,
  ready: () => void,
): Promise<void> {
  const manager = await jetstreamManager(connection);
  await ensureConsumer(manager, config, memory);
  const consumer = await jetstream(connection).consumers.get(config.stream, config.consumer);
  const bytesMax = Math.max(config.bytes_max, (connection.info?.max_payload ?? 0) + framingBytes);
  for (let first = true; !io.signal.aborted; first = false) {
    await lookAround(manager, config, memory, io);
    if (first) ready();
    await pull(consumer, config, bytesMax, deliver, io);
  }
}

/** Makes the consumer where it is missing, and gives it the settings where they have changed. */
async function ensureConsumer(manager: JetStreamManager, config: NatsConfig, memory: Memory): Promise<void> {
  const wanted: Partial<ConsumerConfig> = {
    ack_wait: config.ack_wait_seconds * 1e9,
    max_ack_pending: config.ack_pending_max,
    ...(config.subjects.length === 1 && { filter_subject: config.subjects[0]! }),
    ...(config.subjects.length > 1 && { filter_subjects: [...config.subjects] }),
  };
  const found = await findConsumer(manager, config);
  if (found === undefined) {
    // No threshold of inactivity: the place in the stream has to outlive our longest absence.
    await manager.consumers.add(config.stream, {
      durable_name: config.consumer,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      max_deliver: -1,
      ...wanted,
    });
    memory.place = undefined;
    memory.written = undefined;
    return;
  }
  if (found.config.ack_policy !== AckPolicy.Explicit || found.config.deliver_subject !== undefined) {
    throw new IsochronError(
      "config-invalid",
      `The consumer ${config.consumer} of stream ${config.stream} is another's: it pushes, or needs no acknowledgement.`,
      "Name another consumer; a missing one is made.",
    );
  }
  const kept: Partial<Record<string, unknown>> = { ...found.config };
  const changed = Object.entries(wanted).some(
    ([name, value]) => JSON.stringify(kept[name]) !== JSON.stringify(value),
  );
  if (changed) await manager.consumers.update(config.stream, config.consumer, wanted);
}

async function findConsumer(
  manager: JetStreamManager,
  config: NatsConfig,
): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(config.stream, config.consumer);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.ConsumerNotFound)
      return undefined;
    throw error;
  }
}

/** Looks for messages that went away unread, and says how far everything is stored. */
async function lookAround(
  manager: JetStreamManager,
  config: NatsConfig,
  memory: Memory,
  io: StreamIo,
): Promise<void> {
  const askedAt = io.now();
  // The stream first: what it had dropped by then can no longer be delivered by the time the consumer is asked.
  const { state } = await manager.streams.info(config.stream);
  const info = await manager.consumers.info(config.stream, config.consumer);
  const delivered = { streamSeq: info.delivered.stream_seq, consumerSeq: info.delivered.consumer_seq };
  const firstAt = state.messages > 0 ? Date.parse(state.first_ts) : Number.NaN;
  const before: ConsumerPlace = memory.place ?? parsePlace(info.config.description) ?? delivered;
  const loss = lossBetween(
    before,
    {
      ...delivered,
      firstSeq: state.first_seq,
      firstAt: Number.isNaN(firstAt) ? undefined : instant(firstAt),
      filtered: config.subjects.length > 0,
    },
    config.stream,
    askedAt,
    io.heardBefore,
  );
  // Nothing was ever read by a consumer that is new: what the stream dropped before is none of its past.
  const isNew =
    memory.place === undefined && info.delivered.consumer_seq === 0 && info.config.description === undefined;
  if (loss !== undefined && !isNew) {
    io.warn("messages went away before they were read", {
      stream: config.stream,
      problem: loss.finding.says,
    });
    io.lost(loss.hole, loss.finding);
  }
  const idle = info.num_pending === 0 && info.num_ack_pending === 0;
  io.alive(idle ? askedAt : undefined);
  const completeTo = idle ? askedAt : before.completeTo;
  memory.place = {
    streamSeq: Math.max(delivered.streamSeq, state.first_seq - 1),
    consumerSeq: delivered.consumerSeq,
    ...(completeTo !== undefined && { completeTo }),
  };
  await writePlace(manager, config, memory, io);
}

/** Keeps the place where the next process finds it; an account that may not write it only sees fewer losses. */
async function writePlace(
  manager: JetStreamManager,
  config: NatsConfig,
  memory: Memory,
  io: StreamIo,
): Promise<void> {
  const place = memory.place;
  if (place === undefined) return;
  const written = memory.written;
  const same = written?.streamSeq === place.streamSeq && written.consumerSeq === place.consumerSeq;
  if (same && (place.completeTo ?? 0) < (written.completeTo ?? 0) + keptEveryMs) return;
  try {
    await manager.consumers.update(config.stream, config.consumer, { description: formatPlace(place) });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    io.warn("the place in the stream could not be kept with its consumer", { error: problemOf(error) });
  }
  memory.written = place;
}

/** Hands over what one pull brings, and waits until all of it is settled. */
async function pull(
  consumer: Consumer,
  config: NatsConfig,
  bytesMax: number,
  deliver: Deliver,
  io: StreamIo,
): Promise<void> {
  const messages = await consumer.fetch({ max_bytes: bytesMax, expires: pullMs });
  const underWay: Promise<void>[] = [];
  for await (const message of messages) underWay.push(take(message, config.stream, deliver, io));
  await Promise.all(underWay);
}

/** Acknowledges after the commit; what could not be stored is given again. */
async function take(message: JsMsg, stream: string, deliver: Deliver, io: StreamIo): Promise<void> {
  try {
    await deliver(recordOf(message, stream));
  } catch (error) {
    io.warn("a message was not stored and is given again", { error: problemOf(error) });
    message.nak(againMs);
    return;
  }
  message.ack();
}

/** A message as it was read. Pure, and the same each time that it is delivered. */
export function recordOf(
  message: Pick<JsMsg, "data" | "headers" | "subject" | "seq" | "time">,
  stream: string,
): RawRecord {
  const headers = (message.headers?.keys() ?? []).map(
    (name) => [name, message.headers?.get(name) ?? ""] as const,
  );
  return {
    bytes: message.data,
    position: `${stream} #${message.seq}`,
    // When the stream took it: the same at each delivery, so that an event without a time is the same as well.
    receivedAt: instant(message.time.getTime()) satisfies Instant,
    meta: { ...messageMeta(headers, "ce-"), subject: message.subject, sequence: message.seq },
  };
}

function unavailable(what: string): IsochronError {
  return new IsochronError("source-unavailable", `NATS: ${what}.`, "It is tried again by itself.");
}
