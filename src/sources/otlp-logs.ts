import { createHash } from "node:crypto";
import { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { EventDraft, Observation, Severity } from "../model/event.ts";
import { regularizeEventType } from "../model/event-type.ts";
import { duration, instant } from "../model/instant.ts";
import type { Instant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { parseSettings } from "./http-settings.ts";
import { asObject, asShape, asText } from "./json-fields.ts";
import { asList, readAnyValue, readAttributes } from "./otlp-logs/any-value.ts";
import { findLogEntities } from "./otlp-logs/log-entities.ts";
import { decodeLogsProtobuf } from "./otlp-logs/logs-protobuf.ts";
import { readSeverityWord } from "./severity-word.ts";
import type { Decoders, PushRequest, PushSettings, RawRecord, WebhookSource } from "./source.ts";

/** How well a time is known that is when the record was collected, or when it arrived. */
const lateTimePrecision = duration(60_000);

/** Each record is stored with its resource, so that one large resource with many records must not multiply. */
const recordsBytesMax = 32 * 1024 * 1024;
const recordsMax = 20_000;

const logsConfig = z.strictObject({
  symptom_from: z
    .number()
    .int()
    .min(1)
    .max(24)
    .default(13)
    .describe(
      "The severity number from which a record is a symptom (13 is WARN, 17 ERROR); others are activity.",
    ),
});

const unsigned = z.union([z.number(), z.string()]).nullish();
const recordShape = z.object({
  timeUnixNano: unsigned,
  observedTimeUnixNano: unsigned,
  severityNumber: z.union([z.number(), z.string()]).nullish(),
  severityText: z.string().nullish(),
  traceId: z.string().nullish(),
  spanId: z.string().nullish(),
  eventName: z.string().nullish(),
});

/** Logs over OTLP/HTTP, the OpenTelemetry protocol 1.10, as JSON or protobuf. */
export const otlpLogs: WebhookSource = {
  name: "otlp-logs",
  title: "OpenTelemetry logs",
  summary:
    "Log records of anything that speaks OTLP/HTTP, from warnings up as symptoms; a collector or an SDK posts JSON or protobuf to the connection's URL.",
  delivery: "webhook",
  contract: {
    identity:
      "hash of resource, scope, time, severity, body, attributes and trace: the protocol gives a record no id",
    version: "a record never changes",
    ordering: "unsorted",
    commitDelayMax: duration(10 * 60_000),
    clockErrorMax: duration(5_000),
    delivery: "push",
    revisions: "never",
    blindSpots:
      "Two records that are the same to the nanosecond are one; what a collector filters, samples or drops while its " +
      "queue is full is not seen.",
  },
  config: logsConfig as unknown as z.ZodType<JsonObject>,
  split,
  normalise,
};

function split(request: PushRequest, decode: Decoders, settings?: PushSettings): readonly RawRecord[] {
  const { symptom_from: symptomFrom } = parseSettings(logsConfig, settings?.config ?? {});
  const { resourceLogs } = readRequest(request, decode);
  if (resourceLogs !== undefined && !Array.isArray(resourceLogs))
    throw bodyInvalid("resourceLogs is no list.");
  const records: RawRecord[] = [];
  let size = 0;
  for (const resourceItem of asList(resourceLogs)) {
    const resource = asObject(resourceItem);
    for (const scopeItem of asList(resource?.["scopeLogs"])) {
      const scope = asObject(scopeItem);
      for (const record of asList(scope?.["logRecords"])) {
        const bytes = new TextEncoder().encode(
          JSON.stringify({
            resource: resource?.["resource"] ?? null,
            scope: scope?.["scope"] ?? null,
            record,
          }),
        );
        size += bytes.byteLength;
        if (size > recordsBytesMax || records.length >= recordsMax) throw tooLarge();
        records.push({
          bytes,
          position: `delivery, record ${records.length + 1}`,
          receivedAt: request.receivedAt,
          meta: { symptom_from: symptomFrom },
        });
      }
    }
  }
  return records;
}

function readRequest(request: PushRequest, decode: Decoders): JsonObject {
  const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type === "application/x-protobuf") return decodeLogsProtobuf(request.body);
  if (type !== "application/json") {
    throw new IsochronError(
      "media-type-unknown",
      `The body is ${type ?? "of no stated type"}.`,
      "Send application/x-protobuf or application/json.",
    );
  }
  try {
    const body = asObject(decode.json(decode.text(request.body)));
    if (body !== undefined) return body;
  } catch (error) {
    if (!(error instanceof IsochronError) || error.code !== "record-invalid") throw error;
    throw new IsochronError("body-invalid", error.problem, error.remedy, { cause: error });
  }
  throw bodyInvalid("The body is no JSON object.");
}

function bodyInvalid(problem: string): IsochronError {
  return new IsochronError("body-invalid", problem, "Send an OTLP ExportLogsServiceRequest.");
}

function tooLarge(): IsochronError {
  return new IsochronError(
    "body-too-large",
    `The request holds more than ${recordsMax} records, or more than ${recordsBytesMax} bytes of them.`,
    "Send smaller batches.",
  );
}

function normalise(raw: RawRecord, decode: Decoders): Observation {
  const whole = asObject(decode.json(decode.text(raw.bytes)));
  const logRecord = asObject(whole?.["record"]);
  if (logRecord === undefined) {
    throw new IsochronError("record-invalid", "The log record is no object.", "Check what sends it.");
  }
  const record = asShape(recordShape, logRecord, "log record");
  const resource = readAttributes(asObject(whole?.["resource"])?.["attributes"]);
  const scope = asObject(whole?.["scope"]) ?? {};
  const attributes = readAttributes(logRecord["attributes"]);
  const body = readAnyValue(logRecord["body"]);
  const number = readSeverityNumber(record.severityNumber ?? 0, asText(record.severityText ?? null));
  const when = readTimes(record, raw.receivedAt);
  const entities = findLogEntities(resource, attributes, readTraceId(record.traceId));
  const severityText = asText(record.severityText ?? null);
  const key = hashOf([
    sortedPairs(resource),
    scope["name"] ?? null,
    when.identity,
    number,
    severityText ?? null,
    body,
    sortedPairs(attributes),
    record.traceId ?? null,
    record.spanId ?? null,
    record.eventName ?? null,
  ]);
  const symptomFrom = raw.meta["symptom_from"];
  const service = asText(resource["service.name"]) ?? "unnamed";
  const eventName = asText(record.eventName ?? null);
  const draft: EventDraft = {
    key,
    sourceIds: [key],
    occurredAt: when.occurredAt,
    precision: when.from === undefined ? duration(0) : lateTimePrecision,
    type: regularizeEventType(eventName ?? `log.${service.replaceAll(".", "_")}.${severityWord(number)}`),
    kind: number >= (typeof symptomFrom === "number" ? symptomFrom : 13) ? "symptom" : "activity",
    category: "platform",
    severity: severityOf(number),
    // Lines name hosts, addresses and staff, whatever they are about.
    visibility: "provider",
    ...entities,
    summary: summaryOf(body) ?? eventName ?? `A log record of ${service} without a body`,
    details: {
      body,
      ...(number > 0 && { severity_number: number }),
      ...(severityText !== undefined && { severity_text: severityText }),
      attributes,
      resource,
      ...(asText(scope["name"]) !== undefined && { scope: scope["name"]! }),
      ...(asText(record.spanId ?? null) !== undefined && { span_id: record.spanId! }),
      ...(when.from !== undefined && { time_from: when.from }),
    },
  };
  return { events: [draft], facts: [] };
}

/** The record's own time, else when it was collected, else when it arrived. */
function readTimes(
  record: z.output<typeof recordShape>,
  receivedAt: Instant,
): { readonly occurredAt: Instant; readonly identity: string; readonly from?: "observed" | "received" } {
  const time = readNanoseconds(record.timeUnixNano ?? 0);
  if (time !== 0n) return { occurredAt: asInstant(time), identity: String(time) };
  const observed = readNanoseconds(record.observedTimeUnixNano ?? 0);
  if (observed !== 0n)
    return { occurredAt: asInstant(observed), identity: `observed ${observed}`, from: "observed" };
  return { occurredAt: receivedAt, identity: `received ${receivedAt}`, from: "received" };
}

function readNanoseconds(value: number | string): bigint {
  const text = String(value);
  if (/^\d{1,20}$/.test(text)) return BigInt(text);
  throw new IsochronError(
    "record-invalid",
    "The record's time is no number of nanoseconds.",
    "Send timeUnixNano as OTLP defines it.",
  );
}

function asInstant(nanoseconds: bigint): Instant {
  return instant(Number(nanoseconds / 1_000_000n));
}

/** 1 to 24, four to each name; 0 where neither the number nor the text says. */
function readSeverityNumber(value: number | string, text: string | undefined): number {
  // Protobuf's JSON may write the enumeration's name.
  const name = typeof value === "string" ? /^SEVERITY_NUMBER_([A-Z]+)([2-4])?$/.exec(value) : undefined;
  const base = name == null ? undefined : severityBases[name[1]!.toLowerCase()];
  if (base !== undefined) return base + Number(name?.[2] ?? 1) - 1;
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1 && number <= 24) return number;
  const word = text === undefined ? undefined : readSeverityWord(text);
  return word === undefined ? 0 : { info: 9, warning: 13, error: 17, critical: 21 }[word];
}

