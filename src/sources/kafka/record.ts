import { instant, isInRange } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import { messageMeta } from "../cloudevents/message.ts";
import type { RawRecord } from "../source.ts";

/** A message as a partition holds it. */
export interface KafkaMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Milliseconds since 1970 by the producer's clock, or the broker's, as the topic is set up. */
  readonly timestamp: bigint;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [Uint8Array | null, Uint8Array | null])[];
}

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A message as a record. The same each time that it is read, unless its own time is none. */
export function recordOf(message: KafkaMessage, now: Instant): RawRecord {
  const { topic, partition, offset } = message;
  return {
    // A buffer of the connection's may be large; only the message's own bytes are kept while it waits.
    bytes: Uint8Array.from(message.value ?? []),
    position: `${topic}/${partition} @${offset}`,
    receivedAt: takenAt(message.timestamp, now),
    meta: { ...metaOf(message), topic, partition, offset: String(offset) },
  };
}

/** A producer's clock may be wrong; nothing was taken later than now. */
export function takenAt(timestamp: bigint, now: Instant): Instant {
  const ms = Number(timestamp);
  return ms > 0 && ms < now && isInRange(ms) ? instant(ms) : now;
}

function metaOf(message: KafkaMessage): JsonObject {
  const headers: [string, string][] = [];
  for (const [name, value] of message.headers) {
    if (name === null || value === null) continue;
    try {
      headers.push([strictUtf8.decode(name), strictUtf8.decode(value)]);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      const shown = Buffer.from(name).toString("latin1");
      // Headers of other purposes may hold any bytes.
      if (/^(ce_|content-type)/i.test(shown)) return { unreadable: `The header ${shown} is no UTF-8.` };
    }
  }
  return messageMeta(headers, "ce_");
}
