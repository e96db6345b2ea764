import { entityKey, type EntityRef } from "../../model/entity.ts";
import type { AffectedTenant, Attribution, EventDraft, StoredEvent } from "../../model/event.ts";
import { duration, instant } from "../../model/instant.ts";
import { tenantKey } from "../../model/tenant.ts";
import { isRuled } from "../../model/unproven.ts";
import type { StorableEvent } from "../event-store.ts";
import { canonical, compareText, contentHash } from "./canonical.ts";
import { eventId, noticeId } from "./event-id.ts";
import {
  refreshDerived,
  refreshEdition,
  toEditionRows,
  toEventRow,
  type EditionRow,
  type EventRow,
  type Place,
} from "./event-row.ts";
import { iso } from "./event-writes.ts";
import {
  sampledSubjects,
  tellStorm,
  toStormDetails,
  type CountedWords,
  type StormSample,
  type StormState,
} from "./storm-state.ts";

const minuteMs = 60_000;

/** How many of a tenant's resources a shared fold names beside it; the members name them all. */
const resourcesMax = 20;

/** A row of `storm_member`. Times are milliseconds. */
export interface StormMemberRow {
  readonly id: string;
  readonly fold_id: string;
  readonly connection: string;
  readonly source: string;
  readonly control_plane: string;
  readonly stream: string;
  readonly key: string;
  readonly occurred_at: number;
  readonly subject_key: string;
  readonly draft: EventDraft;
  readonly attribution: Attribution;
  readonly edition_keys: readonly string[];
  readonly edition_ids: readonly string[];
}

/** A row of `storm_member_edition`. */
export interface StormEditionRow {
  readonly tenant_key: string;
  readonly domain_key: string | null;
  readonly id: string;
  readonly event_id: string;
  readonly occurred_at: number;
  readonly visibility: string;
  readonly subject_key: string;
  readonly edition: Omit<EditionRow, "search" | "mentions">;
}

export interface StormMember {
  readonly row: StormMemberRow;
  readonly editions: readonly StormEditionRow[];
}

/** The minute that a moment lies in, which is when its fold is said to have occurred. */
export function stormMinute(at: number): number {
  return Math.floor(at / minuteMs) * minuteMs;
}

/**
 * Names the fold that an event belongs to: the same for every process, page and redelivery. All that an edition is
 * made from by class is part of the name, so that the members of a fold differ in their subjects, words and times only.
 */
function stormKey(draft: EventDraft, attribution: Attribution): string {
  const minute = stormMinute(draft.occurredAt);
  const group = contentHash(groupOf(draft, attribution)).toString("hex").slice(0, 32);
  return `storm/${iso(minute)}/${group}`;
}

function groupOf(draft: EventDraft, attribution: Attribution): readonly unknown[] {
  return [
    draft.type,
    draft.kind,
    draft.category,
    draft.phase ?? null,
    draft.severity,
    draft.visibility,
    ownerKey(attribution),
  ];
}

function nameFold(
  { connection, stream }: Place,
  draft: EventDraft,
  attribution: Attribution,
  names: Map<string, string>,
): string {
  const group = [connection, stream, stormMinute(draft.occurredAt), ...groupOf(draft, attribution)];
  return once(names, JSON.stringify(group), () => eventId(connection, stream, stormKey(draft, attribution)));
}

function once(made: Map<string, string>, name: string, make: () => string): string {
  let value = made.get(name);
  if (value === undefined) made.set(name, (value = make()));
  return value;
}

function ownerKey(attribution: Attribution): unknown {
  switch (attribution.status) {
    case "owned":
      return ["owned", attribution.tenant, ...ruledOf(attribution)];
    case "provider":
      return ["provider", attribution.own ?? null, ...ruledOf(attribution)];
    case "ambiguous":
      return ["ambiguous", attribution.candidates.map(canonical).sort()];
    default:
      return [attribution.status];
  }
}

/** What rests on an operator's word is found by its fold, so it stands in none of proven ones. */
function ruledOf(attribution: Attribution): readonly unknown[] {
  return isRuled(attribution) ? ["ruled"] : [];
}

/**
 * A member and its editions as they are stored; `place` is that of the event that it would have been. `names` is what
 * the members of one page share: their folds are few, and each is named once.
 */
