import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { createFileRegistry, fromBinary, fromJson, toJson } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { IsochronError } from "../../errors.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import { asObject } from "../json-fields.ts";

/**
 * The part of OpenTelemetry's logs protocol (opentelemetry-proto 1.10: `logs/v1`, `common/v1`, `resource/v1` and
 * `collector/logs/v1`) that a receiver reads. Package names and files do not travel, so one file holds it all.
 */

/** How many messages one body may hold: a hundred times an exporter's usual batch, and far below what fills memory. */
const messagesMax = 200_000;

/** How deep messages may be nested; as JSON that stays within what is read of JSON. */
const messageDepthMax = 40;

type FieldRow = readonly [number: number, name: string, type: string, more?: "repeated" | "oneof"];

function message(name: string, ...fields: readonly FieldRow[]) {
  return {
    name,
    field: fields.map(([number, fieldName, type, more]) => ({
      name: fieldName,
      // A compiler of .proto files would write it down.
      jsonName: fieldName.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      number,
      label: more === "repeated" ? "LABEL_REPEATED" : "LABEL_OPTIONAL",
      ...(/^[A-Z]/.test(type)
        ? { type: "TYPE_MESSAGE", typeName: `.otlp.${type}` }
        : { type: `TYPE_${type.toUpperCase()}` }),
      ...(more === "oneof" && { oneofIndex: 0 }),
    })),
    ...(fields.some(([, , , more]) => more === "oneof") && { oneofDecl: [{ name: "value" }] }),
  };
}

const file = fromJson(FileDescriptorProtoSchema, {
  name: "otlp-logs.proto",
  package: "otlp",
  syntax: "proto3",
  messageType: [
    message("ExportLogsServiceRequest", [1, "resource_logs", "ResourceLogs", "repeated"]),
    message(
      "ResourceLogs",
      [1, "resource", "Resource"],
      [2, "scope_logs", "ScopeLogs", "repeated"],
      [3, "schema_url", "string"],
    ),
    message("Resource", [1, "attributes", "KeyValue", "repeated"], [2, "dropped_attributes_count", "uint32"]),
    message(
      "ScopeLogs",
      [1, "scope", "InstrumentationScope"],
      [2, "log_records", "LogRecord", "repeated"],
      [3, "schema_url", "string"],
    ),
    message(
      "InstrumentationScope",
      [1, "name", "string"],
      [2, "version", "string"],
      [3, "attributes", "KeyValue", "repeated"],
      [4, "dropped_attributes_count", "uint32"],
    ),
    message(
      "LogRecord",
      [1, "time_unix_nano", "fixed64"],
      [2, "severity_number", "int32"],
      [3, "severity_text", "string"],
      [5, "body", "AnyValue"],
      [6, "attributes", "KeyValue", "repeated"],
      [7, "dropped_attributes_count", "uint32"],
      [8, "flags", "fixed32"],
      [9, "trace_id", "bytes"],
      [10, "span_id", "bytes"],
      [11, "observed_time_unix_nano", "fixed64"],
      [12, "event_name", "string"],
    ),
    message("KeyValue", [1, "key", "string"], [2, "value", "AnyValue"]),
    message(
      "AnyValue",
      [1, "string_value", "string", "oneof"],
      [2, "bool_value", "bool", "oneof"],
      [3, "int_value", "int64", "oneof"],
      [4, "double_value", "double", "oneof"],
      [5, "array_value", "ArrayValue", "oneof"],
      [6, "kvlist_value", "KeyValueList", "oneof"],
      [7, "bytes_value", "bytes", "oneof"],
    ),
    message("ArrayValue", [1, "values", "AnyValue", "repeated"]),
    message("KeyValueList", [1, "values", "KeyValue", "repeated"]),
  ],
});

const requestSchema = createFileRegistry(file, () => undefined).getMessage("otlp.ExportLogsServiceRequest")!;

/**
 * Decodes a body of `application/x-protobuf` to what the same request is in OTLP's JSON, ids in hexadecimal.
 * Throws `body-invalid` for anything else, and for bodies of too many or too deeply nested messages.
 */
export function decodeLogsProtobuf(bytes: Uint8Array): JsonObject {
  try {
    const reader = new BinaryReader(bytes);
    if (countMessages(reader, bytes.byteLength, requestSchema, 0) > messagesMax) {
      throw new Error(`more than ${messagesMax} messages`);
    }
    const decoded = fromBinary(requestSchema, bytes, {
      recursionLimit: messageDepthMax,
      readUnknownFields: false,
    });
    const request = asObject(toJson(requestSchema, decoded) as Json) ?? {};
    return { ...request, resourceLogs: withHexIds(request["resourceLogs"]) };
  } catch (error) {
    // The library throws plain errors of several kinds for bytes that it cannot read.
    if (!(error instanceof Error)) throw error;
    throw new IsochronError(
      "body-invalid",
      `The body is no ExportLogsServiceRequest (${error.message.slice(0, 200)}).`,
      "Send OTLP logs as protobuf.",
      { cause: error },
    );
  }
}

/** Counts without building anything, because a few kilobytes of gzip can hold millions of empty messages. */
function countMessages(reader: BinaryReader, end: number, schema: DescMessage, depth: number): number {
  if (depth >= messageDepthMax) throw new Error(`nested more than ${messageDepthMax} deep`);
  let count = 1;
  while (reader.pos < end && count <= messagesMax) {
    const [number, wireType] = reader.tag();
    const inner = messageOf(schema.fields.find((field) => field.number === number));
    if (inner === undefined || wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, number);
      continue;
    }
    const length = reader.uint32();
    if (reader.pos + length > end) throw new Error("a message is cut");
    count += countMessages(reader, reader.pos + length, inner, depth + 1);
  }
  return count;
}

function messageOf(field: DescField | undefined): DescMessage | undefined {
  if (field?.fieldKind === "message") return field.message;
  return field?.fieldKind === "list" && field.listKind === "message" ? field.message : undefined;
}

/** OTLP's JSON writes ids in hexadecimal, where protobuf's writes all bytes in base64. */
function withHexIds(resourceLogs: Json | undefined): Json {
  return eachObject(resourceLogs, (resource) => ({
    ...resource,
    scopeLogs: eachObject(resource["scopeLogs"], (scope) => ({
      ...scope,
      logRecords: eachObject(scope["logRecords"], (record) => ({
        ...record,
        ...hexField(record, "traceId"),
        ...hexField(record, "spanId"),
      })),
    })),
  }));
}

function eachObject(list: Json | undefined, change: (item: JsonObject) => JsonObject): readonly Json[] {
  return Array.isArray(list) ? (list as readonly Json[]).map((item) => change(asObject(item) ?? {})) : [];
}

function hexField(record: JsonObject, field: string): JsonObject {
  const value = record[field];
  return typeof value === "string" ? { [field]: Buffer.from(value, "base64").toString("hex") } : {};
}
