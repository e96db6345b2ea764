import {
  Consumer,
  FetchIsolationLevels,
  findErrorBy,
  ListOffsetTimestamps,
  ResponseError,
} from "@platformatic/kafka";
import type { Instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import { abortOf, keepSession, problemOf, restFor } from "../kept-session.ts";
import type { StreamIo, StreamSource } from "../source.ts";
import { holeOf, lossAt } from "./assigned-partition.ts";
import type { AssignedPartition } from "./assigned-partition.ts";
import { kafkaConfig } from "./config.ts";
import type { KafkaConfig } from "./config.ts";
import { GroupMember } from "./group-member.ts";
import type { FetchResponse, FetchResponsePartition, GroupConsumer } from "./group-member.ts";
import { recordOf, takenAt } from "./record.ts";
import type { KafkaMessage } from "./record.ts";

type Deliver = Parameters<StreamSource["consume"]>[1];

/** How long a broker may wait for messages before it answers that there are none. */
const waitMs = 1_000;
/** How long a member without partitions, or whose messages were not stored, rests. */
const restMs = 1_000;
/** The error code of the protocol for a position that a partition does not have. */
const offsetOutOfRange = 1;
/** The bit of a batch's attributes that marks the broker's own records, such as the end of a transaction. */
const controlBatch = 0x20;

/** What a session has learnt that the next one uses. */
interface Memory {
  completeTo: Instant | undefined;
}

/**
 * Reads topics as a member of a consumer group until the signal ends it. An offset is committed to the group after
 * the store's commit of every message before it, so that what is not stored is read again.
 */
export async function consumeKafka(settings: JsonObject, deliver: Deliver, io: StreamIo): Promise<void> {
  const config = kafkaConfig.parse(settings);
  const memory: Memory = { completeTo: io.heardBefore };
  await keepSession(io, async (ready) => {
    for (const broker of config.brokers) io.addresses?.own(broker);
    await Promise.all(config.brokers.map((broker) => io.addresses?.resolve(broker.replace(/:\d+$/, ""))));
    const consumer = new Consumer<Buffer, Buffer, Buffer, Buffer>(consumerOptions(config, io));
    const member = new GroupMember(consumer, config.topics, io.addresses);
    try {
      const reading = readOn(member, config, memory, deliver, io, ready);
      // A reading that outlives its membership fails by itself, after the end was told.
      reading.catch(() => undefined);
      await Promise.race([reading, member.ended, abortOf(io.signal)]);
    } finally {
      await leave(consumer, io);
    }
  });
}

function consumerOptions(
  config: KafkaConfig,
  io: StreamIo,
): ConstructorParameters<typeof Consumer<Buffer, Buffer, Buffer, Buffer>>[0] {
  const { sasl } = config;
  const ca = config.ca === undefined ? undefined : io.secret(config.ca);
  const sessionMs = config.session_seconds * 1_000;
  const lookup = io.addresses === undefined ? {} : { lookup: io.addresses.lookup };
  return {
    clientId: "isochron",
    groupId: config.group,
    bootstrapBrokers: [...config.brokers],
    retries: 2,
    retryDelay: 500,
    connectTimeout: 10_000,
    requestTimeout: 30_000,
    // How soon partitions that were added to a topic are seen.
    metadataMaxAge: 60_000,
    autocreateTopics: false,
    autocommit: false,
    isolationLevel: FetchIsolationLevels.READ_COMMITTED,
    sessionTimeout: sessionMs,
    rebalanceTimeout: Math.max(60_000, sessionMs),
    heartbeatInterval: Math.min(3_000, sessionMs / 3),
    ...(sasl !== undefined && {
      sasl: { mechanism: sasl.mechanism, username: sasl.user, password: io.secret(sasl.password) },
    }),
    ...(ca !== undefined ? { tls: { ca, ...lookup } } : config.tls ? { tls: { ...lookup } } : {}),
  };
}

/** Gives the partitions to the others at once; a broker that is gone needs no farewell. */
async function leave(consumer: GroupConsumer, io: StreamIo): Promise<void> {
  try {
    await consumer.close();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    io.warn("the consumer group could not be left in order", { error: problemOf(error) });
  }
}

async function readOn(
  member: GroupMember,
  config: KafkaConfig,
  memory: Memory,
  deliver: Deliver,
  io: StreamIo,
  ready: () => void,
): Promise<void> {
  await member.join();
  for (let first = true; !io.signal.aborted; first = false) {
    const askedAt = io.now();
    const assignment = await member.assignment();
    if (first) ready();
    const nodes = await member.byLeader(assignment.partitions);
    const bytesMax = Math.ceil(config.bytes_max / Math.max(1, nodes.size));
    const rounds = [...nodes].map(async ([node, partitions]) => {
      const response = await fetchFrom(member, node, partitions, bytesMax);
      if (response !== undefined)
        await take(member, assignment.generation, response, partitions, config, memory, deliver, io);
    });
    await Promise.all(rounds);
    const caughtUp = assignment.partitions.every((one) => one.end !== undefined && one.position >= one.end);
    const complete = caughtUp && (await member.othersCaughtUp(assignment.partitions));
    if (complete) memory.completeTo = askedAt;
    io.alive(complete ? askedAt : undefined);
    if (nodes.size === 0) await restFor(restMs, io.signal);
  }
}

/** One answer of a broker; undefined when positions had to be moved first. */
async function fetchFrom(
  member: GroupMember,
  node: number,
  partitions: readonly AssignedPartition[],
  bytesMax: number,
): Promise<FetchResponse | undefined> {
  try {
    return await member.fetch(node, partitions, { bytesMax, waitMs });
  } catch (error) {
    if (!(error instanceof Error) || findErrorBy(error, "apiId", "OFFSET_OUT_OF_RANGE") === null) throw error;
    const response =
      error instanceof ResponseError ? (error["response"] as FetchResponse) : findResponse(error);
    for (const { topicId, partitions: answers } of response?.responses ?? []) {
      for (const { partitionIndex, errorCode } of answers) {
        const one = await member.find(partitions, topicId, partitionIndex);
        if (one === undefined || errorCode !== offsetOutOfRange) continue;
        const first = await member.offset(one, ListOffsetTimestamps.EARLIEST);
        const end = await member.offset(one, ListOffsetTimestamps.LATEST);
        one.loss = lossAt(one, first, end);
        one.position = first;
      }
    }
    return undefined;
  }
}

/** The library joins the errors of its attempts. */
function findResponse(error: Error): FetchResponse | undefined {
  const errors = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return errors.find((one) => one instanceof ResponseError)?.["response"] as FetchResponse | undefined;
}

/** Stores what a broker answered, and commits the offsets behind it; what could not be stored is read again. */
async function take(
  member: GroupMember,
  generation: number,
  response: FetchResponse,
  partitions: readonly AssignedPartition[],
  config: KafkaConfig,
  memory: Memory,
  deliver: Deliver,
  io: StreamIo,
): Promise<void> {
  const moved: AssignedPartition[] = [];
  const rounds = response.responses.flatMap(({ topicId, partitions: answers }) =>
    answers.map(async (answer) => {
      const one = await member.find(partitions, topicId, answer.partitionIndex);
      if (one === undefined) return;
      const messages = messagesOf(one, answer);
      tellLoss(one, messages, answer, config, memory, io);
      const settled = await Promise.allSettled(
        messages.map((message) => deliver(recordOf(message, io.now()))),
      );
      const failed = settled.find((outcome) => outcome.status === "rejected");
      if (failed !== undefined) {
        io.warn("messages were not stored and are read again", { error: problemOf(failed.reason) });
        await restFor(restMs, io.signal);
        return;
      }
      const next = nextOffset(answer);
      one.end = answer.lastStableOffset >= 0n ? answer.lastStableOffset : answer.highWatermark;
      if (next === undefined || next <= one.position) return;
      one.position = next;
      moved.push(one);
    }),
  );
  await Promise.all(rounds);
  await member.commit(generation, moved);
}

function messagesOf(one: AssignedPartition, answer: FetchResponsePartition): readonly KafkaMessage[] {
  return (answer.records ?? []).flatMap((batch) => {
    if ((batch.attributes & controlBatch) !== 0) return [];
    return batch.records.flatMap(({ offsetDelta, timestampDelta, key, value, headers }) => {
      const offset = batch.firstOffset + BigInt(offsetDelta);
      // A batch is given whole, also when its first messages were read already.
      if (offset < one.position) return [];
      const { topic, partition } = one;
      return [
        { topic, partition, offset, timestamp: batch.firstTimestamp + timestampDelta, key, value, headers },
      ];
    });
  });
}

/** Behind the last batch, also where it held nothing for us. */
function nextOffset(answer: FetchResponsePartition): bigint | undefined {
  const last = answer.records?.at(-1);
  return last === undefined ? undefined : last.firstOffset + BigInt(last.lastOffsetDelta) + 1n;
}

/** A loss ends where the first message that is left begins, or now where none is. */
function tellLoss(
  one: AssignedPartition,
  messages: readonly KafkaMessage[],
  answer: FetchResponsePartition,
  config: KafkaConfig,
  memory: Memory,
  io: StreamIo,
): void {
  if (one.loss === undefined) return;
  const [first] = messages;
  if (first === undefined && one.position < answer.highWatermark) return;
  const to = first === undefined ? io.now() : takenAt(first.timestamp, io.now());
  const { hole, finding } = holeOf(one.loss, memory.completeTo, to, config.retention_hours * 3_600_000);
  one.loss = undefined;
  io.warn("messages went away before they were read", { topic: one.topic, problem: finding.says });
  io.lost(hole, finding);
}
