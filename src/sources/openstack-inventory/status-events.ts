import type { Category, EventDraft, StatedOwner } from "../../model/event.ts";
import type { EntityRef, Related } from "../../model/entity.ts";
import type { Json, JsonObject } from "../../model/json.ts";
import type { Decoders } from "../source.ts";
import type { InventoryRecord } from "./inventory-record.ts";
import { changedAt, regular, stamp, text, words } from "./item.ts";

/** Where a volume, snapshot, backup or image stays until somebody does something with it. */
const settledStatuses: ReadonlySet<string> = new Set([
  "available",
  "in-use",
  "active",
  "deactivated",
  "killed",
  "deleted",
  "error",
]);

/** The statuses on the way to the first settled one. */
const creationStatuses: ReadonlySet<string> = new Set([
  "creating",
  "downloading",
  "queued",
  "saving",
  "importing",
]);

export function isFailed(status: string): boolean {
  return status === "killed" || status.startsWith("error");
}

export function isSettled(status: string): boolean {
  return settledStatuses.has(status) || isFailed(status);
}

/** What a status belongs to, and how its events are named. */
export interface StatusBearer {
  /** What the type begins with: `volume.backup` gives `volume.backup.available`. */
  readonly stem: string;
  readonly thing: string;
  readonly category: Category;
  readonly subject: EntityRef;
  readonly related: readonly Related[];
  readonly stated?: StatedOwner;
  readonly details: JsonObject;
}

/**
 * The arrival at a settled status: an error whenever it is seen, success only where the pass before saw the thing
 * on its way, or where it was made since then; else every metadata update would read as news. The same status
 * with the same time of change has the same key in every pass.
 */
export function readStatus(
  record: InventoryRecord,
  bearer: StatusBearer,
  decode: Decoders,
): readonly EventDraft[] {
  const { item } = record;
  const status = text(item, "status");
  if (status === undefined || !isSettled(status)) return [];
  const before = record.previous?.[0];
  const from = typeof before === "string" ? before : undefined;
  const failed = isFailed(status);
  const made = stamp(item, "created_at", decode);
  const isNew =
    (from !== undefined && creationStatuses.has(from)) ||
    (from === undefined && made !== undefined && record.newSince !== undefined && made.at >= record.newSince);
  if (!failed && !isNew && from === undefined) return [];
  const changed = changedAt(item, decode);
  const marker = isNew && !failed ? "new" : String(changed.at);
  const key = `${bearer.subject.kind}:${bearer.subject.id}:${status}:${marker}`;
  const name = text(item, "name");
  const reason = text(item, "fail_reason");
  return [
    {
      key,
      sourceIds: [key],
      occurredAt: changed.at,
      precision: changed.precision,
      type: `${bearer.stem}.${regular(status)}`,
      kind: failed ? "symptom" : "change",
      category: bearer.category,
      phase: failed ? "error" : "end",
      severity: failed ? "error" : "info",
      visibility: "operational",
      subject: bearer.subject,
      ...(name === undefined ? {} : { subjectName: name }),
      related: bearer.related,
      ...(bearer.stated === undefined ? {} : { stated: bearer.stated }),
      summary: summarise(bearer.thing, name, status, reason),
      details: { seen_by: "polling", ...bearer.details, ...timesOf(item) },
      changes: [{ field: "status", before: from ?? null, after: status }],
    },
  ];
}

function summarise(
  thing: string,
  name: string | undefined,
  status: string,
  reason: string | undefined,
): string {
  const named = name === undefined ? thing : `${thing} ${name}`;
  return `${named}: ${words(status)}${reason === undefined ? "" : ` (${reason})`}`;
}

function timesOf(item: JsonObject): JsonObject {
  const fields: Record<string, Json> = {};
  for (const field of ["created_at", "updated_at", "size", "fail_reason"]) {
    const value = item[field];
    if (value !== undefined && value !== null) fields[field] = value;
  }
  return fields;
}
