import type { JsonObject } from "../../model/json.ts";
import { formatInstant } from "../../model/instant.ts";
import { headlineOf, type NotificationMessage, type SpelledEvent, type WrittenMessage } from "./message.ts";

/** What CloudEvents carries as data and the plain webhook as a whole. */
export function toMessageJson(message: NotificationMessage): JsonObject {
  const {
    id,
    kind,
    rule,
    group,
    groupLabel,
    madeAt,
    events,
    more,
    late,
    since,
    completeTo,
    corrects,
    whole,
  } = message;
  return {
    id,
    kind,
    rule: { id: rule.id, name: rule.name },
    group,
    ...(groupLabel === "" ? {} : { group_label: groupLabel }),
    made_at: formatInstant(madeAt),
    headline: headlineOf(message),
    events: events.map(toEventJson),
    more,
    late,
    ...(since === undefined ? {} : { since: formatInstant(since) }),
    ...(completeTo === undefined ? {} : { complete_to: formatInstant(completeTo) }),
    ...(corrects === undefined ? {} : { corrects, whole: whole === true }),
  };
}

function toEventJson(event: SpelledEvent): JsonObject {
  const { id, type, kind, severity, occurredAt, summary, subject, subjectName } = event;
  return {
    id,
    type,
    kind,
    severity,
    occurred_at: formatInstant(occurredAt),
    summary,
    subject: { kind: subject.kind, id: subject.id },
    ...(subjectName === undefined ? {} : { subject_name: subjectName }),
  };
}

/** Plain JSON. */
export function writeWebhook(message: NotificationMessage): WrittenMessage {
  return { contentType: "application/json", body: JSON.stringify(toMessageJson(message)) };
}

/** CloudEvents 1.0 (github.com/cloudevents/spec), structured mode: one event, whose id is the idempotency key. */
export function writeCloudEvent(message: NotificationMessage): WrittenMessage {
  const { id, kind, rule, madeAt, events } = message;
  const subject = events[0]?.subject;
  const body = {
    specversion: "1.0",
    id,
    source: `/isochron/notification-rules/${rule.id}`,
    type: `isochron.notification.${kind}`,
    time: formatInstant(madeAt),
    ...(subject === undefined ? {} : { subject: `${subject.kind}:${subject.id}` }),
    datacontenttype: "application/json",
    data: toMessageJson(message),
  };
  return { contentType: "application/cloudevents+json; charset=utf-8", body: JSON.stringify(body) };
}
