import type { z } from "zod";
import { duration } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import { readMessage } from "./cloudevents/message.ts";
import { kafkaConfig } from "./kafka/config.ts";
import { consumeKafka } from "./kafka/consume.ts";
import type { StreamSource } from "./source.ts";

/** CloudEvents 1.0 out of Kafka topics: JSON messages, or `ce_` headers with the data as the message. */
export const kafka: StreamSource = {
  name: "kafka",
  title: "Apache Kafka",
  summary: "CloudEvents 1.0 (JSON, or in headers) from topics of Apache Kafka, by a consumer group.",
  delivery: "stream",
  contract: {
    identity: "source + id, which CloudEvents makes unique",
    version: "none: an event with the same source and id is a duplicate",
    ordering: "unsorted",
    commitDelayMax: duration(10 * 60_000),
    clockErrorMax: duration(5_000),
    delivery: "push",
    revisions: "never",
    completeness: "read",
    blindSpots:
      "What nobody published to the topics, what compaction removed, and what their retention dropped before we read it; the last is shown.",
  },
  config: kafkaConfig as unknown as z.ZodType<JsonObject>,
  normalise: readMessage,
  consume: consumeKafka,
};
