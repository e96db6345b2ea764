import type { EventJson } from "../../api/contract.ts";

/** An event, new or told anew; or the id of one that is no longer to be seen. */
export type LiveMessage = { readonly event: EventJson } | { readonly retracted: string };

/** What a run of messages comes to: the latest word about each event counts. */
export function settle(messages: readonly LiveMessage[]): {
  readonly arrived: readonly EventJson[];
  readonly lost: ReadonlySet<string>;
} {
  const arrived = new Map<string, EventJson>();
  const lost = new Set<string>();
  for (const message of messages) {
    if ("retracted" in message) {
      arrived.delete(message.retracted);
      lost.add(message.retracted);
    } else {
      arrived.set(message.event.id, message.event);
      lost.delete(message.event.id);
    }
  }
  return { arrived: [...arrived.values()], lost };
}