const severityBases: Readonly<Record<string, number>> = {
  trace: 1,
  debug: 5,
  info: 9,
  warn: 13,
  error: 17,
  fatal: 21,
};

function severityOf(number: number): Severity {
  if (number >= 21) return "critical";
  if (number >= 17) return "error";
  return number >= 13 ? "warning" : "info";
}

function severityWord(number: number): string {
  return ["unspecified", "trace", "debug", "info", "warn", "error", "fatal"][Math.ceil(number / 4)]!;
}

/** 16 bytes in hexadecimal that are not all zero. */
function readTraceId(text: string | null | undefined): string | undefined {
  const id = text?.toLowerCase() ?? "";
  return /^[0-9a-f]{32}$/.test(id) && !/^0+$/.test(id) ? id : undefined;
}

function summaryOf(body: Json): string | undefined {
  const fields = asObject(body);
  const said =
    asText(body) ??
    asText(fields?.["message"]) ??
    asText(fields?.["msg"]) ??
    asText(fields?.["event"]) ??
    (body === null || body === "" ? undefined : JSON.stringify(body));
  return asText(said?.trimStart().split("\n", 1)[0]?.slice(0, 500));
}

function sortedPairs(object: JsonObject): readonly (readonly [string, Json])[] {
  return Object.entries(object).toSorted(([one], [other]) => (one < other ? -1 : 1));
}

function hashOf(value: Json): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
