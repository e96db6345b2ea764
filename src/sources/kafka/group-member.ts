import type { ClusterMetadata, Consumer, GroupAssignment } from "@platformatic/kafka";
import { ListOffsetTimestamps } from "@platformatic/kafka";
import { IsochronError } from "../../errors.ts";
import type { Addresses } from "../source.ts";
import type { AssignedPartition } from "./assigned-partition.ts";

export type GroupConsumer = Consumer<Buffer, Buffer, Buffer, Buffer>;
export type FetchResponse = Awaited<ReturnType<GroupConsumer["fetch"]>>;
export type FetchResponsePartition = FetchResponse["responses"][number]["partitions"][number];

/** The partitions of one generation of the group. */
interface Assignment {
  readonly generation: number;
  readonly partitions: readonly AssignedPartition[];
}

/** How seldom the others' partitions are looked at, which takes a question for each. */
const othersEveryMs = 5_000;

/** This worker's membership in a consumer group: which partitions it has, and where they are read on. */
export class GroupMember {
  /** Rejects when the group can no longer be taken part in. */
  readonly ended: Promise<never>;
  readonly #consumer: GroupConsumer;
  readonly #topics: readonly string[];
  readonly #addresses: Addresses | undefined;
  /** Which word of the cluster on its brokers was looked at. */
  #checked: number | undefined;
  #generation = 0;
  #given: readonly GroupAssignment[] = [];
  #loaded: Assignment | undefined;
  #partitionCounts: string | undefined;
  #othersAskedAt = 0;

  constructor(consumer: GroupConsumer, topics: readonly string[], addresses?: Addresses) {
    this.#consumer = consumer;
    this.#topics = topics;
    this.#addresses = addresses;
    this.ended = new Promise<never>((_, reject) => {
      consumer.on("error", (error: Error) => reject(sessionLost("the consumer group was lost", error)));
      consumer.on("consumer:heartbeat:stalled", () =>
        reject(sessionLost("the group's coordinator is silent")),
      );
    });
    this.ended.catch(() => undefined);
    consumer.on("consumer:group:join", ({ assignments }) => {
      this.#generation += 1;
      this.#given = assignments ?? [];
    });
  }

  async join(): Promise<void> {
    this.#consumer.topics.trackAll(...this.#topics);
    const { topics } = await this.#metadata();
    const missing = this.#topics.find((topic) => !topics.has(topic));
    if (missing !== undefined) throw sessionLost(`there is no topic ${missing}`);
    await this.#consumer.joinGroup({});
  }

  /** The partitions as they are given now; after each change they are read on from what the group has committed. */
  async assignment(): Promise<Assignment> {
    await this.#checkPartitionCounts();
    while (this.#loaded === undefined || this.#loaded.generation !== this.#generation) {
      const generation = this.#generation;
      const partitions = await this.#load(this.#given);
      this.#loaded = { generation, partitions };
    }
    return this.#loaded;
  }

  /** The group's leader does not look for new partitions by itself; whoever sees them joins anew. */
  async #checkPartitionCounts(): Promise<void> {
    const { topics } = await this.#metadata();
    const counts = this.#topics.map((topic) => topics.get(topic)?.partitionsCount ?? 0).join();
    this.#partitionCounts ??= counts;
    if (counts !== this.#partitionCounts) throw sessionLost("the topics have other partitions now");
  }

