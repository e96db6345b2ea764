import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** One notification as it went over the wire. */
export interface Notification {
  readonly exchange: string;
  readonly routingKey: string;
  /** The oslo 2.0 envelope. */
  readonly body: string | Uint8Array;
  readonly messageId: string;
}

const recording = new URL("../../demo/openstack/notifications.jsonl.gz", import.meta.url);

/** The demo's recording of a real control plane, each message once, in the order of arrival. */
export function readRecordedNotifications(): readonly Notification[] {
  const lines = gunzipSync(readFileSync(recording)).toString("utf8").split("\n");
  const byId = new Map<string, Notification>();
  for (const line of lines.filter((text) => text !== "")) {
    const { exchange, routing_key: routingKey, body } = JSON.parse(line) as Record<string, string>;
    if (exchange === undefined || routingKey === undefined || body === undefined) continue;
    const envelope = JSON.parse(body) as { "oslo.message": string };
    const { message_id: messageId } = JSON.parse(envelope["oslo.message"]) as { message_id: string };
    byId.set(messageId, { exchange, routingKey, body, messageId });
  }
  return [...byId.values()];
}
