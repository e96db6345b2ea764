import { formatInstant } from "../../model/instant.ts";
import { headlineOf, type NotificationMessage, type WrittenMessage } from "./message.ts";

/** Where Alertmanager's API v2 takes alerts (its openapi.yaml, `postAlerts`). */
export const alertsPath = "/api/v2/alerts";

/**
 * One alert. Its labels are the rule's and the group's alone, so that what tells of the same again is the same alert, and
 * what takes it back resolves it. Undefined for a correction of a part: the alert still stands.
 */
export function writeAlert(message: NotificationMessage): WrittenMessage | undefined {
  const { id, kind, rule, group, groupLabel, madeAt, events, late } = message;
  if (kind === "correction" && message.whole !== true) return undefined;
  const isOver = kind === "correction" || kind === "ended";
  const startsAt = events[0]?.occurredAt ?? message.since ?? madeAt;
  const alert = {
    labels: {
      alertname: rule.name,
      isochron_rule: rule.id,
      isochron_group: group.slice(0, 16),
      severity: rule.severity,
      ...(kind === "test" ? { isochron_test: "true" } : {}),
    },
    annotations: {
      summary: headlineOf(message),
      isochron_message: id,
      ...(groupLabel === "" ? {} : { group: groupLabel }),
      ...(late ? { late: "true" } : {}),
    },
    ...(isOver ? {} : { startsAt: formatInstant(startsAt) }),
    ...(isOver || kind === "test" ? { endsAt: formatInstant(madeAt) } : {}),
    generatorURL: `urn:isochron:notification-rule:${rule.id}`,
  };
  return { contentType: "application/json", body: JSON.stringify([alert]), path: alertsPath };
}
