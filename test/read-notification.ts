import type { EventDraft } from "../src/model/event.ts";
import { instant } from "../src/model/instant.ts";
import type { Json } from "../src/model/json.ts";
import { decoders } from "../src/normalise/decode.ts";
import { openstackNotifications } from "../src/sources/openstack-notifications.ts";

/**
 * What the source makes of one notification that user-x sent from project-x: the event, and the facts as
 * `server:s owned_by project:p`, with `!` before those that no longer hold.
 */
export function readNotification(
  eventType: string,
  payload: Json,
): { readonly draft: EventDraft; readonly facts: readonly string[] } {
  const body = {
    message_id: "11111111-1111-4111-8111-111111111111",
    publisher_id: "nova-compute:compute-7",
    event_type: eventType,
    priority: "INFO",
    payload,
    timestamp: "2026-11-21 01:15:51.124000",
    _context_request_id: "req-1",
    _context_user_id: "user-x",
    _context_project_id: "project-x",
  };
  const record = { bytes: Buffer.from(JSON.stringify(body)), position: "", receivedAt: instant(0), meta: {} };
  const { events, facts } = openstackNotifications.normalise(record, decoders);
  const said = facts.map(
    ({ from, relation, to, holds }) =>
      `${holds ? "" : "!"}${from.kind}:${from.id} ${relation} ${to.kind}:${to.id}`,
  );
  return { draft: events[0]!, facts: said };
}
