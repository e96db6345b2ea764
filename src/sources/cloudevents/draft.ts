import { IsochronError } from "../../errors.ts";
import type { EntityRef, Related } from "../../model/entity.ts";
import { categories, eventKinds, severities, visibilities } from "../../model/event.ts";
import type { Actor, EventDraft, OperationKey, Severity } from "../../model/event.ts";
import { regularizeEventType } from "../../model/event-type.ts";
import { duration } from "../../model/instant.ts";
import type { Duration, Instant } from "../../model/instant.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import { asObject, asText } from "../json-fields.ts";
import { readSeverityWord } from "../severity-word.ts";
import type { Decoders } from "../source.ts";

/** An event in any content mode: its context attributes, and its data apart from them. */
export interface CloudEvent {
  readonly attributes: JsonObject;
  readonly data?: Json;
}

/** How well a time is known that is not the event's own but the moment it was written down or arrived. */
const lateTimePrecision = duration(60_000);

/** `kind/id` is an entity where the kind is one of these; `images/cat.png` is only a path. */
const entityKinds = new Set(
  (
    "domain project user group role server host service aggregate flavor keypair server_group migration volume " +
    "snapshot backup transfer volume_type backend image network subnet port router floating_ip security_group " +
    "security_group_rule stack request component region"
  ).split(" "),
);

/** Reads one CloudEvent. Throws `record-invalid` where a required attribute is missing or a time is none. */
export function draftOf(event: CloudEvent, receivedAt: Instant, decode: Decoders): EventDraft {
  const { attributes, data } = event;
  const specVersion = required(attributes, "specversion");
  if (specVersion !== "1.0") {
    throw new IsochronError(
      "record-invalid",
      `CloudEvents ${specVersion} is not understood.`,
      "Send version 1.0.",
    );
  }
  const id = required(attributes, "id");
  const source = required(attributes, "source");
  const type = required(attributes, "type");
  const { occurredAt, precision, timeFrom } = timeOf(attributes, receivedAt, decode);
  const subject = subjectOf(attributes, source);
  const actor = actorOf(attributes);
  const operation = operationOf(attributes);
  return {
    // A source is a URI reference, which holds no space: the first one ends it.
    key: `${source.replaceAll(" ", "%20")} ${id}`,
    sourceIds: [id],
    occurredAt,
    precision,
    type: regularizeEventType(type),
    kind: word(attributes, "isochronkind", eventKinds) ?? "activity",
    category: word(attributes, "isochroncategory", categories) ?? "other",
    severity: word(attributes, "isochronseverity", severities) ?? severityOf(attributes) ?? "info",
    visibility: word(attributes, "isochronvisibility", visibilities) ?? "operational",
    subject,
    related: relatedOf(attributes),
    ...(actor !== undefined && { actor }),
    ...(operation !== undefined && { operation }),
    summary: summaryOf(attributes, data) ?? `${type} on ${subject.id}`,
    details: {
      attributes: withoutClaims(attributes),
      ...(data !== undefined && { data }),
      ...(timeFrom !== undefined && { time_from: timeFrom }),
    },
  };
}

function required(attributes: JsonObject, name: string): string {
  const value = asText(attributes[name]);
  if (value !== undefined) return value;
  throw new IsochronError("record-invalid", `The event has no ${name}.`, "CloudEvents 1.0 requires it.");
}

function timeOf(
  attributes: JsonObject,
  receivedAt: Instant,
  decode: Decoders,
): { occurredAt: Instant; precision: Duration; timeFrom?: string } {
  const time = attributes["time"] ?? null;
  if (time !== null) {
    const text = required(attributes, "time");
    return { occurredAt: decode.time(text), precision: duration(text.includes(".") ? 0 : 1_000) };
  }
  const recorded = asText(attributes["recordedtime"]);
  return recorded === undefined
    ? { occurredAt: receivedAt, precision: lateTimePrecision, timeFrom: "received" }
    : { occurredAt: decode.time(recorded), precision: lateTimePrecision, timeFrom: "recordedtime" };
}

function subjectOf(attributes: JsonObject, source: string): EntityRef {
  const ours = asText(attributes["isochronsubject"]);
  const subject = asText(attributes["subject"]);
  const entity = readEntity(ours) ?? readEntity(subject);
  return entity ?? { kind: "component", id: ours ?? subject ?? source };
}

function readEntity(text: string | undefined): EntityRef | undefined {
  const [, kind, id] = /^\/?([a-z_]+)\/([^/\s]+)$/.exec(text?.trim() ?? "") ?? [];
  if (kind === undefined || id === undefined) return undefined;
  const singular = entityKinds.has(kind) ? kind : kind.replace(/s$/, "");
  return entityKinds.has(singular) ? { kind: singular, id } : undefined;
}

function relatedOf(attributes: JsonObject): readonly Related[] {
  const listed = asText(attributes["isochronrelated"])?.split(",") ?? [];
  return listed.flatMap((item) => {
    const [, role, entity] = /^(?:([a-z_]+)=)?(.+)$/.exec(item.trim()) ?? [];
    const ref = readEntity(entity);
    // It proves nothing about whose the event is; only a role that the sender chose may.
    return ref === undefined ? [] : [{ role: role ?? "refers_to", ref }];
  });
}

/** The auth context extension: the principal that triggered it, never the owner. */
function actorOf(attributes: JsonObject): Actor | undefined {
  const id = asText(attributes["authid"]);
  return id === undefined ? undefined : { userId: id };
}

/** Claims of the principal are for the receiver that checks them; no timeline needs them. */
function withoutClaims(attributes: JsonObject): JsonObject {
  const { authclaims: _authclaims, ...kept } = attributes;
  return kept;
}

/** The correlation extension, else the trace of distributed tracing (`00-<trace>-<span>-<flags>`). */
function operationOf(attributes: JsonObject): OperationKey | undefined {
  const correlation = asText(attributes["correlationid"]);
  const trace = /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(asText(attributes["traceparent"]) ?? "")?.[1];
  if (correlation !== undefined && /^req-[0-9a-f-]{36}$/.test(correlation)) {
    return { requestId: correlation, ...(trace !== undefined && { workflowId: trace }) };
  }
  const workflowId = correlation ?? trace;
  return workflowId === undefined ? undefined : { workflowId };
}

/** The severity extension; its numbers are OpenTelemetry's, four to each name. */
function severityOf(attributes: JsonObject): Severity | undefined {
  const told = attributes["severitynumber"];
  const number = typeof told === "number" || typeof told === "string" ? Number(told) : Number.NaN;
  if (number >= 21) return "critical";
  if (number >= 17) return "error";
  if (number >= 13) return "warning";
  if (number >= 1) return "info";
  return readSeverityWord(asText(attributes["severitytext"]) ?? "");
}

function word<const Word extends string>(
  attributes: JsonObject,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const text = asText(attributes[name])?.trim().toLowerCase();
  if (text === undefined) return undefined;
  const known = words.find((one) => one === text);
  if (known !== undefined) return known;
  throw new IsochronError(
    "record-invalid",
    `The event's ${name} is unknown.`,
    `Use one of ${words.join(", ")}.`,
  );
}

function summaryOf(attributes: JsonObject, data: Json | undefined): string | undefined {
  const fields = asObject(data);
  return (
    asText(attributes["isochronsummary"]) ??
    asText(fields?.["summary"]) ??
    asText(fields?.["message"]) ??
    asText(fields?.["title"])
  );
}
