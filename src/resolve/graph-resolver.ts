import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Attribution, EventDraft, Evidence } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import type { TenantRef } from "../model/tenant.ts";
import { resolvePlatform } from "./platform-rule.ts";
import type { HeldFact, ResolvedDraft, Resolver } from "./resolver.ts";
import type { ResolverSettings, Search } from "./search.ts";
import { note, tenantOf } from "./search.ts";

type Owner = EntityRef & { readonly kind: "project" | "domain" };

/**
 * Kinds whose owner can change (volume transfer, share and zone transfer, an image's new owner): what
 * is only known from a later moment proves nothing about an earlier one.
 */
const transferable = new Set(["volume", "snapshot", "backup", "image", "share", "zone"]);

/** Kinds that are the provider's estate whoever touches them. */
const platformKinds = new Set([
  "host",
  "service",
  "agent",
  "aggregate",
  "flavor",
  "backend",
  "hypervisor",
  "region",
]);

/** Far enough that every observation lies before it: siblings of a request may be reported later. */
const endOfTime = Number.MAX_SAFE_INTEGER as Instant;

/** Makes the resolver: ordered rules over immutable ids; the actor and names are not looked at. */
export function createResolver(settings: ResolverSettings): Resolver {
  return (drafts, connection, view) =>
    drafts.map((draft) =>
      resolve(draft, { view, at: draft.occurredAt, connection, settings, evidence: [], lookedAt: new Set() }),
    );
}

function resolve(draft: EventDraft, search: Search): ResolvedDraft {
  const attribution = attribute(draft, search);
  return {
    draft,
    attribution,
    dependsOn: [...search.lookedAt].toSorted(),
    ownEntities: ownEntities(draft, attribution, search),
  };
}

/** Which of the things that the event mentions are proven to be the owner's own at that moment. */
function ownEntities(draft: EventDraft, attribution: Attribution, search: Search): readonly string[] {
  if (attribution.status !== "owned") return [];
  const { projectId, domainId } = attribution.tenant;
  const quiet = { ...search, evidence: [], lookedAt: new Set<string>() };
  return [draft.subject, ...draft.related.map((item) => item.ref)]
    .filter((ref) => {
      const owners = observedOwners(ref, quiet) ?? [];
      return owners.length === 1 && owners[0]!.id === (owners[0]!.kind === "project" ? projectId : domainId);
    })
    .map(entityKey);
}

function attribute(draft: EventDraft, search: Search): Attribution {
  if (draft.platform === true || platformKinds.has(draft.subject.kind)) return resolvePlatform(draft, search);
  if (draft.stated !== undefined) return statedOwner(draft, draft.stated, search);
  const found = ownersOf(draft.subject, search, 0);
  if (found.length > 0) return conclude(found, search);
  const accounts = draft.related.filter((related) => related.role === "account");
  const holders = accounts.flatMap((related) => ownersOf(related.ref, search, 0));
  if (holders.length > 0) return conclude(holders, search);
  const siblings = siblingOwners(draft, search);
  if (siblings.length > 0) return conclude(siblings, search);
  return { status: "unresolved", evidence: [...search.evidence, nothingKnown(draft)] };
}

/** Rule 1: the record itself states whose its subject is. */
function statedOwner(
  draft: EventDraft,
  stated: NonNullable<EventDraft["stated"]>,
  search: Search,
): Attribution {
  search.evidence.push({
    rule: "stated-owner/1",
    verdict: "accepted",
    confidence: "exact",
    says: `The record's ${stated.path} names ${stated.owner.kind} ${stated.owner.id} as the owner.`,
    from: draft.subject,
    to: stated.owner,
    source: { connection: search.connection, sourceId: draft.sourceIds[0]! },
  });
  return conclude([stated.owner], search);
}

/** Rules 2 to 4: the owner observed for the resource, for what an address stood for, or for what it is part of. */
function ownersOf(entity: EntityRef, search: Search, depth: number): readonly Owner[] {
  if (depth > 3 || entity.kind === "request" || entity.kind === "name") return [];
  search.lookedAt.add(entityKey(entity));
  if (entity.kind === "project" || entity.kind === "domain") {
    search.evidence.push({
      rule: "subject-is-tenant/1",
      verdict: "accepted",
      confidence: "exact",
      says: `The ${entity.kind} ${entity.id} is itself the tenant.`,
      to: entity,
    });
    return [entity as Owner];
  }
  const owned = observedOwners(entity, search);
  if (owned !== undefined) return owned;
  if (entity.kind === "ip" || entity.kind === "mac") return addressOwners(entity, search, depth);
  for (const relation of wholes) {
    for (const hop of search.view.targets(entity, relation, search.at)) {
      note(search, hop, `part-of/1`, "derived");
      const owners = ownersOf(hop.fact.to, search, depth + 1);
      if (owners.length > 0) return owners;
    }
  }
  return [];
}

/**
 * From a part to what it is part of: an attachment to its volume, a router's gateway port to the router. A
 * copy is no part: a backup stays its maker's when the volume is given away.
 */
