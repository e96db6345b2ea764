import { createHash } from "node:crypto";
import type pg from "pg";
import { entityKey, type EntityRef } from "../../model/entity.ts";
import type { Attribution, EventDraft, TenantEdition } from "../../model/event.ts";
import { tenantKey, type TenantRef } from "../../model/tenant.ts";
import type { Reattribution, ResolvedPage, StatedFact, StorableEvent } from "../event-store.ts";
import type { PlannedEvent } from "./append-plan.ts";
import { searchable, withoutWords } from "./erasure-words.ts";
import { eventId, setAsideId } from "./event-id.ts";
import type { EntityName, Tombstones } from "./retention-tombstones.ts";

/** A page without what was deleted for good. */
export interface Admitted {
  readonly page: ResolvedPage;
  /** Drafts that are gone. */
  readonly refused: ReadonlySet<EventDraft>;
  /** The draft as it came, of those that lost words. */
  readonly originals: ReadonlyMap<EventDraft, EventDraft>;
}

type ErasedUntil = (entity: EntityName) => number | undefined;

/**
 * Leaves out what was deleted for good: records that were, whatever they say by now; events and facts about whom or what
 * was erased, from before the erasure; and a person's or a tenant's part of what is not theirs.
 */
export async function admitPage(
  client: pg.ClientBase,
  tombstones: Tombstones,
  page: ResolvedPage,
): Promise<Admitted> {
  const untouched = { page, refused: new Set<EventDraft>(), originals: new Map<EventDraft, EventDraft>() };
  if (page.events.length + page.facts.length + page.rejects.length === 0) return untouched;
  if (!(await tombstones.any(client))) return untouched;
  const { controlPlane } = page;
  const until = await tombstones.erased(client, [
    ...page.events.flatMap((event) => entitiesOf(controlPlane, event)),
    ...page.facts.flatMap(({ from, to }) => namesOf(controlPlane, from, to)),
  ]);
  const named = page.events.flatMap(({ draft }) => namedBy(page, draft));
  const rejects = page.rejects.flatMap((reject) => rejectNames(page, reject));
  const gone = await tombstones.find(client, [...named, ...rejects]);
  const refused = new Set<EventDraft>();
  const originals = new Map<EventDraft, EventDraft>();
  const hidden = new Set<string>();
  const events = page.events.flatMap((event): StorableEvent[] => {
    const { draft } = event;
    const reasons = namedBy(page, draft).map(gone);
    const isErased = reasons.includes("erased") || isAboutErased(controlPlane, event, until);
    if (isErased) for (const id of draft.sourceIds) hidden.add(id);
    if (isErased || reasons.includes("expired")) {
      refused.add(draft);
      return [];
    }
    const scrubbed = withoutErased(controlPlane, event, until);
    if (scrubbed === undefined) {
      refused.add(draft);
      return [];
    }
    if (scrubbed.draft !== draft) originals.set(scrubbed.draft, draft);
    return [scrubbed];
  });
  const facts = page.facts.filter(
    (fact) => !hidden.has(fact.sourceId) && !isFactErased(controlPlane, fact, until),
  );
  return {
    page: {
      ...page,
      events,
      facts,
      rejects: page.rejects.filter((reject) => !rejectNames(page, reject).some((name) => gone(name))),
    },
    refused,
    originals,
  };
}

/** Answers without those who were erased, and without the parts of tenants whose retention has taken them. */
export async function admitAnswers(
  client: pg.ClientBase,
  tombstones: Tombstones,
  answers: readonly Reattribution[],
): Promise<readonly Reattribution[]> {
  if (answers.length === 0 || !(await tombstones.any(client))) return answers;
  const tenants = answers.flatMap(({ attribution, editions }) => [
    ...tenantsOf(attribution),
    ...editions.map(({ tenant }) => tenant),
  ]);
  const until = await tombstones.erased(
    client,
    tenants.flatMap((tenant) => tenantNames(tenant.controlPlane, tenant)),
  );
  const parts = answers.flatMap(({ eventId: id, editions }) =>
    editions.map(({ tenant }) => ["edition", tenantKey(tenant), id] as const),
  );
  const gone = await tombstones.find(client, parts);
  return answers.map((answer) => {
    const { eventId: id } = answer;
    const kept = withoutErasedTenants(answer, until);
    return {
      ...kept,
      editions: kept.editions.filter(({ tenant }) => gone(["edition", tenantKey(tenant), id]) === undefined),
    };
  });
}

