import { expect, test } from "vitest";
import { instant } from "../model/instant.ts";
import { decoders } from "../normalise/decode.ts";
import { kafka } from "./kafka.ts";
import { holeOf, lossAt } from "./kafka/assigned-partition.ts";
import { kafkaConfig } from "./kafka/config.ts";
import { recordOf } from "./kafka/record.ts";
import type { KafkaMessage } from "./kafka/record.ts";

const now = instant(Date.UTC(2026, 10, 21, 4));
const bytes = (text: string) => new TextEncoder().encode(text);

function message(value: string | null, headers: Readonly<Record<string, string | Uint8Array>>): KafkaMessage {
  return {
    topic: "events",
    partition: 3,
    offset: 42n,
    timestamp: BigInt(now - 60_000),
    key: null,
    value: value === null ? null : bytes(value),
    headers: Object.entries(headers).map(([name, content]) => [
      bytes(name),
      typeof content === "string" ? bytes(content) : content,
    ]),
  };
}

const attributes = { ce_specversion: "1.0", ce_id: "é", ce_source: "/a", ce_type: "org.example.b" };

test("an event in headers and the same event in JSON have one key", () => {
  const json = JSON.stringify({ specversion: "1.0", id: "é", source: "/a", type: "org.example.b" });
  const keys = [message(null, attributes), message(json, {})].map(
    (one) => kafka.normalise(recordOf(one, now), decoders).events[0]!.key,
  );
  expect(new Set(keys)).toEqual(new Set(["/a é"]));
});

test.each([
  ["a tombstone", message(null, {})],
  ["another event format", message("Obj", { "content-type": "application/cloudevents+avro" })],
  [
    "a batch, which the binding does not know",
    message("[]", { "Content-Type": "application/cloudevents-batch+json" }),
  ],
  ["an attribute that is no UTF-8", message("{}", { ...attributes, ce_id: Uint8Array.of(0xff, 0xfe) })],
])("a message is refused whole: %s", (_what, broken) => {
  expect(() => kafka.normalise(recordOf(broken, now), decoders)).toThrow(
    expect.objectContaining({ code: "record-invalid" }),
  );
});

test("a header of another purpose may hold any bytes", () => {
  const traced = message("{}", { ...attributes, trace: Uint8Array.of(0xff, 0xfe) });
  expect(kafka.normalise(recordOf(traced, now), decoders).events).toHaveLength(1);
});

test("a producer's clock that runs ahead makes nothing arrive later than now", () => {
  const ahead = { ...message(null, attributes), timestamp: BigInt(now + 86_400_000) };
  expect(recordOf(ahead, now).receivedAt).toBe(now);
  expect(recordOf({ ...ahead, timestamp: -1n }, now).receivedAt).toBe(now);
});

test("what retention dropped is a hole from when all was known to be read to what is left", () => {
  const loss = lossAt({ topic: "events", partition: 0, position: 5n }, 9n, 20n);
  expect(loss).toMatchObject({
    reason: "outlived-retention",
    says: expect.stringMatching(/^4 messages .* 5 to 8/),
  });
  const known = instant(now - 3_600_000);
  expect(holeOf(loss, known, now, 86_400_000).hole).toMatchObject({ from: known, to: now });
  expect(holeOf(loss, undefined, now, 86_400_000).hole.from).toBe(now - 86_400_000);
  // A backlog: what was dropped is older than when we were heard last.
  expect(holeOf(loss, now, known, 86_400_000).hole.from).toBe(known - 86_400_000);
});

test("a topic that is shorter than what was read of it was made anew", () => {
  expect(lossAt({ topic: "events", partition: 0, position: 50n }, 0n, 3n).reason).toBe("place-lost");
});

test("credentials are given by reference only", () => {
  const sasl = { mechanism: "PLAIN", user: "u", password: "in the open" };
  expect(kafkaConfig.safeParse({ brokers: ["a:9092"], topics: ["t"], sasl }).success).toBe(false);
});
