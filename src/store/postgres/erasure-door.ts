import type pg from "pg";
import { entityKey, type EntityRef } from "../../model/entity.ts";
import type { Attribution, EventDraft, TenantEdition } from "../../model/event.ts";
import { tenantKey, type TenantRef } from "../../model/tenant.ts";
import type { Reattribution, ResolvedPage, StatedFact, StorableEvent } from "../event-store.ts";
import { withoutWords } from "./erasure-words.ts";
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
  const rejects = page.rejects.map((reject) => ["set-aside", rejectId(page, reject)] as const);
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
    const scrubbed = withoutPerson(withoutErased(controlPlane, event, draft.occurredAt, until), until);
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
      rejects: page.rejects.filter((reject) => gone(["set-aside", rejectId(page, reject)]) === undefined),
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
    const { eventId: id, occurredAt } = answer;
    const kept = withoutErased(undefined, answer, occurredAt, until);
    return {
      ...kept,
      editions: kept.editions.filter(({ tenant }) => gone(["edition", tenantKey(tenant), id]) === undefined),
    };
  });
}

function rejectId(page: ResolvedPage, { position, bytes }: ResolvedPage["rejects"][number]): string {
  return setAsideId(page.connection, page.stream, position, bytes);
}

function namedBy({ connection, stream }: ResolvedPage, { key, sourceIds }: EventDraft) {
  return [
    ["event", eventId(connection, stream, key)] as const,
    ...[...new Set(sourceIds)].map((id) => ["delivery", connection, id, key] as const),
  ];
}

function entitiesOf(controlPlane: string, { draft, attribution, editions }: StorableEvent): EntityName[] {
  const { subject, related, actor } = draft;
  return [
    ...namesOf(controlPlane, subject, ...related.map(({ ref }) => ref)),
    ...(actor?.userId === undefined ? [] : personNames(actor.userId)),
    ...[...tenantsOf(attribution), ...editions.map(({ tenant }) => tenant)].flatMap((tenant) =>
      tenantNames(tenant.controlPlane, tenant),
    ),
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

function tenantNames(controlPlane: string, { projectId, domainId }: TenantRef): EntityName[] {
  return [
    ...(projectId === undefined ? [] : [[controlPlane, `project:${projectId}`] as const]),
    ...(domainId === undefined ? [] : [[controlPlane, `domain:${domainId}`] as const]),
  ];
}

function tenantsOf(attribution: Attribution): readonly TenantRef[] {
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
  { draft: { subject, occurredAt }, attribution }: StorableEvent,
  until: ErasedUntil,
): boolean {
  if (attribution.status === "owned" && isTenantErased(attribution.tenant, occurredAt, until)) return true;
  return isOneErased(namesOf(controlPlane, subject), occurredAt, until);
}

function isOneErased(names: readonly EntityName[], at: number, until: ErasedUntil): boolean {
  return names.some((name) => (until(name) ?? Number.NEGATIVE_INFINITY) >= at);
}

function isFactErased(controlPlane: string, { from, to, at }: StatedFact, until: ErasedUntil): boolean {
  return isOneErased(namesOf(controlPlane, from, to), at, until);
}

/** Without the erased among those whom it affects, or who may own it; with a control plane, without their things too. */
function withoutErased<
  Part extends {
    readonly attribution: Attribution;
    readonly editions: readonly TenantEdition[];
    readonly draft?: EventDraft;
  },
>(controlPlane: string | undefined, event: Part, at: number, until: ErasedUntil): Part {
  const stays = (tenant: TenantRef): boolean => !isTenantErased(tenant, at, until);
  const { attribution, draft } = event;
  const answered: Attribution =
    attribution.status === "shared"
      ? { ...attribution, affected: attribution.affected.filter(({ tenant }) => stays(tenant)) }
      : attribution.status === "ambiguous"
        ? { ...attribution, candidates: attribution.candidates.filter(stays) }
        : attribution;
  const related = draft?.related.filter(
    ({ ref }) => controlPlane === undefined || !isOneErased(namesOf(controlPlane, ref), at, until),
  );
  const lost = draft !== undefined && related?.length !== draft.related.length;
  return {
    ...event,
    attribution: answered,
    editions: event.editions.filter(({ tenant }) => stays(tenant)),
    ...(lost ? { draft: { ...draft, related } } : {}),
  };
}

/**
 * Without the person who did it, where that person was erased, and without what the record says of them; undefined where
 * the very name of the record tells of them.
 */
function withoutPerson(event: StorableEvent, until: ErasedUntil): StorableEvent | undefined {
  const { actor, occurredAt, key, sourceIds } = event.draft;
  if (actor?.userId === undefined || !isOneErased(personNames(actor.userId), occurredAt, until)) return event;
  const words = [actor.userId, actor.userName, actor.address].filter(
    (word): word is string => word !== undefined && word.length > 2,
  );
  const { actor: _actor, ...others } = event.draft;
  const { draft: _draft, ...rest } = event;
  const draft = withoutWords(others, words);
  if (draft.key !== key || draft.sourceIds.some((id, at) => id !== sourceIds[at])) return undefined;
  return { ...withoutWords(rest, words), draft };
}