export function toStormMember(
  secret: Uint8Array,
  place: Place,
  event: StorableEvent,
  names: Map<string, string> = new Map(),
): StormMember {
  const { draft, attribution } = event;
  const foldId = nameFold(place, draft, attribution, names);
  const at = { id: place.id, occurred_at: draft.occurredAt, precision_ms: Math.round(draft.precision) };
  const editions = toEditionRows(secret, at, event.editions).map((edition): StormEditionRow => {
    const { search: _search, mentions: _mentions, ...shown } = edition;
    return {
      tenant_key: edition.tenant_key,
      domain_key: edition.domain_key,
      id: edition.id,
      // The fold's own id is a hash of few words, some of them the provider's: whoever guessed them could tell.
      event_id: once(names, `${foldId}\n${edition.tenant_key}`, () =>
        noticeId(secret, foldId, edition.tenant_key),
      ),
      occurred_at: edition.occurred_at,
      visibility: edition.visibility,
      subject_key: entityKey({ kind: edition.subject_kind, id: edition.subject_id }),
      edition: shown,
    };
  });
  const { twin: _twin, ...kept } = draft;
  const row: StormMemberRow = {
    id: place.id,
    fold_id: foldId,
    connection: place.connection,
    source: place.source,
    control_plane: place.controlPlane,
    stream: place.stream,
    key: place.key,
    occurred_at: draft.occurredAt,
    subject_key: entityKey(draft.subject),
    draft: kept,
    attribution,
    edition_keys: editions.map(({ tenant_key }) => tenant_key),
    edition_ids: editions.map(({ id }) => id),
  };
  return { row, editions };
}

/** A member as the event that it would have been. */
export function toStoredMember(row: StormMemberRow & { readonly recorded_at: number }): StoredEvent {
  return {
    ...row.draft,
    id: row.id,
    connection: row.connection,
    source: row.source,
    controlPlane: row.control_plane,
    recordedAt: instant(row.recorded_at),
    attribution: row.attribution,
  };
}

export function sampleOf({ id, occurred_at, draft }: StormMemberRow): StormSample {
  return {
    id,
    at: occurred_at,
    subject: draft.subject,
    ...(draft.subjectName === undefined ? {} : { name: draft.subjectName }),
    summary: draft.summary,
  };
}

export function sampleOfEdition({ id, occurred_at, edition }: StormEditionRow): StormSample {
  return {
    id,
    at: occurred_at,
    subject: { kind: edition.subject_kind, id: edition.subject_id },
    ...(edition.subject_name === null ? {} : { name: edition.subject_name }),
    summary: edition.summary,
  };
}

/** The fold's event: classes from any of its members, owner and evidence from the earliest, the rest from the state. */
export function toFoldRow(
  member: StormMemberRow,
  attribution: Attribution,
  state: StormState,
  editions: readonly { readonly key: string; readonly id: string }[],
): EventRow {
  const { draft } = member;
  const sampled = sampledSubjects(state);
  const key = stormKey(draft, member.attribution);
  const minute = stormMinute(member.occurred_at);
  const [only] = sampled;
  const one = state.subjects === 1 ? only : undefined;
  const fold: EventDraft = {
    key,
    sourceIds: [key],
    occurredAt: instant(minute),
    precision: duration(minuteMs),
    type: draft.type,
    kind: draft.kind,
    category: draft.category,
    ...(draft.phase === undefined ? {} : { phase: draft.phase }),
    severity: draft.severity,
    visibility: draft.visibility,
    subject: one?.ref ?? ownerEntity(attribution) ?? { kind: "component", id: member.connection },
    ...(one?.name === undefined ? {} : { subjectName: one.name }),
    related: one === undefined ? sampled.map((sample) => ({ role: "sample", ...sample })) : [],
    summary: `${titleOf(draft)}: ${tellStorm(state, countedOf(draft))}`,
    details: toStormDetails(state),
  };
  const place = {
    id: member.fold_id,
    key,
    connection: member.connection,
    source: member.source,
    controlPlane: member.control_plane,
    stream: member.stream,
  };
  const row = toEventRow(place, { draft: fold, attribution, dependsOn: [] });
  const sorted = editions.toSorted((a, b) => compareText(a.key, b.key));
  row.edition_keys = sorted.map((edition) => edition.key);
  row.edition_ids = sorted.map((edition) => edition.id);
  refreshDerived(row);
  return row;
}