  async #load(given: readonly GroupAssignment[]): Promise<readonly AssignedPartition[]> {
    if (given.length === 0) return [];
    const committed = await this.#consumer.listCommittedOffsets({ topics: [...given] });
    const loads = given.flatMap(({ topic, partitions }) =>
      partitions.map(async (partition): Promise<AssignedPartition> => {
        const offset = committed.get(topic)?.[partition] ?? -1n;
        const place = { topic, partition };
        const position = offset >= 0n ? offset : await this.offset(place, ListOffsetTimestamps.EARLIEST);
        return { ...place, position, end: undefined, loss: undefined };
      }),
    );
    return Promise.all(loads);
  }

  /** The first offset there is, or the one behind the last. Each partition is asked for by itself. */
  async offset(
    { topic, partition }: Pick<AssignedPartition, "topic" | "partition">,
    which: bigint,
  ): Promise<bigint> {
    const offsets = await this.#consumer.listOffsets({
      topics: [topic],
      partitions: { [topic]: [partition] },
      timestamp: which,
    });
    const offset = offsets.get(topic)?.[partition];
    if (offset === undefined || offset < 0n)
      throw sessionLost(`partition ${partition} of topic ${topic} has no such offset`);
    return offset;
  }

  async byLeader(partitions: readonly AssignedPartition[]): Promise<Map<number, AssignedPartition[]>> {
    const { topics } = await this.#metadata();
    const leaders = new Map<number, AssignedPartition[]>();
    for (const one of partitions) {
      const leader = topics.get(one.topic)?.partitions[one.partition]?.leader ?? -1;
      if (leader < 0) throw sessionLost(`partition ${one.partition} of topic ${one.topic} has no leader`);
      leaders.set(leader, [...(leaders.get(leader) ?? []), one]);
    }
    return leaders;
  }

  async fetch(
    node: number,
    partitions: readonly AssignedPartition[],
    { bytesMax, waitMs }: { readonly bytesMax: number; readonly waitMs: number },
  ): Promise<FetchResponse> {
    const { topics: known } = await this.#metadata();
    const asked = [...new Set(partitions.map(({ topic }) => topic))].map((topic) => ({
      topicId: known.get(topic)?.id ?? topic,
      partitions: partitions
        .filter((one) => one.topic === topic)
        .map(({ partition, position }) => ({
          partition,
          fetchOffset: position,
          partitionMaxBytes: bytesMax,
          currentLeaderEpoch: -1,
          lastFetchedEpoch: -1,
        })),
    }));
    return this.#consumer.fetch({
      node,
      topics: asked,
      maxBytes: bytesMax,
      maxWaitTime: waitMs,
      minBytes: 1,
    });
  }

  /** The partition that an answer speaks of, if it was asked for. */
  async find(
    partitions: readonly AssignedPartition[],
    topicId: string,
    partition: number,
  ): Promise<AssignedPartition | undefined> {
    const { topics } = await this.#metadata();
    return partitions.find((one) => one.partition === partition && topics.get(one.topic)?.id === topicId);
  }

  /** Commits positions, unless the partitions were given anew meanwhile: their new readers go on from elsewhere. */
  async commit(generation: number, partitions: readonly AssignedPartition[]): Promise<void> {
    if (partitions.length === 0 || generation !== this.#generation) return;
    const offsets = partitions.map(({ topic, partition, position }) => ({
      topic,
      partition,
      offset: position,
      leaderEpoch: -1,
    }));
    await this.#consumer.commit({ offsets });
  }

  /** Whether the other members have committed all there is; asked at most every few seconds where there are others. */
  async othersCaughtUp(mine: readonly AssignedPartition[]): Promise<boolean> {
    const { topics } = await this.#metadata();
    const others = this.#topics.flatMap((topic) =>
      Array.from({ length: topics.get(topic)?.partitionsCount ?? 0 }, (_, partition) => ({
        topic,
        partition,
      })).filter((one) => !mine.some((own) => own.topic === one.topic && own.partition === one.partition)),
    );
    if (others.length === 0) return true;
    if (performance.now() < this.#othersAskedAt + othersEveryMs) return false;
    this.#othersAskedAt = performance.now();
    const committed = await this.#consumer.listCommittedOffsets({
      topics: this.#topics.map((topic) => ({
        topic,
        partitions: others.filter((one) => one.topic === topic).map(({ partition }) => partition),
      })),
    });
    for (const one of others) {
      const end = await this.offset(one, ListOffsetTimestamps.LATEST);
      const offset = committed.get(one.topic)?.[one.partition] ?? -1n;
      const empty = end === (await this.offset(one, ListOffsetTimestamps.EARLIEST));
      if (offset < end && !(offset < 0n && empty)) return false;
    }
    return true;
  }

  /** What the cluster says of itself; nobody wrote down the brokers that it names. */
  async #metadata(): Promise<ClusterMetadata> {
    const said = await this.#consumer.metadata({ topics: [...this.#topics] });
    if (said.lastUpdate === this.#checked) return said;
    await Promise.all([...said.brokers.values()].map(({ host }) => this.#addresses?.resolve(host)));
    this.#checked = said.lastUpdate;
    return said;
  }
}

function sessionLost(what: string, cause?: unknown): IsochronError {
  return new IsochronError("source-unavailable", `Kafka: ${what}.`, "It is tried again by itself.", {
    ...(cause !== undefined && { cause }),
  });
}
