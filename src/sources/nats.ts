import type { z } from "zod";
import { duration } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import { readMessage } from "./cloudevents/message.ts";
import { natsConfig } from "./nats/config.ts";
import { consumeNats } from "./nats/consume.ts";
import type { StreamSource } from "./source.ts";

/** CloudEvents 1.0 out of a JetStream stream: JSON messages, or `ce-` headers with the data as the message. */
export const nats: StreamSource = {
  name: "nats",
  title: "NATS JetStream",
  summary: "CloudEvents 1.0 (JSON, or in headers) from a stream of NATS JetStream, by a durable consumer.",
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
      "What nobody published to the stream, and what its limits dropped or somebody purged before we read it; that it happened is shown.",
  },
  config: natsConfig as unknown as z.ZodType<JsonObject>,
  normalise: readMessage,
  consume: consumeNats,
};
