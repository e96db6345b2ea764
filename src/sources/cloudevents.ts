import { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { Observation } from "../model/event.ts";
import { duration } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { draftOf } from "./cloudevents/draft.ts";
import type { CloudEvent } from "./cloudevents/draft.ts";
import { readJsonDocument, tryJson } from "./json-document.ts";
import { asObject, asText } from "./json-fields.ts";
import { parseSettings } from "./http-settings.ts";
import type { Decoders, PushRequest, PushSettings, RawRecord, SourceFile, WebhookSource } from "./source.ts";
import { checkStandardWebhook, signingSecret, toleranceSetting } from "./standard-webhooks.ts";

const settingsShape = z.strictObject({
  signing_secret: signingSecret
    .optional()
    .describe(
      "The secret (`whsec_…`) with which the sender signs after the Standard Webhooks specification, as `env:NAME` or " +
        "`file:PATH`. A request that is not signed with it is refused.",
    ),
  previous_signing_secret: signingSecret
    .optional()
    .describe("The secret before it, which is still taken while a new one is rolled out."),
  tolerance_seconds: toleranceSetting.describe(
    "How far a signed time may lie from our clock; an older request is taken for a replay.",
  ),
});

/**
 * CloudEvents 1.0 over HTTP (binary, structured and batched content mode) and from files. Besides the specification's
 * own attributes it understands its published extensions (severity, correlation, distributed tracing, recorded time,
 * auth context) and these optional ones of ours:
 *
 * - `isochronkind`: change, symptom, recovery, human or activity (the default);
 * - `isochronseverity`: info, warning, error or critical; else the severity extension decides, else info;
 * - `isochroncategory`: one of the model's categories, `other` by default;
 * - `isochronvisibility`: operational (the default), security, billing or provider;
 * - `isochronsubject`: `kind/id` of the entity that it happened to, where `subject` says something else;
 * - `isochronrelated`: other entities, `role=kind/id` or `kind/id`, with commas between them;
 * - `isochronsummary`: one line for people, else `summary`, `message` or `title` of the data.
 *
 * No attribute states an owner: whose the subject is stays the resolver's answer.
 */
export const cloudevents: WebhookSource = {
  name: "cloudevents",
  title: "CloudEvents",
  summary:
    "Anything that speaks CloudEvents 1.0 over HTTP (binary, structured, batch), or files of such events.",
  delivery: "webhook",
  contract: {
    identity: "source + id, which CloudEvents makes unique",
    version: "none: an event with the same source and id is a duplicate",
    ordering: "unsorted",
    commitDelayMax: duration(10 * 60_000),
    clockErrorMax: duration(5_000),
    delivery: "push",
    revisions: "never",
    blindSpots:
      "What the sender does not send, and, where it sends no time, when it happened before it arrived.",
  },
  config: settingsShape as unknown as z.ZodType<JsonObject>,
  split,
  splitFile,
  normalise,
};

function split(request: PushRequest, decode: Decoders, connection?: PushSettings): readonly RawRecord[] {
  checkSignature(request, connection);
  const contentType = request.headers["content-type"] ?? "";
  const mediaType = contentType.split(";")[0]?.trim().toLowerCase();
  const place = { receivedAt: request.receivedAt, position: "delivery" };
  if (request.headers["ce-specversion"] !== undefined) {
    const meta = { mode: "binary", content_type: contentType, attributes: binaryAttributes(request.headers) };
    return [{ ...place, bytes: request.body, meta }];
  }
  if (mediaType === "application/cloudevents+json") {
    if (asObject(readBody(request, decode)) === undefined) throw bodyInvalid("The body is no JSON object.");
    return [{ ...place, bytes: request.body, meta: {} }];
  }
  if (mediaType === "application/cloudevents-batch+json") {
    const batch = readBody(request, decode);
    if (!Array.isArray(batch)) throw bodyInvalid("The body is no JSON array.");
    return splitBatch(batch as readonly Json[], { ...place, bytes: request.body, meta: {} });
  }
  throw new IsochronError(
    "media-type-unknown",
    `The body is ${mediaType || "of no stated type"}, without ce- headers.`,
    "Send application/cloudevents+json, application/cloudevents-batch+json, or any type with ce- headers.",
  );
}

/** Over the bytes as they came, so that nothing is read of what is not the sender's. */
function checkSignature(request: PushRequest, connection: PushSettings | undefined): void {
  if (connection === undefined) return;
  const settings = parseSettings(settingsShape, connection.config);
  const secrets = [settings.signing_secret, settings.previous_signing_secret];
  checkStandardWebhook(request, secrets, settings.tolerance_seconds, connection);
}

function readBody(request: PushRequest, decode: Decoders): Json {
  try {
    return decode.json(decode.text(request.body));
  } catch (error) {
    if (!(error instanceof IsochronError) || error.code !== "record-invalid") throw error;
    throw new IsochronError("body-invalid", error.problem, error.remedy, { cause: error });
  }
}

function bodyInvalid(problem: string): IsochronError {
  return new IsochronError(
    "body-invalid",
    problem,
    "See the CloudEvents HTTP binding for what its type promises.",
  );
}

/** The `ce-` headers; the HTTP binding percent-encodes what a header cannot carry. */
function binaryAttributes(headers: PushRequest["headers"]): JsonObject {
  const attributes = Object.entries(headers)
    .filter(([name]) => /^ce-[a-z0-9]+$/.test(name))
    .map(([name, value]) => [name.slice(3), percentDecoded(value)]);
  return Object.fromEntries(attributes) as JsonObject;
}

function percentDecoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch (error) {
    // A bare percent sign: the sender did not encode, so the value is what stands there.
    if (error instanceof URIError) return value;
    throw error;
  }
}

