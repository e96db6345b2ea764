import type { EntityRef, Related } from "../../model/entity.ts";
import type { Category, EventDraft, EventKind, FieldChange, Severity } from "../../model/event.ts";
import { duration, formatInstant, instant } from "../../model/instant.ts";
import type { Instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Decoders } from "../source.ts";
import type { Health } from "./health.ts";
import { unpackHealth } from "./health.ts";
import type { InventoryRecord } from "./inventory-record.ts";

/** A service, agent or hypervisor of the provider's, with its health. */
export interface Bearer {
  /** What the types begin with: `compute.service` gives `compute.service.down`. */
  readonly stem: string;
  /** Its own id in its service, for keys. */
  readonly id: string;
  /** For people: `nova-compute on compute-02`. */
  readonly label: string;
  readonly category: Category;
  readonly subject: EntityRef;
  readonly subjectName?: string;
  readonly related: readonly Related[];
  readonly health: Health;
  readonly downSeverity: Severity;
  /** Whether operators' writes move the heartbeat, as they do in Nova's `updated_at`. */
  readonly writesMoveHeartbeat: boolean;
  /** When the process last started, where it says so. */
  readonly startedAt?: Instant;
  readonly details: JsonObject;
}

/** When something happened, as well as two looks at it can tell. */
interface Span {
  readonly at: Instant;
  readonly notBefore?: Instant;
  readonly notAfter: Instant;
}

/** What changed since the pass before; at first sight only that something is down. */
export function readHealth(record: InventoryRecord, bearer: Bearer, decode: Decoders): readonly EventDraft[] {
  if (record.reportedElsewhere === true) return [];
  const now = bearer.health;
  const before = record.previous === undefined ? undefined : unpackHealth(record.previous);
  const beatAt = now.heartbeat === undefined ? undefined : decode.time(now.heartbeat, { naive: "utc" });
  const events: EventDraft[] = [];
  if (before !== undefined && before.forcedDown !== now.forcedDown) {
    events.push(makeAdminEvent(record, bearer, now.forcedDown ? "forced_down" : "force_lifted", beatAt));
  }
  if (before !== undefined && before.status !== now.status) {
    events.push(makeAdminEvent(record, bearer, now.status, beatAt));
  }
  if (now.state === "down" && before?.state !== "down")
    events.push(makeDown(record, bearer, before, beatAt, decode));
  if (now.state === "up" && before?.state === "down") events.push(makeUp(record, bearer, before, beatAt));
  return events;
}

/** The event that something registered with its service is no longer there. */
export function readRemoval(record: InventoryRecord, bearer: Omit<Bearer, "health">): readonly EventDraft[] {
  const span: Span = {
    at: record.previousSeenAt ?? record.seenAt,
    notAfter: record.seenAt,
    ...(record.previousSeenAt === undefined ? {} : { notBefore: record.previousSeenAt }),
  };
  return [
    makeEvent(bearer, span, {
      name: "removed",
      marker: String(record.previousSeenAt ?? record.seenAt),
      kind: "change",
      severity: "warning",
      summary: `${bearer.label} is no longer registered`,
      details: {},
      changes: [{ field: "registered", before: true, after: false }],
    }),
  ];
}

/**
 * Down: the truth lies after the last heartbeat, which is therefore the event's time, and before it was seen. Where
 * an operator has since written to the record (disabled it, forced it down), Nova's `updated_at` is the time of that
 * write instead: the failure may lie between the last heartbeat that was seen while it was up, and the write.
 */
function makeDown(
  record: InventoryRecord,
  bearer: Bearer,
  before: Health | undefined,
  beatAt: Instant | undefined,
  decode: Decoders,
): EventDraft {
  const { health } = bearer;
  const written =
    bearer.writesMoveHeartbeat && (health.forcedDown || health.status !== (before?.status ?? "enabled"));
  const lastUp =
    before?.heartbeat === undefined ? record.previousSeenAt : decode.time(before.heartbeat, { naive: "utc" });
  const notBefore = written || beatAt === undefined ? lastUp : beatAt;
  const at = beatAt ?? notBefore ?? record.seenAt;
  const span: Span = { at, notAfter: record.seenAt, ...(notBefore === undefined ? {} : { notBefore }) };
  const why = health.forcedDown ? "declared down" : "no sign of life";
  const reason = health.reason === undefined ? "" : ` (${health.reason})`;
  return makeEvent(bearer, span, {
    name: "down",
    marker: String(beatAt ?? record.previousSeenAt ?? record.seenAt),
    kind: "symptom",
    severity: bearer.downSeverity,
    summary: `${bearer.label} is down: ${why}${reason}`,
    details: {
      ...healthDetails(bearer),
      time_is: written
        ? "the record's last write, by an operator"
        : beatAt === undefined
          ? "the last look before"
          : "the last heartbeat",
    },
    changes: [{ field: "state", before: before?.state ?? null, after: "down" }],
  });
}

