import type { EventDraft } from "../../model/event.ts";
import { duration, formatInstant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import { asObject } from "../json-fields.ts";
import type { Decoders, RawRecord } from "../source.ts";
import { alertPrecision, draftAlert } from "./alert-draft.ts";
import { readCloudHosts } from "./cloud-hosts.ts";

/** When the alert was listed, and what its connection says of hosts. */
export type ListedRecord = Pick<RawRecord, "receivedAt" | "meta">;

/** The event that the webhook gives for the same alert, under the same key. Throws `record-invalid`. */
export function draftListed(
  alert: JsonObject,
  status: "firing" | "resolved",
  { receivedAt, meta }: ListedRecord,
  decode: Decoders,
): EventDraft {
  // The listing's `endsAt` moves on with each repetition, and its `status` is an object of its own.
  const { endsAt: _moving, status: _state, updatedAt: _repeated, receivers: _receivers, ...fixed } = alert;
  const group = { truncatedAlerts: 0 };
  return draftAlert({ ...fixed, status }, group, receivedAt, decode, readCloudHosts(meta["hosts"]));
}

/** The same, and whether it was kept back when it was seen. */
export function draftFiring(alert: JsonObject, record: ListedRecord, decode: Decoders): EventDraft {
  const firing = draftListed(alert, "firing", record, decode);
  if (suppressorsOf(alert).length === 0) return firing;
  return { ...firing, details: { ...firing.details, suppressed_when_first_seen: true } };
}

/**
 * That an alert is kept back is the provider's business, and changes nothing in the cloud. It happened after the alert
 * was last seen without it (`previousSeenAt`), or after its start.
 */
export function draftSuppression(
  alert: JsonObject,
  record: ListedRecord,
  previousSeenAt: number | undefined,
  decode: Decoders,
): EventDraft {
  const { receivedAt } = record;
  const firing = draftListed(alert, "firing", record, decode);
  const [fingerprint = ""] = firing.sourceIds;
  const startsAt = formatInstant(firing.occurredAt);
  const silenced = listAt(alert, "silencedBy");
  const inhibited = listAt(alert, "inhibitedBy");
  const how = [...(silenced.length > 0 ? ["silenced"] : []), ...(inhibited.length > 0 ? ["inhibited"] : [])];
  return {
    ...firing,
    key: `${fingerprint}/${startsAt}/suppressed/${suppressorsOf(alert).join(",")}`,
    occurredAt: receivedAt,
    precision: duration(Math.max(alertPrecision, receivedAt - (previousSeenAt ?? firing.occurredAt))),
    type: firing.type.replace(/firing$/, "suppressed"),
    kind: "activity",
    phase: "progress",
    severity: "info",
    visibility: "provider",
    summary: `${how.join(" and ") || "suppressed"}: ${firing.summary}`,
    details: { ...firing.details, silenced_by: silenced, inhibited_by: inhibited, time_from: "polling" },
  };
}

/** The ids of the silences and alerts that keep an alert from being sent, in a fixed order. */
export function suppressorsOf(item: Json): readonly string[] {
  return ["silencedBy", "inhibitedBy"].flatMap((name) =>
    listAt(item, name)
      .filter((id) => typeof id === "string")
      .toSorted(),
  );
}

function listAt(item: Json, name: string): readonly Json[] {
  const ids = asObject(asObject(item)?.["status"])?.[name];
  return Array.isArray(ids) ? (ids as readonly Json[]) : [];
}