function splitBatch(batch: readonly Json[], whole: RawRecord): readonly RawRecord[] {
  return batch.map((event, index) => ({
    ...whole,
    bytes: new TextEncoder().encode(JSON.stringify(event)),
    position: `${whole.position}, event ${index + 1}`,
  }));
}

/** A file holds one event, an array of them, or one of either per line. */
async function* splitFile(file: SourceFile, decode: Decoders): AsyncIterable<RawRecord> {
  const place = { receivedAt: file.modifiedAt, meta: { file: file.name } };
  if (/\.json$/i.test(file.name)) {
    const whole = { ...place, bytes: await file.whole(), position: "document" };
    const value = tryJson(whole.bytes, decode);
    if (value !== undefined) {
      yield* Array.isArray(value) ? splitBatch(value as readonly Json[], whole) : [whole];
      return;
    }
  }
  const document = await readJsonDocument(file, decode);
  if (document !== undefined) {
    const whole = { ...place, bytes: document.bytes, position: "document" };
    yield* Array.isArray(document.value) ? splitBatch(document.value as readonly Json[], whole) : [whole];
    return;
  }
  for await (const line of file.lines()) {
    const meta = line.tooLarge ? { ...place.meta, too_large: true } : place.meta;
    const whole = { ...place, meta, bytes: line.bytes, position: `line ${line.number}` };
    const value = line.tooLarge ? undefined : tryJson(line.bytes, decode);
    yield* Array.isArray(value) ? splitBatch(value as readonly Json[], whole) : [whole];
  }
}

function normalise(record: RawRecord, decode: Decoders): Observation {
  if (record.meta["too_large"] === true) {
    throw new IsochronError(
      "record-invalid",
      "The line is too long to be read.",
      "Send the data by reference.",
    );
  }
  const event =
    record.meta["mode"] === "binary" ? readBinary(record, decode) : readStructured(record, decode);
  return { events: [draftOf(event, record.receivedAt, decode)], facts: [] };
}

function readBinary(record: RawRecord, decode: Decoders): CloudEvent {
  const attributes = asObject(record.meta["attributes"]) ?? {};
  const contentType = asText(record.meta["content_type"]);
  const all = contentType === undefined ? attributes : { ...attributes, datacontenttype: contentType };
  if (record.bytes.byteLength === 0) return { attributes: all };
  return { attributes: all, data: readData(record.bytes, contentType, decode) };
}

/** JSON as JSON, text as text, and anything else in base64. */
function readData(bytes: Uint8Array, contentType: string | undefined, decode: Decoders): Json {
  const mediaType = contentType?.split(";")[0]?.trim().toLowerCase() ?? "application/json";
  if (/[/+]json$/.test(mediaType)) return decode.json(decode.text(bytes));
  if (mediaType.startsWith("text/") || /[/+](xml|yaml)$/.test(mediaType)) return decode.text(bytes);
  return Buffer.from(bytes).toString("base64");
}

function readStructured(record: RawRecord, decode: Decoders): CloudEvent {
  const event = asObject(decode.json(decode.text(record.bytes)));
  if (event === undefined) {
    throw new IsochronError(
      "record-invalid",
      "The event is no JSON object.",
      "Send one CloudEvent per record.",
    );
  }
  const { data, data_base64: base64, ...attributes } = event;
  if (data !== undefined) return { attributes, data };
  if (typeof base64 !== "string") return { attributes };
  const contentType = asText(attributes["datacontenttype"]);
  if (contentType === undefined) return { attributes, data: base64 };
  return { attributes, data: readData(Uint8Array.from(Buffer.from(base64, "base64")), contentType, decode) };
}
