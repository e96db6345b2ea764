import { createHash } from "node:crypto";
import { formatInstant, type Instant } from "../../model/instant.ts";
import type { NotificationDraft, NotificationRule } from "../../model/notification.ts";
import type { Scope } from "../../model/scope.ts";
import type { StoredEvent } from "../../model/event.ts";
import type { IncidentOpening } from "../../store/incident-store.ts";
import type { NotifyTools } from "./notify-tools.ts";
import { tellsOfIncident } from "./rule-groups.ts";

const pinsMax = 20;

/**
 * Opens an incident for each group that is told of, with its events pinned. Before the messages are committed: whoever
 * takes the step again finds the incident that the key had opened, which is made of what the events say and of no clock.
 */
export async function openIncidents(
  { incidents, reader, now }: NotifyTools,
  rule: NotificationRule,
  scope: Scope,
  drafts: readonly NotificationDraft[],
): Promise<void> {
  if (incidents === undefined || !rule.opensIncident || rule.owner !== "provider") return;
  const telling = drafts.filter(({ kind }) => kind === "events" || kind === "absence");
  for (const [group, of] of Map.groupBy(telling, (draft) => draft.group)) {
    const events: StoredEvent[] = [];
    for (const id of of.flatMap((draft) => draft.events).slice(0, pinsMax)) {
      const visible = await reader.event(scope, id);
      // What is done with incidents opens none, or each would open the next.
      if (visible?.audience === "provider" && !tellsOfIncident(visible)) events.push(visible.event);
    }
    const from = earliest([...of.map(({ since }) => since), ...events.map(({ occurredAt }) => occurredAt)]);
    if (from !== undefined) await incidents.open(openingOf(rule, group, events, from, now()));
  }
}

function earliest(moments: readonly (Instant | undefined)[]): Instant | undefined {
  return moments.filter((at) => at !== undefined).toSorted((a, b) => a - b)[0];
}

function openingOf(
  rule: NotificationRule,
  group: string,
  events: readonly StoredEvent[],
  from: Instant,
  at: Instant,
): IncidentOpening {
  const day = formatInstant(from).slice(0, 10);
  const key = createHash("sha256").update(`${rule.id}\n${group}\n${day}`).digest("hex");
  return {
    origin: "rule",
    by: `rule ${rule.name}`,
    at,
    key: `notification:${key}`,
    changes: [
      { kind: "title", title: rule.name },
      { kind: "window", from },
      ...events.map(({ id }) => ({ kind: "pin", event: id }) as const),
    ],
    audit: ({ id, state, version }) => ({
      at,
      action: "incident",
      outcome: "done",
      actor: { id: "isochron" },
      object: `incident:${id}`,
      details: { opened: true, rule: rule.id, state, version },
    }),
  };
}
