import { IsochronError } from "../../errors.ts";
import type { Observation } from "../../model/event.ts";
import type { JsonObject } from "../../model/json.ts";
import { cloudevents } from "../cloudevents.ts";
import { asText } from "../json-fields.ts";
import type { Decoders, RawRecord } from "../source.ts";

/**
 * What a message's headers say of the CloudEvent in it, as the `meta` that `readMessage` understands: the binary mode
 * where an attribute `specversion` stands in a header, else the structured one. `prefix` is how the protocol binding
 * marks an attribute's header, `ce-` or `ce_`; names are compared in lower case. The bindings of CloudEvents 1.0 for
 * NATS and Kafka know no batches.
 */
export function messageMeta(headers: Iterable<readonly [string, string]>, prefix: "ce-" | "ce_"): JsonObject {
  const named = new Map([...headers].map(([name, value]) => [name.toLowerCase(), value]));
  const contentType = named.get("content-type");
  const mediaType = contentType?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (mediaType.startsWith("application/cloudevents")) {
    return mediaType === "application/cloudevents+json"
      ? {}
      : { unreadable: `The event format ${mediaType} is not understood.` };
  }
  if (!named.has(`${prefix}specversion`)) return {};
  const attributes = [...named].flatMap(([name, value]) =>
    name.startsWith(prefix) && /^[a-z0-9]+$/.test(name.slice(prefix.length))
      ? [[name.slice(prefix.length), value] as const]
      : [],
  );
  return {
    mode: "binary",
    ...(contentType !== undefined && { content_type: contentType }),
    attributes: Object.fromEntries(attributes),
  };
}

/** Reads a message by the `meta` of `messageMeta`. Throws `record-invalid` for what is no CloudEvent. */
export function readMessage(record: RawRecord, decode: Decoders): Observation {
  const unreadable = asText(record.meta["unreadable"]);
  if (unreadable !== undefined) {
    throw new IsochronError(
      "record-invalid",
      unreadable,
      "Send a CloudEvent 1.0 in binary mode, or in JSON, one in each message.",
    );
  }
  return cloudevents.normalise(record, decode);
}