/** Up again: after it was last seen down, and not after its newest heartbeat; a start in between says exactly when. */
function makeUp(
  record: InventoryRecord,
  bearer: Bearer,
  before: Health,
  beatAt: Instant | undefined,
): EventDraft {
  const notBefore = record.previousSeenAt ?? record.seenAt;
  const notAfter = beatAt !== undefined && beatAt > notBefore ? beatAt : record.seenAt;
  const { startedAt } = bearer;
  const known = startedAt !== undefined && startedAt > notBefore && startedAt <= notAfter;
  const span: Span = known
    ? { at: startedAt, notBefore: startedAt, notAfter: instant(startedAt + 1000) }
    : { at: notBefore, notBefore, notAfter };
  return makeEvent(bearer, span, {
    name: "up",
    marker: `after:${before.downSince ?? notBefore}`,
    kind: "recovery",
    severity: "info",
    summary: `${bearer.label} is up again`,
    details: { ...healthDetails(bearer), time_is: known ? "its start" : "when it was last seen down" },
    changes: [{ field: "state", before: "down", after: "up" }],
  });
}

/**
 * An operator's write lies between two looks. It cannot lie after the record's own last write, and of something
 * that gives no heartbeat any more the last write is the best guess.
 */
function makeAdminEvent(
  record: InventoryRecord,
  bearer: Bearer,
  name: "disabled" | "enabled" | "forced_down" | "force_lifted",
  beatAt: Instant | undefined,
): EventDraft {
  const notBefore = record.previousSeenAt ?? record.seenAt;
  const bounded = bearer.writesMoveHeartbeat && beatAt !== undefined && beatAt > notBefore;
  const silent = bounded && bearer.health.state === "down";
  const reason = bearer.health.reason === undefined ? "" : ` (${bearer.health.reason})`;
  const forced = name === "forced_down" || name === "force_lifted";
  const on = name === "forced_down" || name === "disabled";
  return makeEvent(
    bearer,
    { at: silent ? beatAt : notBefore, notBefore, notAfter: bounded ? beatAt : record.seenAt },
    {
      name,
      marker: String(notBefore),
      kind: "change",
      severity: on ? "warning" : "info",
      summary: `${bearer.label}: ${name.replaceAll("_", " ")}${on ? reason : ""}`,
      details: healthDetails(bearer),
      changes: [
        forced
          ? { field: "forced_down", before: !on, after: on }
          : { field: "status", before: on ? "enabled" : "disabled", after: name },
      ],
    },
  );
}

interface Said {
  readonly name: string;
  readonly marker: string;
  readonly kind: EventKind;
  readonly severity: Severity;
  readonly summary: string;
  readonly details: JsonObject;
  readonly changes: readonly FieldChange[];
}

function makeEvent(bearer: Omit<Bearer, "health">, span: Span, said: Said): EventDraft {
  const key = `${bearer.stem}:${bearer.id}:${said.name}:${said.marker}`;
  return {
    key,
    sourceIds: [key],
    occurredAt: span.at,
    precision: duration(Math.max(0, span.notAfter - (span.notBefore ?? span.at))),
    type: `${bearer.stem}.${said.name}`,
    kind: said.kind,
    category: bearer.category,
    severity: said.severity,
    visibility: "provider",
    subject: bearer.subject,
    ...(bearer.subjectName === undefined ? {} : { subjectName: bearer.subjectName }),
    related: bearer.related,
    platform: true,
    summary: said.summary,
    details: {
      seen_by: "polling",
      ...bearer.details,
      ...said.details,
      ...(span.notBefore === undefined ? {} : { not_before: formatInstant(span.notBefore) }),
      not_after: formatInstant(span.notAfter),
    },
    changes: said.changes,
  };
}

function healthDetails({ health, writesMoveHeartbeat }: Bearer): JsonObject {
  const sign = writesMoveHeartbeat ? "updated_at" : "last_heartbeat";
  return {
    status: health.status,
    forced_down: health.forcedDown,
    ...(health.reason === undefined ? {} : { disabled_reason: health.reason }),
    ...(health.heartbeat === undefined ? {} : { [sign]: health.heartbeat }),
  };
}