/** A twin's answer without the parts of tenants whose retention has taken them from the event that it joins. */
export async function admitTwins(
  client: pg.ClientBase,
  tombstones: Tombstones,
  events: Iterable<PlannedEvent>,
): Promise<void> {
  const joined = [...events].filter(({ fresh, editions }) => !fresh && editions.length > 0);
  const parts = joined.flatMap(({ row, editions }) =>
    editions.map(({ tenant }) => ["edition", tenantKey(tenant), row.id] as const),
  );
  const gone = await tombstones.find(client, parts);
  for (const event of joined)
    event.editions = event.editions.filter(
      ({ tenant }) => gone(["edition", tenantKey(tenant), event.row.id]) === undefined,
    );
}

/** By its place, and by what it says: a broker delivers it again in another. */
function rejectNames(page: ResolvedPage, { position, bytes }: ResolvedPage["rejects"][number]) {
  return [
    ["set-aside", setAsideId(page.connection, page.stream, position, bytes)] as const,
    ["set-aside-bytes", page.connection, createHash("sha256").update(bytes).digest("hex")] as const,
  ];
}

function namedBy({ connection, stream }: ResolvedPage, { key, sourceIds }: EventDraft) {
  return [
    ["event", eventId(connection, stream, key)] as const,
    ...[...new Set(sourceIds)].map((id) => ["delivery", connection, id, key] as const),
  ];
}

function entitiesOf(controlPlane: string, { draft, attribution, editions }: StorableEvent): EntityName[] {
  return [
    ...namesOf(controlPlane, draft.subject),
    ...saidOf(controlPlane, draft),
    ...[...tenantsOf(attribution), ...editions.map(({ tenant }) => tenant)].flatMap((tenant) =>
      tenantNames(tenant.controlPlane, tenant),
    ),
  ];
}

/** What a draft names beside its subject. */
function saidOf(controlPlane: string, { related, actor, stated }: EventDraft): EntityName[] {
  return [
    ...namesOf(controlPlane, ...related.map(({ ref }) => ref)),
    ...(actor?.userId === undefined ? [] : personNames(actor.userId)),
    ...tenantNames(controlPlane, actor ?? {}),
    ...(stated === undefined ? [] : namesOf(controlPlane, stated.owner)),
  ];
}

function namesOf(controlPlane: string, ...refs: readonly EntityRef[]): EntityName[] {
  return refs.flatMap((ref): EntityName[] => [
    [controlPlane, entityKey(ref)],
    ...(ref.kind === "user" ? personNames(ref.id) : []),
  ]);
}

function personNames(userId: string): EntityName[] {
  return [["", `user:${userId}`]];
}

function tenantNames(
  controlPlane: string,
  { projectId, domainId }: Pick<TenantRef, "projectId" | "domainId">,
): EntityName[] {
  return [
    ...(projectId === undefined ? [] : [[controlPlane, `project:${projectId}`] as const]),
    ...(domainId === undefined ? [] : [[controlPlane, `domain:${domainId}`] as const]),
  ];
}

/** Those whose it is, whom it affects, or whose it may be. */
export function tenantsOf(attribution: Attribution): readonly TenantRef[] {
  switch (attribution.status) {
    case "owned":
      return [attribution.tenant];
    case "shared":
      return attribution.affected.map(({ tenant }) => tenant);
    case "ambiguous":
      return attribution.candidates;
    default:
      return [];
  }
}

function isTenantErased(tenant: TenantRef, at: number, until: ErasedUntil): boolean {
  return tenantNames(tenant.controlPlane, tenant).some(
    (name) => (until(name) ?? Number.NEGATIVE_INFINITY) >= at,
  );
}

function isAboutErased(
  controlPlane: string,
  { draft: { subject, stated, occurredAt }, attribution }: StorableEvent,
  until: ErasedUntil,
): boolean {
  // With what told whose the project is, the proof that it is the owner has gone as well.
  const isOpen = attribution.status === "unresolved" || attribution.status === "ambiguous";
  if (isOpen && stated !== undefined && isOneErased(namesOf(controlPlane, stated.owner), occurredAt, until))
    return true;
  if (attribution.status === "owned" && isTenantErased(attribution.tenant, occurredAt, until)) return true;
  return isOneErased(namesOf(controlPlane, subject), occurredAt, until);
}

function isOneErased(names: readonly EntityName[], at: number, until: ErasedUntil): boolean {
  return names.some((name) => (until(name) ?? Number.NEGATIVE_INFINITY) >= at);
}

function isFactErased(controlPlane: string, { from, to, at }: StatedFact, until: ErasedUntil): boolean {
  return isOneErased(namesOf(controlPlane, from, to), at, until);
}

