import { createHash } from "node:crypto";
import type { z } from "zod";
import { IsochronError } from "../errors.ts";
import type { Related } from "../model/entity.ts";
import type { EventDraft, Observation, Severity } from "../model/event.ts";
import { regularizeEventType } from "../model/event-type.ts";
import { duration } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import { asText } from "./json-fields.ts";
import type { Decoders, RawRecord, SourceFile, StreamSource } from "./source.ts";
import { consumeSyslog } from "./syslog/listener.ts";
import { severityNames, syslogConfig } from "./syslog/syslog-config.ts";
import type { SyslogMessage } from "./syslog/syslog-message.ts";
import { readSyslog } from "./syslog/syslog-message.ts";

/** A message without a time of its own comes within seconds, unless its sender had to wait. */
const arrivalPrecision = duration(60_000);

const warning = severityNames.indexOf("warning");

/** Names of the facilities, by their numbers (RFC 5424, table 1). */
const facilityNames = (
  "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock " +
  "local0 local1 local2 local3 local4 local5 local6 local7"
).split(" ");

/** Facilities that tell of sign-ins: auth, authpriv, audit. */
const authFacilities = new Set([4, 10, 13]);

/** Syslog over TCP and TLS: RFC 5424, and RFC 3164 as it is met with. */
export const syslog: StreamSource = {
  name: "syslog",
  title: "Syslog",
  summary:
    "Messages of hosts, network devices and hypervisors, from warnings up as symptoms; they send syslog over TCP or TLS to a port of ours, or a file is imported.",
  delivery: "stream",
  contract: {
    identity: "hash of the sender's address, the message's bytes and its time: syslog has no ids",
    version: "a message never changes",
    ordering: "unsorted",
    commitDelayMax: duration(10 * 60_000),
    clockErrorMax: duration(60_000),
    delivery: "push",
    revisions: "never",
    blindSpots:
      "Syslog over TCP has no acknowledgement: what is on its way when a connection or this process ends is lost, up to " +
      "some hundred messages a sender. The same message twice within its clock's tick is one; what a sender drops while " +
      "we are away is not seen.",
  },
  config: syslogConfig as unknown as z.ZodType<JsonObject>,
  consume: consumeSyslog,
  normalise,
  splitFile,
};

/** A file holds one message a line, with or without its priority. */
async function* splitFile(file: SourceFile): AsyncIterable<RawRecord> {
  for await (const line of file.lines()) {
    yield {
      bytes: line.bytes,
      position: `line ${line.number}`,
      receivedAt: file.modifiedAt,
      meta: { file: file.name, ...(line.tooLarge && { too_large: true }) },
    };
  }
}

function normalise(record: RawRecord, decode: Decoders): Observation {
  if (record.meta["too_large"] === true || record.meta["incomplete"] === true) {
    throw new IsochronError(
      "record-invalid",
      record.meta["incomplete"] === true
        ? "The connection ended within the message."
        : "The message is too long to be read.",
      "Look at the sender.",
    );
  }
  const text = decode.text(record.bytes);
  if (text.trim() === "")
    throw new IsochronError("record-invalid", "The message is empty.", "Look at the sender.");
  const isFile = record.meta["file"] !== undefined;
  const zone = asText(record.meta["zone"]);
  const message = readSyslog(text, { receivedAt: record.receivedAt, zone, isFile }, decode);
  return { events: [draftMessage(message, record, text)], facts: [] };
}

function draftMessage(message: SyslogMessage, record: RawRecord, whole: string): EventDraft {
  const { severity, text } = message;
  const peer = asText(record.meta["peer"]);
  const host = message.hostName ?? peer;
  const app = message.appName;
  const symptomFrom = record.meta["symptom_from"];
  const occurredAt = message.time?.at ?? record.receivedAt;
  const key = createHash("sha256")
    .update(JSON.stringify([peer ?? "", occurredAt, whole]))
    .digest("hex");
  const requestId = /\breq-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/.exec(text)?.[0];
  return {
    key,
    sourceIds: [key],
    occurredAt,
    precision: message.time?.precision ?? arrivalPrecision,
    type: regularizeEventType(
      `syslog.${(app ?? "unnamed").replaceAll(".", "_")}.${severityNames[severity]!}`,
    ),
    kind: severity <= (typeof symptomFrom === "number" ? symptomFrom : warning) ? "symptom" : "activity",
    category: authFacilities.has(message.facility) ? "auth" : "platform",
    severity: severityOf(severity),
    // Lines name hosts, addresses and staff, whatever they are about.
    visibility: "provider",
    ...entitiesOf(message, text, componentOf(app, host)),
    ...(requestId !== undefined && { operation: { requestId } }),
    summary: asText(text.trimStart().split("\n", 1)[0]?.slice(0, 500)) ?? `${app ?? "Somebody"} said nothing`,
    details: {
      message: text,
      facility: facilityNames[message.facility]!,
      severity_name: severityNames[severity]!,
      format: message.format,
      ...(host !== undefined && { host }),
      ...(app !== undefined && { app }),
      ...(message.processId !== undefined && { process_id: message.processId }),
      ...(message.messageId !== undefined && { message_id: message.messageId }),
      ...(Object.keys(message.structuredData).length > 0 && { structured_data: message.structuredData }),
      ...(peer !== undefined && { peer }),
      ...(message.time === undefined && { time_from: "received" }),
    },
  };
}

function componentOf(app: string | undefined, host: string | undefined): string {
  return (
    [app, host]
      .filter((part) => part !== undefined)
      .join("@")
      .slice(0, 255) || "syslog"
  );
}

function severityOf(number: number): Severity {
  if (number <= 2) return "critical";
  if (number === 3) return "error";
  return number === 4 ? "warning" : "info";
}

/**
 * What a line is about: the server that it names in Nova's spelling, where it is one; else the component that wrote it,
 * which is the provider's. Not the host: a warning there would be told to every tenant on it.
 */
function entitiesOf(
  { hostName }: SyslogMessage,
  text: string,
  component: string,
): Pick<EventDraft, "subject" | "related" | "platform"> {
  const host: readonly Related[] =
    hostName === undefined || hostName.length > 255
      ? []
      : [{ role: "host", ref: { kind: "host", id: hostName } }];
  const emitter = { kind: "component", id: component } as const;
  const servers = new Set(
    [...text.matchAll(/\[instance: ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\]/g)].map(([, id]) => id!),
  );
  const [server] = servers;
  if (server !== undefined && servers.size === 1) {
    return {
      subject: { kind: "server", id: server },
      related: [...host, { role: "reported_by", ref: emitter }],
    };
  }
  const mentioned = [...servers]
    .slice(0, 5)
    .map((id): Related => ({ role: "mentioned", ref: { kind: "server", id } }));
  return { platform: true, subject: emitter, related: [...host, ...mentioned] };
}