function ownerEntity(attribution: Attribution): EntityRef | undefined {
  const tenant =
    attribution.status === "owned"
      ? attribution.tenant
      : attribution.status === "provider"
        ? attribution.own
        : undefined;
  if (tenant?.projectId !== undefined) return { kind: "project", id: tenant.projectId };
  return tenant?.domainId === undefined ? undefined : { kind: "domain", id: tenant.domainId };
}

function titleOf({ type }: EventDraft): string {
  return type.startsWith("alert.") ? type.slice("alert.".length).replace(/\.(firing|resolved)$/, "") : type;
}

function countedOf({ type, kind }: EventDraft): CountedWords {
  if (type.endsWith(".resolved") && type.startsWith("alert.")) return ["alert resolved", "alerts resolved"];
  if (type.startsWith("alert.")) return ["alert", "alerts"];
  const words: Readonly<Record<EventDraft["kind"], CountedWords>> = {
    symptom: ["symptom", "symptoms"],
    recovery: ["recovery", "recoveries"],
    activity: ["event", "events"],
    change: ["change", "changes"],
    human: ["act", "acts"],
  };
  return words[kind];
}

/** What one tenant sees of the fold: made of its own members' editions alone, numbers too. */
export function toFoldEdition(member: StormEditionRow, state: StormState): EditionRow {
  const { edition } = member;
  const sampled = sampledSubjects(state);
  const [only] = sampled;
  const one = state.subjects === 1 ? only : undefined;
  const owner: EntityRef =
    edition.project_id === null
      ? { kind: "domain", id: edition.domain_id ?? "" }
      : { kind: "project", id: edition.project_id };
  const subject = one?.ref ?? owner;
  const row: EditionRow = {
    ...edition,
    id: member.event_id,
    occurred_at: stormMinute(member.occurred_at),
    precision_ms: minuteMs,
    subject_kind: subject.kind,
    subject_id: subject.id,
    subject_name: one?.name ?? null,
    related:
      one === undefined
        ? sampled.map(({ ref }) => ({ role: edition.notice ? "affected" : "sample", ref }))
        : [],
    operation: null,
    because: becauseOf(edition, state),
    summary: `${tenantTitle(edition)}: ${tellStorm(state, ["time", "times"])}`,
    details: toStormDetails(state),
    mentions: [],
    search: "",
  };
  refreshEdition(row);
  return row;
}

function becauseOf({ notice }: StormEditionRow["edition"], { subjects }: StormState): string {
  const what = subjects === 1 ? "a resource of yours" : `${subjects} resources of yours`;
  return notice
    ? `Shown because ${what} stood on the parts of the platform that this was about.`
    : `Shown because it is about ${what}.`;
}

function tenantTitle({ type, notice, category, kind }: StormEditionRow["edition"]): string {
  if (notice) return `Platform ${type.replace(/^platform\./, "")}`;
  if (type === "alert.firing") return "A monitoring alert began";
  if (type === "alert.resolved") return "A monitoring alert ended";
  return type === `${category}.${kind}` ? `${category} ${kind}` : type;
}

/** The earliest member's answer; of shared members the tenants are united, each with its first resources by name. */
export function foldAttribution(
  earliest: Attribution,
  others: readonly (readonly AffectedTenant[])[],
): Attribution {
  if (earliest.status !== "shared") return earliest;
  const united = new Map<string, { tenant: AffectedTenant["tenant"]; resources: Map<string, EntityRef> }>();
  for (const { tenant, resources } of [earliest.affected, ...others].flat()) {
    const key = canonical([tenantKey(tenant), tenant]);
    const known = united.get(key) ?? { tenant, resources: new Map<string, EntityRef>() };
    for (const ref of resources) known.resources.set(entityKey(ref), ref);
    united.set(key, known);
  }
  const affected = [...united.entries()]
    .sort(([a], [b]) => compareText(a, b))
    .map(([, { tenant, resources }]) => ({
      tenant,
      resources: [...resources.entries()]
        .sort(([a], [b]) => compareText(a, b))
        .slice(0, resourcesMax)
        .map(([, ref]) => ref),
    }));
  return { ...earliest, affected };
}
