import { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { EventDraft, Observation } from "../model/event.ts";
import { duration, formatInstant } from "../model/instant.ts";
import type { Instant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import type { Group } from "./alertmanager/alert-draft.ts";
import { alertPrecision, draftAlert, groupShape } from "./alertmanager/alert-draft.ts";
import { listAlerts } from "./alertmanager/alert-pass.ts";
import {
  cloudHostsMeaning,
  cloudHostsSetting,
  noteCloudHosts,
  readCloudHosts,
} from "./alertmanager/cloud-hosts.ts";
import { draftFiring, draftSuppression, suppressorsOf } from "./alertmanager/listed-alert.ts";
import type { RecalledPage } from "./cursor/inbox.ts";
import { recallPages } from "./cursor/inbox.ts";
import { baseUrl, httpAuth, parseSettings } from "./http-settings.ts";
import { readJsonDocument } from "./json-document.ts";
import { asObject, asShape, asText } from "./json-fields.ts";
import type {
  Decoders,
  PushRequest,
  PushSettings,
  RawRecord,
  SourceFile,
  SourceIo,
  Span,
  WebhookSource,
} from "./source.ts";

/** Alertmanager tells of new alerts in a group every five minutes unless told otherwise (`group_interval`). */
const truncationPrecision = duration(5 * 60_000);

/** What of the group stands beside each alert that is taken out of it. */
const groupFields = ["version", "groupKey", "receiver", "externalURL", "status"] as const;

const webhookSettings = z.strictObject({
  hosts: cloudHostsSetting.describe(cloudHostsMeaning),
  api_url: baseUrl
    .optional()
    .describe(
      "Address of Alertmanager, with its path prefix if it has one, where a reconcile asks for the alerts that it " +
        "holds; without it none is asked for.",
    ),
  auth: httpAuth.optional().describe("Who asks there: `basic`, `bearer` or `header`."),
});

/** Prometheus Alertmanager's webhook, version 4, which Grafana's alerting sends too. */
export const alertmanager: WebhookSource = {
  name: "alertmanager",
  title: "Prometheus Alertmanager",
  summary:
    "Alerts that start and stop firing; Alertmanager (webhook version 4) or Grafana posts them to the connection's URL.",
  delivery: "webhook",
  contract: {
    identity: "fingerprint + startsAt + status (+ endsAt once resolved) of each alert",
    version:
      "the alert's labels and annotations; Alertmanager repeats a firing alert, with new annotations at times",
    ordering: "unsorted",
    commitDelayMax: duration(10 * 60_000),
    clockErrorMax: alertPrecision,
    delivery: "push",
    revisions: "allowed",
    blindSpots:
      "What a silence or an inhibition keeps back, alerts beyond max_alerts (their number is told), and everything " +
      "while Alertmanager cannot reach us longer than it retries.",
  },
  config: webhookSettings as unknown as z.ZodType<JsonObject>,
  split,
  splitFile,
  normalise,
  recall,
};

/** Which names are hosts is decided by the connection that it was posted to; that is kept with each record. */
function split(request: PushRequest, decode: Decoders, connection?: PushSettings): readonly RawRecord[] {
  const mediaType =
    request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "application/json";
  if (!/^application\/(.+\+)?json$/.test(mediaType)) {
    throw new IsochronError("media-type-unknown", `The body is ${mediaType}.`, "Send application/json.");
  }
  try {
    const body = decode.json(decode.text(request.body));
    const hosts = readCloudHosts(connection?.config["hosts"]);
    const meta: JsonObject = noteCloudHosts(hosts);
    return splitBody(body, { position: "delivery", receivedAt: request.receivedAt, meta });
  } catch (error) {
    if (!(error instanceof IsochronError) || error.code !== "record-invalid") throw error;
    throw new IsochronError("body-invalid", error.problem, error.remedy, { cause: error });
  }
}

/** One record per alert, so that one that cannot be used leaves the others alone. */
function splitBody(body: Json, place: Omit<RawRecord, "bytes">): readonly RawRecord[] {
  const group = asShape(groupShape, body, "webhook body");
  const { alerts } = group;
  if (alerts === undefined) {
    throw new IsochronError(
      "record-invalid",
      "The body has no list of alerts.",
      "Send Alertmanager's webhook, version 4.",
    );
  }
  const fields = Object.entries(asObject(body) ?? {}).filter(([name]) =>
    (groupFields as readonly string[]).includes(name),
  );
  const records = alerts.map((alert, index) => ({
    ...place,
    bytes: encode(alert),
    position: `${place.position}, alert ${index + 1}`,
    meta: { ...place.meta, part: "alert", group: Object.fromEntries(fields) },
  }));
  if (group.truncatedAlerts === 0) return records;
  return [
    ...records,
    {
      ...place,
      bytes: encode(body),
      position: `${place.position}, truncation`,
      meta: { ...place.meta, part: "truncation" },
    },
  ];
}

function encode(value: Json): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** A file is one webhook body over several lines, or holds one per line, or a capture per line: `{received_at, headers, body}`. */
async function* splitFile(file: SourceFile, decode: Decoders): AsyncIterable<RawRecord> {
  const document = await readJsonDocument(file, decode);
  if (document !== undefined) {
    const { bytes } = document;
    const place = { position: "document", receivedAt: file.modifiedAt, meta: { file: file.name } };
    yield* splitLine({ ...place, bytes }, decode);
    return;
  }
  for await (const line of file.lines()) {
    const whole: RawRecord = {
      bytes: line.bytes,
      position: `line ${line.number}`,
      receivedAt: file.modifiedAt,
      meta: line.tooLarge ? { file: file.name, too_large: true } : { file: file.name },
    };
    yield* splitLine(whole, decode);
  }
}

function splitLine(whole: RawRecord, decode: Decoders): readonly RawRecord[] {
  try {
    const { body, receivedAt } = readWhole(whole, decode);
    return splitBody(body, { position: whole.position, receivedAt, meta: whole.meta });
  } catch (error) {
    // The line is kept whole: `normalise` finds the same fault, and it is set aside with it.
    if (error instanceof IsochronError && error.code === "record-invalid") return [whole];
    throw error;
  }
}

function readWhole(record: RawRecord, decode: Decoders): { body: Json; receivedAt: Instant } {
  if (record.meta["too_large"] === true) {
    throw new IsochronError("record-invalid", "The line is too long to be read.", "Send smaller groups.");
  }
  const value = decode.json(decode.text(record.bytes));
  const capture = asObject(value);
  if (capture === undefined || capture["body"] === undefined || capture["alerts"] !== undefined) {
    return { body: value, receivedAt: record.receivedAt };
  }
  const { body, received_at: receivedAt } = capture;
  return {
    body: typeof body === "string" ? decode.json(body) : body,
    receivedAt: typeof receivedAt === "string" ? decode.time(receivedAt) : record.receivedAt,
  };
}

/**
 * The alerts that Alertmanager's API v2 lists now and that began before the span's end; those that have ended since are
 * not listed any more. Silenced and inhibited ones, which no webhook ever tells of, are marked as the polled source
 * marks them.
 */
function recall(
  config: JsonObject,
  span: Span,
  io: SourceIo,
): AsyncIterable<readonly RawRecord[]> | undefined {
  const { api_url: url, auth, hosts } = parseSettings(webhookSettings, config);
  if (url === undefined) return undefined;
  const read = async (): Promise<RecalledPage<true>> => {
    const { alerts, seenAt } = await listAlerts({ url, auth, hosts, matchers: [] }, io);
    const began = alerts.filter((alert) => !(startOf(alert) >= span.to));
    const records = began.map((alert, index) => ({
      bytes: encode(alert),
      position: `GET /api/v2/alerts #${index + 1}`,
      receivedAt: seenAt,
      meta: { part: "listed", ...noteCloudHosts(hosts) },
    }));
    return { records };
  };
  return recallPages(true, read, 1);
}

function startOf(alert: Json): number {
  return Date.parse(asText(asObject(alert)?.["startsAt"]) ?? "");
}

function readListed(record: RawRecord, decode: Decoders): readonly EventDraft[] {
  const alert = asObject(decode.json(decode.text(record.bytes)));
  if (alert === undefined) {
    throw new IsochronError("record-invalid", "The alert is no JSON object.", "Check what answers.");
  }
  const firing = draftFiring(alert, record, decode);
  if (suppressorsOf(alert).length === 0) return [firing];
  return [firing, draftSuppression(alert, record, undefined, decode)];
}

function normalise(record: RawRecord, decode: Decoders): Observation {
  const { part } = record.meta;
  const hosts = readCloudHosts(record.meta["hosts"]);
  if (part === "listed") return { events: readListed(record, decode), facts: [] };
  if (part === "alert") {
    const group = asShape(groupShape, record.meta["group"] ?? {}, "group of the alert");
    const alert = decode.json(decode.text(record.bytes));
    return { events: [draftAlert(alert, group, record.receivedAt, decode, hosts)], facts: [] };
  }
  const { body, receivedAt } = readWhole(record, decode);
  const group = asShape(groupShape, body, "webhook body");
  if (group.alerts === undefined) {
    throw new IsochronError(
      "record-invalid",
      "The body has no list of alerts.",
      "Send Alertmanager's webhook, version 4.",
    );
  }
  const drafts = group.alerts.map((alert) => draftAlert(alert, group, receivedAt, decode, hosts));
  const truncation = group.truncatedAlerts === 0 ? [] : [draftTruncation(group, drafts, receivedAt)];
  return { events: part === "truncation" ? truncation : [...drafts, ...truncation], facts: [] };
}

/** Alertmanager left alerts out (`max_alerts`): told as an event of its own, so that it does not go unseen. */
function draftTruncation(group: Group, drafts: readonly EventDraft[], receivedAt: Instant): EventDraft {
  const latest = Math.max(0, ...drafts.map((draft) => draft.occurredAt)) as Instant;
  const groupKey = group.groupKey ?? "";
  const occurredAt = drafts.length === 0 ? receivedAt : latest;
  return {
    key: `truncated/${formatInstant(occurredAt)}/${group.truncatedAlerts}/${groupKey}`,
    sourceIds: [`truncated/${groupKey}`],
    occurredAt,
    precision: truncationPrecision,
    type: "alertmanager.truncated",
    kind: "activity",
    category: "monitoring",
    severity: "warning",
    visibility: "provider",
    subject: { kind: "component", id: "alertmanager" },
    related: [],
    platform: true,
    summary: `Alertmanager left ${group.truncatedAlerts} more alerts of a group out of its message (max_alerts)`,
    details: {
      truncated_alerts: group.truncatedAlerts,
      group_key: groupKey,
      receiver: group.receiver ?? null,
    },
  };
}