const wholes = ["part_of", "routed_by"] as const;

/** Undefined where no owner was ever seen; none where those seen are in doubt, which ends the search. */
function observedOwners(entity: EntityRef, search: Search): readonly Owner[] | undefined {
  const observed = search.view.targets(entity, "owned_by", search.at);
  if (observed.length === 0) return undefined;
  // Two owners at the very same moment contradict each other: both stay candidates, whatever came later.
  const contradicted = observed.length > 1;
  return observed.flatMap((held) => {
    if (contradicted) {
      note(search, held, "owner-interval/1", "assumed");
      return [held.fact.to as Owner];
    }
    const doubt = transferable.has(entity.kind) ? transferDoubt(held, search.at) : undefined;
    if (doubt !== undefined) {
      note(search, held, "owner-interval/1", "assumed", doubt);
      return [];
    }
    note(search, held, "owner-interval/1", "exact");
    return [held.fact.to as Owner];
  });
}

/** Why an observation of a transferable resource does not prove the owner at `at`. */
function transferDoubt(held: HeldFact, at: Instant): string | undefined {
  if (held.extended) return "the owner is only known from a later moment, and this kind can change hands";
  const lastSeen = held.fact.lastAt ?? held.fact.at;
  return held.validUntil !== undefined && at > lastSeen
    ? "it changed hands between the observation before and the one after"
    : undefined;
}

/** An address proves an owner only while everything that bore it then leads to one. */
function addressOwners(entity: EntityRef, search: Search, depth: number): readonly Owner[] {
  const bearers = search.view.origins(entity, "has_address", search.at);
  const owners = new Map<string, Owner>();
  for (const bearer of bearers) {
    note(search, bearer, "address-interval/1", "derived");
    for (const owner of ownersOf(bearer.fact.from, search, depth + 1)) owners.set(entityKey(owner), owner);
  }
  return [...owners.values()];
}

/**
 * Rule 5: another record of the same request states its own owner, and all that do agree. Only for what
 * somebody asked for (a periodic task gives one request id to everybody's resources) and for records that
 * name nothing but their request: a resource's owner is the resource's own. A global request id may span
 * an operator's work for many, so it counts only where the caller works in that very project.
 */
function siblingOwners(draft: EventDraft, search: Search): readonly Owner[] {
  if (draft.actor?.userId === undefined || draft.subject.kind !== "request") return [];
  const { requestId, globalRequestId } = draft.operation ?? {};
  const own = concernedBy(requestId, search, () => undefined);
  if (own.length > 0) return own;
  return concernedBy(globalRequestId, search, (owner) =>
    owner.id === draft.actor?.projectId
      ? undefined
      : "a global request id may span the work of several tenants",
  );
}

/** The owners that records of the request state; `veto` gives the reason why one of them proves nothing. */
function concernedBy(
  requestId: string | undefined,
  search: Search,
  veto: (owner: Owner) => string | undefined,
): readonly Owner[] {
  if (requestId === undefined) return [];
  const request: EntityRef = { kind: "request", id: requestId };
  search.lookedAt.add(entityKey(request));
  const concerned = search.view.targets(request, "concerns", endOfTime);
  const refused = concerned.map((held) => veto(held.fact.to as Owner)).find((reason) => reason !== undefined);
  for (const held of concerned) note(search, held, "same-request/1", "derived", refused);
  return refused === undefined ? concerned.map((held) => held.fact.to as Owner) : [];
}

/** One owner decides; several are an ambiguity, which stays with the provider. */
function conclude(owners: readonly Owner[], search: Search): Attribution {
  const tenants = [...new Map(owners.map((owner) => [entityKey(owner), tenantOf(owner, search)])).values()];
  const [tenant] = tenants;
  if (tenant === undefined) throw new TypeError("conclude() needs at least one owner");
  if (tenants.length > 1) {
    return { status: "ambiguous", candidates: tenants.toSorted(byIds), evidence: search.evidence };
  }
  if (tenant.domainId !== undefined && search.settings.providerDomains.has(tenant.domainId)) {
    search.evidence.push({
      rule: "provider-domain/1",
      verdict: "accepted",
      confidence: "exact",
      says: `Domain ${tenant.domainId} is configured as the provider's own.`,
    });
    return { status: "provider", own: tenant, evidence: search.evidence };
  }
  return { status: "owned", tenant, evidence: search.evidence };
}

function byIds(a: TenantRef, b: TenantRef): number {
  const left = `${a.domainId ?? ""}/${a.projectId ?? ""}`;
  const right = `${b.domainId ?? ""}/${b.projectId ?? ""}`;
  return left < right ? -1 : left > right ? 1 : 0;
}

function nothingKnown(draft: EventDraft): Evidence {
  return {
    rule: "no-owner-known/1",
    verdict: "rejected",
    confidence: "exact",
    says: `Nothing yet proves whose ${draft.subject.kind} ${draft.subject.id} was at that moment.`,
    from: draft.subject,
  };
}
