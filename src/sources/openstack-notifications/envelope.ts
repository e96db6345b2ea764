import { IsochronError } from "../../errors.ts";
import type { Actor, OperationKey } from "../../model/event.ts";
import type { Instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { Decoders, RawRecord } from "../source.ts";
import { asObject, objectData, text } from "./fields.ts";

/**
 * One notification as oslo.messaging's notifier made it (message format 2.0, or the bare 1.0 body).
 * Field names are those of oslo_messaging/notify/notifier.py; the context travels as `_context_*` keys.
 */
export interface OsloMessage {
  readonly messageId: string;
  readonly publisherId: string;
  readonly eventType: string;
  readonly priority: string;
  readonly payload: JsonObject;
  /** True for the versioned format (Nova, Ironic, Masakari, Watcher), whose payload was wrapped in `nova_object.data` and the like. */
  readonly versioned: boolean;
  readonly occurredAt: Instant;
  readonly context: JsonObject;
  readonly exchange?: string;
}

/** Reads a delivery: the AMQP body, or the line of a capture that holds it in `body`. */
export function readEnvelope(record: RawRecord, decode: Decoders): OsloMessage {
  let body = asObject(decode.json(decode.text(record.bytes)));
  let exchange = text(record.meta, "exchange");
  if (body !== undefined && typeof body["body"] === "string" && body["event_type"] === undefined) {
    exchange = text(body, "exchange") ?? exchange;
    body = asObject(decode.json(body["body"]));
  }
  if (typeof body?.["oslo.message"] === "string") body = asObject(decode.json(body["oslo.message"]));
  if (body === undefined) throw unusable("the body is not a JSON object");
  return readMessage(body, exchange, decode);
}

function readMessage(body: JsonObject, exchange: string | undefined, decode: Decoders): OsloMessage {
  const messageId = text(body, "message_id");
  const eventType = text(body, "event_type");
  const timestamp = text(body, "timestamp");
  if (messageId === undefined) throw unusable("it has no message_id, so a repeat could not be told");
  if (eventType === undefined) throw unusable("it has no event_type");
  if (timestamp === undefined) throw unusable("it has no timestamp");
  const wrapped = asObject(body["payload"]);
  const data = objectData(wrapped);
  // Glance sends the payload of image.upload errors as a plain string.
  const plain: JsonObject = typeof body["payload"] === "string" ? { message: body["payload"] } : {};
  return {
    messageId,
    eventType,
    publisherId: text(body, "publisher_id") ?? "",
    priority: (text(body, "priority") ?? "INFO").toUpperCase(),
    payload: data ?? wrapped ?? plain,
    versioned: data !== undefined,
    // The notifier stamps naive UTC with a space.
    occurredAt: decode.time(timestamp, { naive: "utc" }),
    context: readContext(body),
    ...(exchange === undefined ? {} : { exchange }),
  };
}

function readContext(body: JsonObject): JsonObject {
  const context: Record<string, Json> = {};
  for (const [field, value] of Object.entries(body)) {
    if (field.startsWith("_context_") && value !== null) context[field.slice("_context_".length)] = value;
  }
  return context;
}

/** Who asked, as the request's context says. Never a source of ownership. */
export function contextActor(message: OsloMessage): Actor | undefined {
  const userId = text(message.context, "user_id");
  const userName = text(message.context, "user_name");
  const projectId = text(message.context, "project_id");
  const domainId = text(message.context, "user_domain");
  const address = text(message.context, "remote_address");
  if (userId === undefined && projectId === undefined) return undefined;
  return {
    ...(userId === undefined ? {} : { userId }),
    ...(userName === undefined ? {} : { userName }),
    ...(projectId === undefined ? {} : { projectId }),
    ...(domainId === undefined ? {} : { domainId }),
    ...(address === undefined ? {} : { address }),
  };
}

/** The request that the message belongs to; `own` wins over the context (CADF carries it in the payload). */
export function operationOf(message: OsloMessage, own?: JsonObject): OperationKey | undefined {
  const requestId = text(own, "request_id") ?? text(message.context, "request_id");
  const globalRequestId = text(own, "global_request_id") ?? text(message.context, "global_request_id");
  if (requestId === undefined && globalRequestId === undefined) return undefined;
  return {
    ...(requestId === undefined ? {} : { requestId }),
    ...(globalRequestId === undefined ? {} : { globalRequestId }),
  };
}

export function unusable(what: string): IsochronError {
  return new IsochronError(
    "record-invalid",
    `The notification cannot be used: ${what}.`,
    "Look at the set-aside record; replay it once the sender or the reader is mended.",
  );
}
