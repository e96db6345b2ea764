import type {
  Attribution,
  ResolvedEvent,
  StatedOwner,
  StoredEvent,
  TenantEdition,
} from "../../model/event.ts";
import { severities, type EventDraft } from "../../model/event.ts";
import { entityKey, type EntityRef, type Related } from "../../model/entity.ts";
import { duration, instant, type Instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import { domainKey, tenantKey, type TenantRef } from "../../model/tenant.ts";
import { unprovenReason } from "../../model/unproven.ts";
import type { StorableEvent } from "../event-store.ts";
import type { TenantEvent } from "../event-reader.ts";
import { noticeId } from "./event-id.ts";

const searchCharsMax = 8_192;

/** A row of `event` without the columns that the database fills. Times are milliseconds. */
export interface EventRow {
  id: string;
  connection: string;
  source: string;
  control_plane: string;
  stream: string;
  key: string;
  source_ids: string[];
  occurred_at: number;
  precision_ms: number;
  type: string;
  kind: StoredEvent["kind"];
  category: StoredEvent["category"];
  phase: NonNullable<StoredEvent["phase"]> | null;
  severity: number;
  visibility: StoredEvent["visibility"];
  subject_kind: string;
  subject_id: string;
  subject_name: string | null;
  related: readonly Related[];
  mentions: string[];
  actor: NonNullable<StoredEvent["actor"]> | null;
  operation: NonNullable<StoredEvent["operation"]> | null;
  summary: string;
  details: JsonObject;
  changes: NonNullable<StoredEvent["changes"]> | null;
  platform: boolean | null;
  stated: StatedOwner | null;
  attribution_status: Attribution["status"];
  owner_domain_id: string | null;
  owner_project_id: string | null;
  attribution: Attribution;
  edition_keys: string[];
  edition_ids: string[];
  /** Why no rule proves an owner, as `unprovenReason` words it; null for what is proven. */
  unproven: string | null;
  search: string;
}

/** A row of `tenant_event` without the columns that the database fills. */
export interface EditionRow {
  tenant_key: string;
  id: string;
  occurred_at: number;
  precision_ms: number;
  type: string;
  kind: TenantEdition["kind"];
  category: TenantEdition["category"];
  phase: NonNullable<TenantEdition["phase"]> | null;
  severity: number;
  visibility: TenantEdition["visibility"];
  subject_kind: string;
  subject_id: string;
  subject_name: string | null;
  related: readonly Related[];
  mentions: string[];
  operation: NonNullable<TenantEdition["operation"]> | null;
  domain_id: string | null;
  project_id: string | null;
  /** Of the domain as of the event, whose readers see the edition too. */
  domain_key: string | null;
  notice: boolean;
  because: string;
  summary: string;
  details: JsonObject;
  search: string;
}

export interface Place {
  readonly id: string;
  readonly key: string;
  readonly connection: string;
  readonly source: string;
  readonly controlPlane: string;
  readonly stream: string;
}

export function toEventRow(place: Place, event: ResolvedEvent): EventRow {
  const { draft } = event;
  const row: EventRow = {
    id: place.id,
    connection: place.connection,
    source: place.source,
    control_plane: place.controlPlane,
    stream: place.stream,
    key: place.key,
    source_ids: [...new Set(draft.sourceIds)].sort(),
    occurred_at: draft.occurredAt,
    precision_ms: Math.round(draft.precision),
    type: draft.type,
    kind: draft.kind,
    category: draft.category,
    phase: draft.phase ?? null,
    severity: severities.indexOf(draft.severity),
    visibility: draft.visibility,
    subject_kind: draft.subject.kind,
    subject_id: draft.subject.id,
    subject_name: draft.subjectName ?? null,
    related: draft.related,
    mentions: [],
    actor: draft.actor ?? null,
    operation: draft.operation ?? null,
    summary: draft.summary,
    details: draft.details,
    changes: draft.changes ?? null,
    platform: draft.platform ?? null,
    stated: draft.stated ?? null,
    attribution_status: event.attribution.status,
    owner_domain_id: null,
    owner_project_id: null,
    attribution: event.attribution,
    edition_keys: [],
    edition_ids: [],
    unproven: null,
    search: "",
  };
  setAttribution(row, event.attribution);
  return row;
}

/** Puts an attribution on a row, with the columns that are read off it. */
export function setAttribution(row: EventRow, attribution: Attribution): void {
  const owner = attribution.status === "owned" ? attribution.tenant : undefined;
  row.attribution = attribution;
  row.attribution_status = attribution.status;
  row.owner_domain_id = owner?.domainId ?? null;
  row.owner_project_id = owner?.projectId ?? null;
  row.unproven = unprovenReason(attribution) ?? null;
  refreshDerived(row);
}

/** Sets what is derived from the other columns: whom the event mentions, and the text to search in. */
export function refreshDerived(row: EventRow): void {
  const subject = { kind: row.subject_kind, id: row.subject_id };
  row.mentions = [
    ...new Set([...mentionsOf(subject, row.related, row.operation), ...concerned(row.attribution)]),
  ].sort();
  row.search = searchText([
    row.summary,
    row.subject_name,
    row.subject_id,
    row.type,
    ...row.related.flatMap(({ name, ref }) => [name, ref.id]),
    ...row.source_ids,
    ...Object.values(row.operation ?? {}),
    ...Object.values(row.actor ?? {}),
    row.owner_project_id,
    row.owner_domain_id,
  ]);
}

function mentionsOf(
  subject: EntityRef,
  related: readonly Related[],
  operation: StoredEvent["operation"] | null,
): string[] {
  const requests = [operation?.requestId, operation?.globalRequestId].filter((id) => id !== undefined);
  return [
    entityKey(subject),
    ...related.map(({ ref }) => entityKey(ref)),
    ...requests.map((id) => entityKey({ kind: "request", id })),
  ];
}

/** Spelt so that no resource can have the same key. */
export function concernsProject(projectId: string): string {
  return `tenant/project:${projectId}`;
}

export function concernsDomain(domainId: string): string {
  return `tenant/domain:${domainId}`;
}

/** The keys of those whose event it is, or whom it affects. */
export function concerned(attribution: Attribution): string[] {
  const tenants: readonly TenantRef[] =
    attribution.status === "owned"
      ? [attribution.tenant]
      : attribution.status === "shared"
        ? attribution.affected.map(({ tenant }) => tenant)
        : attribution.status === "provider" && attribution.own !== undefined
          ? [attribution.own]
          : [];
  return tenants.flatMap((tenant) => [
    ...(tenant.projectId === undefined ? [] : [concernsProject(tenant.projectId)]),
    ...(tenant.domainId === undefined ? [] : [concernsDomain(tenant.domainId)]),
  ]);
}

function searchText(words: readonly (string | null | undefined)[]): string {
  const present = new Set(words.filter((word) => word !== null && word !== undefined && word !== ""));
  return toWellFormedPrefix([...present].join("\n").toLowerCase());
}

/** Cut without leaving half of a surrogate pair, which PostgreSQL would refuse. */
function toWellFormedPrefix(text: string): string {
  return text.slice(0, searchCharsMax).toWellFormed();
}

/** The rows of an event's editions; a tenant's login reads these and nothing else. */
export function toEditionRows(
  secret: Uint8Array,
  row: Pick<EventRow, "id" | "occurred_at" | "precision_ms">,
  editions: StorableEvent["editions"],
): EditionRow[] {
  const rows = new Map<string, EditionRow>();
  for (const edition of editions) {
    const key = tenantKey(edition.tenant);
    if (rows.has(key) && edition.notice) continue;
    rows.set(key, toEditionRow(secret, key, row, edition));
  }
  return [...rows.values()];
}

/** Sets what is derived from an edition's other columns, as `refreshDerived` does for an event's. */
export function refreshEdition(row: EditionRow): void {
  const subject = { kind: row.subject_kind, id: row.subject_id };
  row.mentions = [...new Set(mentionsOf(subject, row.related, row.operation))].sort();
  row.search = searchText([
    row.summary,
    row.subject_name,
    row.subject_id,
    row.type,
    ...row.related.flatMap(({ name, ref }) => [name, ref.id]),
    ...Object.values(row.operation ?? {}),
  ]);
}

function toEditionRow(
  secret: Uint8Array,
  key: string,
  row: Pick<EventRow, "id" | "occurred_at" | "precision_ms">,
  edition: TenantEdition,
): EditionRow {
  const { controlPlane, domainId } = edition.tenant;
  const made: EditionRow = {
    tenant_key: key,
    id: edition.notice ? noticeId(secret, row.id, key) : row.id,
    occurred_at: row.occurred_at,
    precision_ms: row.precision_ms,
    type: edition.type,
    kind: edition.kind,
    category: edition.category,
    phase: edition.phase ?? null,
    severity: severities.indexOf(edition.severity),
    visibility: edition.visibility,
    subject_kind: edition.subject.kind,
    subject_id: edition.subject.id,
    subject_name: edition.subjectName ?? null,
    related: edition.related,
    mentions: [],
    operation: edition.operation ?? null,
    domain_id: edition.tenant.domainId ?? null,
    project_id: edition.tenant.projectId ?? null,
    domain_key: domainId === undefined ? null : domainKey(controlPlane, domainId),
    notice: edition.notice,
    because: edition.because,
    summary: edition.summary,
    details: edition.details,
    search: "",
  };
  refreshEdition(made);
  return made;
}

export function toStoredEvent(row: EventRow & { recorded_at: number }): StoredEvent {
  return {
    id: row.id,
    connection: row.connection,
    source: row.source,
    controlPlane: row.control_plane,
    recordedAt: instant(row.recorded_at),
    attribution: row.attribution,
    ...toDraft(row),
  };
}

function toDraft(row: EventRow): Omit<EventDraft, "twin"> {
  return {
    key: row.key,
    sourceIds: row.source_ids,
    occurredAt: instant(row.occurred_at),
    precision: duration(row.precision_ms),
    type: row.type,
    kind: row.kind,
    category: row.category,
    ...(row.phase === null ? {} : { phase: row.phase }),
    severity: severities[row.severity] ?? "info",
    visibility: row.visibility,
    subject: { kind: row.subject_kind, id: row.subject_id },
    ...(row.subject_name === null ? {} : { subjectName: row.subject_name }),
    related: row.related,
    ...(row.actor === null ? {} : { actor: row.actor }),
    ...(row.operation === null ? {} : { operation: row.operation }),
    ...(row.stated === null ? {} : { stated: row.stated }),
    ...(row.platform === null ? {} : { platform: row.platform }),
    summary: row.summary,
    details: row.details,
    ...(row.changes === null ? {} : { changes: row.changes }),
  };
}

/** The control plane that a tenant key names. */
export function controlPlaneOf(tenantKey: string): string {
  return tenantKey.slice(tenantKey.indexOf("/") + 1, tenantKey.lastIndexOf("/"));
}

export function toTenantEvent(row: EditionRow & { recorded_at: number }): TenantEvent {
  const at: Instant = instant(row.occurred_at);
  return {
    id: row.id,
    notice: row.notice,
    occurredAt: at,
    recordedAt: instant(row.recorded_at),
    precision: duration(row.precision_ms),
    type: row.type,
    kind: row.kind,
    category: row.category,
    ...(row.phase === null ? {} : { phase: row.phase }),
    severity: severities[row.severity] ?? "info",
    subject: { kind: row.subject_kind, id: row.subject_id },
    ...(row.subject_name === null ? {} : { subjectName: row.subject_name }),
    related: row.related,
    ...(row.operation === null ? {} : { operation: row.operation }),
    tenant: {
      controlPlane: controlPlaneOf(row.tenant_key),
      ...(row.domain_id === null ? {} : { domainId: row.domain_id }),
      ...(row.project_id === null ? {} : { projectId: row.project_id }),
    },
    because: row.because,
    summary: row.summary,
    details: row.details,
  };
}
