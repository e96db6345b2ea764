import { createHash } from "node:crypto";
import { z } from "zod";
import type { EventDraft, Severity } from "../../model/event.ts";
import { regularizeEventType } from "../../model/event-type.ts";
import { duration, formatInstant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { Json } from "../../model/json.ts";
import { asShape, asText } from "../json-fields.ts";
import { readSeverityWord } from "../severity-word.ts";
import type { Decoders } from "../source.ts";
import type { CloudHosts } from "./cloud-hosts.ts";
import { resourcesOfLabels } from "./labelled-resource.ts";

/** A rule is evaluated once a minute unless Prometheus is told otherwise; that is how well it knows the time. */
export const alertPrecision = duration(60_000);

const alertShape = z.object({
  status: z.enum(["firing", "resolved"]),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()).default({}),
  startsAt: z.string(),
  endsAt: z.string().optional(),
  generatorURL: z.string().optional(),
  fingerprint: z.string().optional(),
});
type Alert = z.output<typeof alertShape>;

/** What a webhook says of the group that its alerts belong to. */
export const groupShape = z.object({
  groupKey: z.string().optional(),
  receiver: z.string().optional(),
  externalURL: z.string().optional(),
  status: z.string().optional(),
  truncatedAlerts: z.number().int().min(0).default(0),
  alerts: z.array(z.custom<Json>()).optional(),
});
export type Group = z.output<typeof groupShape>;

/** The event of an alert as the webhook (version 4) spells it. Throws `record-invalid`. */
export function draftAlert(
  value: Json,
  group: Group,
  receivedAt: Instant,
  decode: Decoders,
  hosts: CloudHosts = "scraped",
): EventDraft {
  const alert = asShape(alertShape, value, "alert");
  const { labels, annotations } = alert;
  const firing = alert.status === "firing";
  const startsAt = decode.time(alert.startsAt);
  const endsAt = firing ? undefined : endOf(alert, decode);
  const fingerprint = asText(alert.fingerprint) ?? fingerprintOf(labels);
  const name = asText(labels["alertname"]) ?? "unnamed";
  const { subject, subjectName, related } = resourcesOfLabels(labels, name, hosts);
  const word = asText(labels["severity"]);
  const severity = word === undefined ? undefined : readSeverityWord(word);
  const text = [annotations["summary"], annotations["title"], annotations["message"]].find((line) =>
    asText(line),
  );
  return {
    key: [
      fingerprint,
      formatInstant(startsAt),
      alert.status,
      ...(endsAt === undefined ? [] : [formatInstant(endsAt)]),
    ].join("/"),
    sourceIds: [fingerprint],
    occurredAt: firing ? startsAt : (endsAt ?? receivedAt),
    precision: alertPrecision,
    type: regularizeEventType(`alert.${snakeCase(name)}.${alert.status}`),
    kind: firing ? "symptom" : "recovery",
    category: "monitoring",
    phase: firing ? "start" : "end",
    // A recovery is no trouble, whatever the trouble was; the word of the alert stays among the labels.
    severity: firing ? (severity ?? ("warning" satisfies Severity)) : "info",
    visibility: "operational",
    subject,
    ...(subjectName !== undefined && { subjectName }),
    related,
    summary: `${firing ? "" : "Resolved: "}${text ?? `${name} on ${subjectName ?? subject.id}`}`,
    details: {
      status: alert.status,
      labels,
      annotations,
      starts_at: alert.startsAt,
      ...(alert.endsAt !== undefined && { ends_at: alert.endsAt }),
      ...(alert.generatorURL !== undefined && { generator_url: alert.generatorURL }),
      ...(group.groupKey !== undefined && { group_key: group.groupKey }),
      ...(group.receiver !== undefined && { receiver: group.receiver }),
      ...(group.externalURL !== undefined && { external_url: group.externalURL }),
      ...(word !== undefined && severity === undefined && { severity_unknown: word }),
      ...(!firing && endsAt === undefined && { time_from: "received" }),
    },
  };
}

/** When it was resolved; undefined for Go's zero time, which Grafana writes where it knows no end. */
function endOf(alert: Alert, decode: Decoders): Instant | undefined {
  if (alert.endsAt === undefined || alert.endsAt.startsWith("0001-01-01T00:00:00")) return undefined;
  return decode.time(alert.endsAt);
}

/** Stands in for the fingerprint that old senders leave out: both name an alert by its labels. */
function fingerprintOf(labels: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `labels-${createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 16)}`;
}

/** `HostHighCpuLoad` and `Host high CPU load` are both `host_high_cpu_load`. */
function snakeCase(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, "$1_$2")
    .replaceAll(/[^A-Za-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "")
    .toLowerCase();
}
