import { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { Observation } from "../model/event.ts";
import { duration, instant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import { alertPrecision } from "./alertmanager/alert-draft.ts";
import type { AlertmanagerCursor } from "./alertmanager/alert-pass.ts";
import {
  alertmanagerCursor,
  alertmanagerPullSettings,
  fetchAlerts,
  listAlertsAnew,
} from "./alertmanager/alert-pass.ts";
import { draftFiring, draftListed, draftSuppression } from "./alertmanager/listed-alert.ts";
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
  if (meta.part === "firing") {
    return { events: [draftFiring(alert, record, decode)], facts: [] };
  }
  if (meta.part === "suppressed") {
    return {
      events: [draftSuppression(alert, record, meta.previous_seen_at, decode)],
      facts: [],
    };
  }
  const at = instant(meta.gone_at ?? record.receivedAt);
  const resolved = draftListed(alert, "resolved", record, decode);
  const width = Math.max(alertPrecision, at - (meta.previous_seen_at ?? at));
  const details = { ...resolved.details, time_from: "polling" };
  return { events: [{ ...resolved, occurredAt: at, precision: duration(width), details }], facts: [] };
}
