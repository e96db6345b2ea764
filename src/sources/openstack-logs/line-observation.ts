import { createHash } from "node:crypto";
import type { Related } from "../../model/entity.ts";
import { entityKey } from "../../model/entity.ts";
import type { Category, EventDraft, EventKind, Observation, Severity } from "../../model/event.ts";
import { regularizeEventType } from "../../model/event-type.ts";
import type { JsonObject } from "../../model/json.ts";
import type { RawRecord } from "../source.ts";
import { factsOfLine } from "./line-facts.ts";
import type { LineContent } from "./line-content.ts";
import { readContent } from "./line-content.ts";
import type { LogLine } from "./log-line.ts";

const categoryOf: Readonly<Record<string, Category>> = {
  nova: "lifecycle",
  cinder: "storage",
  manila: "storage",
  swift: "storage",
  neutron: "network",
  octavia: "network",
  designate: "network",
  glance: "image",
  keystone: "auth",
  barbican: "auth",
  heat: "provisioning",
  magnum: "provisioning",
  trove: "provisioning",
};

/** What one line tells: always one event, and the facts that it proves. */
export function observeLine(line: LogLine, record: RawRecord): Observation {
  const content = readContent(line);
  const repeat = record.meta["repeat"];
  const key = createHash("sha256")
    .update(record.bytes)
    // The same line again within one file or delivery happened again.
    .update(typeof repeat === "number" ? `\n#${repeat}` : "")
    .digest("hex");
  const level = levelOf(line);
  const draft: EventDraft = {
    key,
    sourceIds: [key],
    occurredAt: line.time.at,
    precision: line.time.precision,
    type: regularizeEventType(`log.${content.service.replaceAll(".", "_")}.${stepOf(content, level.word)}`),
    kind: level.kind,
    category: categoryOf[content.service] ?? "platform",
    severity: level.severity,
    // Lines name hosts, addresses and staff, whatever they are about.
    visibility: "provider",
    subject: content.subject,
    related: relatedOf(line, content),
    ...actorOf(line),
    ...operationOf(line),
    ...(content.platform && { platform: true }),
    summary: line.message.trim().slice(0, 500) || `${content.service} wrote an empty line`,
    details: detailsOf(line, content),
  };
  return { events: [draft], facts: factsOfLine(line, content) };
}

function relatedOf(line: LogLine, content: LineContent): readonly Related[] {
  const caller: readonly Related[] = content.isOfRequest
    ? [{ role: "caller", ref: { kind: "user", id: line.userId! } }]
    : [];
  const mentioned = content.things
    .filter((ref) => entityKey(ref) !== entityKey(content.subject))
    .map((ref): Related => ({ role: "mentioned", ref }));
  // A name in a request's path is a word of the caller's; its subject is the request, which has an id.
  const named: readonly Related[] = content.isOfRequest
    ? (content.request?.names ?? []).map(({ name }) => ({ role: "named", ref: { kind: "name", id: name } }))
    : [];
  const within: readonly Related[] =
    line.requestId !== undefined && !content.isOfRequest && content.aliases.length > 0
      ? [{ role: "within", ref: { kind: "request", id: line.requestId } }]
      : [];
  const host: readonly Related[] =
    line.host !== undefined && line.host.length <= 255
      ? [{ role: "host", ref: { kind: "host", id: line.host } }]
      : [];
  return [...caller, ...mentioned, ...content.aliases, ...named, ...within, ...host];
}

function actorOf({ userId, userName, projectId }: LogLine): Pick<EventDraft, "actor"> {
  if (userId === undefined && userName === undefined && projectId === undefined) return {};
  return {
    actor: {
      ...(userId !== undefined && { userId }),
      ...(userName !== undefined && { userName }),
      ...(projectId !== undefined && { projectId }),
    },
  };
}

function operationOf({ requestId, globalRequestId }: LogLine): Pick<EventDraft, "operation"> {
  if (requestId === undefined && globalRequestId === undefined) return {};
  return {
    operation: {
      ...(requestId !== undefined && { requestId }),
      ...(globalRequestId !== undefined && { globalRequestId }),
    },
  };
}

/** What the line's level makes of it; an unknown level is no alarm. A traceback hurts at any level. */
function levelOf({ level, traceback, message }: LogLine): {
  readonly word: string;
  readonly kind: EventKind;
  readonly severity: Severity;
} {
  const word = level.toLowerCase() || "unspecified";
  const failed = /^Traceback \(most recent call last\)/m.test(`${message}\n${traceback ?? ""}`);
  if (/^(?:critical|fatal)$/.test(word)) return { word: "critical", kind: "symptom", severity: "critical" };
  if (word === "error") return { word, kind: "symptom", severity: "error" };
  const isWarning = word === "warning" || word === "warn";
  if (failed) return { word: isWarning ? "warning" : word, kind: "symptom", severity: "error" };
  return isWarning
    ? { word: "warning", kind: "activity", severity: "warning" }
    : { word: /^[a-z]{1,16}$/.test(word) ? word : "unspecified", kind: "activity", severity: "info" };
}

/** Calls that an API answered are told apart from what services say of their work. */
function stepOf({ request }: LineContent, level: string): string {
  return request !== undefined && level === "info" ? "request" : level;
}

function detailsOf(line: LogLine, { request }: LineContent): JsonObject {
  return {
    message: line.message,
    ...(line.traceback !== undefined && { traceback: line.traceback }),
    ...(line.level !== "" && { level: line.level }),
    ...(line.logger !== undefined && { logger: line.logger }),
    ...(line.program !== undefined && { program: line.program }),
    ...(line.processId !== undefined && { process_id: line.processId }),
    ...(line.host !== undefined && { host: line.host }),
    ...(line.region !== undefined && { region: line.region }),
    ...(request !== undefined && { method: request.method, path: request.path }),
    ...(request?.status !== undefined && { http_status: request.status }),
    ...(line.time.ambiguous && { time_ambiguous: true }),
  };
}
