import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Attribution, EventDraft, Evidence } from "../model/event.ts";
import type { TenantRef } from "../model/tenant.ts";
import { ownersByCaller } from "./caller-rule.ts";
import { findMeant, mentionedThings } from "./mention-rule.ts";
import { observedOwners, ownersOf } from "./owner-rule.ts";
import { platformKinds, resolvePlatform } from "./platform-rule.ts";
import { siblingOwners } from "./request-rule.ts";
import { namesOfAffected } from "./resource-names.ts";
import type { ResolvedDraft, Resolver } from "./resolver.ts";
import type { Owner, ResolverSettings, Search } from "./search.ts";
import { inSilence, tenantOf } from "./search.ts";
import { ownersByUse } from "./used-by-rule.ts";

/**
 * Kinds that are an identity of their own: what else such a record mentions, and any name beside the id, is told of
 * the thing and does not tell whose it is.
 */
const identified = new Set([
  "server",
  "server_group",
  "keypair",
  "volume",
  "snapshot",
  "backup",
  "image",
  "share",
  "network",
  "subnet",
  "port",
  "router",
  "floating_ip",
  "security_group",
  "security_group_rule",
  "load_balancer",
  "listener",
  "pool",
  "zone",
  "recordset",
  "stack",
  "cluster",
  "secret",
  "database",
  "resource",
  "user",
  "group",
  "role",
  "project",
  "domain",
]);

/** Makes the resolver: ordered rules over immutable ids; the actor's project is never an owner by itself. */
export function createResolver(settings: ResolverSettings): Resolver {
  return (drafts, connection, view) =>
    drafts.map((draft) =>
      resolve(draft, { view, at: draft.occurredAt, connection, settings, evidence: [], lookedAt: new Set() }),
    );
}

function resolve(draft: EventDraft, search: Search): ResolvedDraft {
  const attribution = attribute(draft, search);
  const names = namesOfAffected(attribution, search);
  return {
    ...(names.size === 0 ? {} : { names }),
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
  const quiet = inSilence({ ...search, lookedAt: new Set<string>() });
  return [draft.subject, ...draft.related.map((item) => item.ref)]
    .filter((ref) => {
      const owners = observedOwners(ref, quiet) ?? [];
      return owners.length === 1 && owners[0]!.id === (owners[0]!.kind === "project" ? projectId : domainId);
    })
    .map(entityKey);
}

function attribute(draft: EventDraft, search: Search): Attribution {
  if (draft.platform === true || platformKinds.has(draft.subject.kind))
    return resolvePlatform(draft, draft.subject, search);
  if (draft.stated !== undefined) return statedOwner(draft, draft.stated, search);
  for (const rule of byIdentity) {
    const owners = rule(draft, search);
    if (owners.length > 0) return conclude(owners, search);
  }
  if (!identified.has(draft.subject.kind)) {
    const { owners, place } = findMeant(draft, search);
    if (place !== undefined) return resolvePlatform(draft, place, search);
    if (owners.length > 0) return conclude(owners, search);
  }
  for (const rule of bySurroundings) {
    const owners = rule(draft, search);
    if (owners.length > 0) return conclude(owners, search);
  }
  return { status: "unresolved", evidence: [...search.evidence, nothingKnown(draft)] };
}

type OwnerRule = (draft: EventDraft, search: Search) => readonly Owner[];

/** What is known of the caller, the subject and the account that a record is about, by their ids. */
const byIdentity: readonly OwnerRule[] = [
  ownersByCaller,
  (draft, search) => ownersOf(draft.subject, search),
  (draft, search) =>
    draft.related.filter(({ role }) => role === "account").flatMap(({ ref }) => ownersOf(ref, search)),
];

/** What requests tell of the things that a record is about, and other records of its request. */
const bySurroundings: readonly OwnerRule[] = [
  (draft, search) => ownersByUse(usedThings(draft), search),
  siblingOwners,
];

function usedThings(draft: EventDraft): readonly EntityRef[] {
  if (identified.has(draft.subject.kind)) return [draft.subject];
  return mentionedThings(draft);
}

/** The record itself states whose its subject is. */
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
