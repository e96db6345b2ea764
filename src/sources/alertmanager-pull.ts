import { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { EventDraft, Observation } from "../model/event.ts";
import { duration, formatInstant, instant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { alertPrecision, draftAlert } from "./alertmanager/alert-draft.ts";
import type { AlertmanagerCursor } from "./alertmanager/alert-pass.ts";
import {
  alertmanagerCursor,
  alertmanagerPullSettings,
  fetchAlerts,
  listAlertsAnew,
  suppressorsOf,
} from "./alertmanager/alert-pass.ts";
import { asObject, asShape } from "./json-fields.ts";
import type { Decoders, PullSource, RawRecord } from "./source.ts";

/** Prometheus Alertmanager's API v2: what silences and inhibitions keep from every webhook is listed there. */
export const alertmanagerPull: PullSource<AlertmanagerCursor> = {
  name: "alertmanager-pull",
  title: "Prometheus Alertmanager, polled",
  summary:
    "Alerts that start and stop firing and what keeps them back (silences, inhibitions), polled from Alertmanager's API v2.",
  delivery: "pull",
  contract: {
    identity:
      "fingerprint + startsAt + `firing` or `resolved`, as in the webhook; for a suppression its silences and inhibiting alerts besides",
    version:
      "none: an alert is told when it is first listed, when what suppresses it changes, and when it is gone",
    ordering: "unsorted",
    commitDelayMax: duration(10 * 60_000),
    clockErrorMax: alertPrecision,
    delivery: "pull",
    revisions: "allowed",
    blindSpots:
      "An alert that fires and ends between two passes; the exact time of an end or of a suppression (it lies between two passes); ends within five minutes after a start of Alertmanager are told later.",
  },
  config: alertmanagerPullSettings as unknown as z.ZodType<JsonObject>,
  cursor: alertmanagerCursor,
  fetch: fetchAlerts,
  startAt: listAlertsAnew,
  normalise,
};

const metaShape = z.object({
  part: z.enum(["firing", "suppressed", "gone"]),
  previous_seen_at: z.number().int().min(0).optional(),
  gone_at: z.number().int().min(0).optional(),
});

function normalise(record: RawRecord, decode: Decoders): Observation {
  const meta = asShape(metaShape, record.meta, "record of a listing");
  const alert = asObject(decode.json(decode.text(record.bytes)));
  if (alert === undefined) {
    throw new IsochronError("record-invalid", "The alert is no JSON object.", "Check what answers.");
  }
  const suppressors = suppressorsOf(alert);
  if (meta.part === "firing") {
    return { events: [withState(draft(alert, "firing", record, decode), suppressors)], facts: [] };
  }
  if (meta.part === "suppressed") {
    const firing = draft(alert, "firing", record, decode);
    const from = meta.previous_seen_at ?? firing.occurredAt;
    return { events: [draftSuppression(alert, firing, record, from)], facts: [] };
  }
  const at = instant(meta.gone_at ?? record.receivedAt);
  const resolved = draft(alert, "resolved", record, decode);
  const width = Math.max(alertPrecision, at - (meta.previous_seen_at ?? at));
  const details = { ...resolved.details, time_from: "polling" };
  return { events: [{ ...resolved, occurredAt: at, precision: duration(width), details }], facts: [] };
}

/** The event that the webhook gives for the same alert, under the same key. */
function draft(alert: JsonObject, status: string, record: RawRecord, decode: Decoders): EventDraft {
  // The listing's `endsAt` moves on with each repetition, and its `status` is an object of its own.
  const { endsAt: _moving, status: _state, updatedAt: _repeated, receivers: _receivers, ...fixed } = alert;
  return draftAlert({ ...fixed, status }, { truncatedAlerts: 0 }, record.receivedAt, decode);
}

function withState(firing: EventDraft, suppressors: readonly string[]): EventDraft {
  if (suppressors.length === 0) return firing;
  return { ...firing, details: { ...firing.details, suppressed_when_first_seen: true } };
}

/** That an alert is kept back is the provider's business, and changes nothing in the cloud. */
function draftSuppression(
  alert: JsonObject,
  firing: EventDraft,
  record: RawRecord,
  from: number,
): EventDraft {
  const suppressors = suppressorsOf(alert);
  const [fingerprint = ""] = firing.sourceIds;
  const startsAt = formatInstant(firing.occurredAt);
  const silenced = listAt(alert, "silencedBy");
  const inhibited = listAt(alert, "inhibitedBy");
  const how = [...(silenced.length > 0 ? ["silenced"] : []), ...(inhibited.length > 0 ? ["inhibited"] : [])];
  return {
    ...firing,
    key: `${fingerprint}/${startsAt}/suppressed/${suppressors.join(",")}`,
    occurredAt: record.receivedAt,
    precision: duration(Math.max(alertPrecision, record.receivedAt - from)),
    type: firing.type.replace(/firing$/, "suppressed"),
    kind: "activity",
    phase: "progress",
    severity: "info",
    visibility: "provider",
    summary: `${how.join(" and ") || "suppressed"}: ${firing.summary}`,
    details: { ...firing.details, silenced_by: silenced, inhibited_by: inhibited, time_from: "polling" },
  };
}

function listAt(alert: JsonObject, name: string): readonly Json[] {
  const ids = asObject(alert["status"])?.[name];
  return Array.isArray(ids) ? (ids as readonly Json[]) : [];
}