/** Without the erased among those whom it affects, or who may own it; nobody's where it would be theirs. */
function withoutErasedTenants<
  Part extends {
    readonly occurredAt: number;
    readonly attribution: Attribution;
    readonly editions: readonly TenantEdition[];
    readonly dependsOn: readonly string[];
  },
>(part: Part, until: ErasedUntil): Part {
  const { attribution, occurredAt: at, editions, dependsOn } = part;
  const stays = (tenant: TenantRef): boolean => !isTenantErased(tenant, at, until);
  const told = [...tenantsOf(attribution), ...editions.map(({ tenant }) => tenant)];
  if (told.every(stays)) return part;
  const kept = {
    attribution: leaveTo(attribution, stays),
    editions: editions.filter(({ tenant }) => stays(tenant)),
    dependsOn,
  };
  const lost = told.filter((tenant) => !stays(tenant));
  return { ...part, ...withoutWords(kept, searchable([...thingsOf(attribution, stays), ...idsOf(lost)])) };
}

function leaveTo(attribution: Attribution, stays: (tenant: TenantRef) => boolean): Attribution {
  switch (attribution.status) {
    case "owned":
      return stays(attribution.tenant) ? attribution : { status: "unresolved", evidence: [] };
    case "shared":
      return { ...attribution, affected: attribution.affected.filter(({ tenant }) => stays(tenant)) };
    case "ambiguous":
      return { ...attribution, candidates: attribution.candidates.filter(stays) };
    default:
      return attribution;
  }
}

/** The ids of what is theirs who do not stay. */
function thingsOf(attribution: Attribution, stays: (tenant: TenantRef) => boolean): readonly string[] {
  if (attribution.status !== "shared") return [];
  return attribution.affected.flatMap(({ tenant, resources }) =>
    stays(tenant) ? [] : resources.map(({ id }) => id),
  );
}

/** Of a project its own: its domain is others' too. */
function idsOf(tenants: readonly TenantRef[]): readonly string[] {
  return tenants.flatMap(({ projectId, domainId }) => projectId ?? domainId ?? []);
}

/**
 * An event that stays, without those who were erased: tenants, people and things beside its subject, and what the record
 * calls them; undefined where the very name of the record tells of them.
 */
function withoutErased(
  controlPlane: string,
  event: StorableEvent,
  until: ErasedUntil,
): StorableEvent | undefined {
  const { occurredAt: at, key, sourceIds } = event.draft;
  const { attribution, editions, dependsOn } = withoutErasedTenants({ ...event, occurredAt: at }, until);
  const answered = { ...event, attribution, editions, dependsOn };
  const words = wordsToLose(controlPlane, event, until);
  const { draft: before, ...rest } = answered;
  const { actor, ...others } = before;
  const isActor = actor?.userId !== undefined && isOneErased(personNames(actor.userId), at, until);
  const related = before.related.filter(({ ref }) => !isOneErased(namesOf(controlPlane, ref), at, until));
  if (words.length === 0 && !isActor && related.length === before.related.length) return answered;
  const kept = { ...others, ...(actor === undefined || isActor ? {} : { actor }), related };
  const draft = withoutWords(kept, words);
  if (draft.key !== key || draft.sourceIds.some((id, index) => id !== sourceIds[index])) return undefined;
  return { ...withoutWords(rest, words), draft };
}

/** What the record calls whom and what was erased. */
function wordsToLose(
  controlPlane: string,
  { draft, attribution }: StorableEvent,
  until: ErasedUntil,
): readonly string[] {
  const { actor, related, occurredAt: at } = draft;
  const isErased = (name: EntityName): boolean => isOneErased([name], at, until);
  const isActor = actor?.userId !== undefined && personNames(actor.userId).some(isErased);
  const lost = related.filter(({ ref }) => namesOf(controlPlane, ref).some(isErased));
  const stays = (tenant: TenantRef): boolean => !isTenantErased(tenant, at, until);
  // People's names are short, and stand for nothing else in a record that tells of them.
  const called = [
    ...(isActor ? [actor.userId, actor.userName, actor.address] : []),
    ...lost.flatMap(({ ref, name }) => [...(ref.kind === "user" ? [ref.id] : []), name]),
  ].filter((word): word is string => word !== undefined && word.length > 2);
  const ids = saidOf(controlPlane, draft)
    .filter(isErased)
    .map(([, entity]) => entity.slice(entity.indexOf(":") + 1));
  const told = idsOf(tenantsOf(attribution).filter((tenant) => !stays(tenant)));
  return [...new Set([...called, ...searchable([...ids, ...told, ...thingsOf(attribution, stays)])])];
}
