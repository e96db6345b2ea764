import { Consumer, Producer } from "@platformatic/kafka";
import { eventually } from "../eventually.ts";
import type { SampleMessage } from "./sample-messages.ts";

/** A cluster to test against, made by `.ci/with-kafka`; undefined where there is none. */
export const kafkaAddress = process.env["ISOCHRON_TEST_KAFKA"];

/** Sends to one partition, or to one after the other; settles once the broker has every message. */
export async function sendToKafka(
  address: string,
  topic: string,
  messages: readonly SampleMessage[],
  partition?: number,
): Promise<void> {
  const producer = new Producer({ clientId: "test", bootstrapBrokers: [address], autocreateTopics: true });
  try {
    for (const [index, { headers, body }] of messages.entries()) {
      const named = Object.entries(headers).map(
        ([name, value]) => [Buffer.from(name), Buffer.from(value)] as const,
      );
      await producer.send({
        messages: [
          { topic, value: Buffer.from(body), headers: new Map(named), partition: partition ?? index % 4 },
        ],
        acks: -1,
      });
    }
  } finally {
    await producer.close();
  }
}

/** How many messages the group has behind it, over the four partitions of a topic of the mock cluster. */
export async function committedIn(address: string, topic: string, group: string): Promise<number> {
  const consumer = new Consumer({ clientId: "test", groupId: group, bootstrapBrokers: [address] });
  try {
    const offsets = await consumer.listCommittedOffsets({ topics: [{ topic, partitions: [0, 1, 2, 3] }] });
    return (offsets.get(topic) ?? []).reduce((sum, offset) => sum + Math.max(0, Number(offset)), 0);
  } finally {
    await consumer.close();
  }
}

/** The group has committed so many messages. */
export async function committed(address: string, topic: string, group: string, count: number): Promise<void> {
  await eventually(
    `${count} messages are committed`,
    async () => (await committedIn(address, topic, group)) === count,
    { withinMs: 60_000, everyMs: 200 },
  );
}
