import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Evidence } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import type { TenantRef } from "../model/tenant.ts";
import type { KnownFact } from "../model/topology.ts";
import type { HeldFact, TopologyView } from "./resolver.ts";

/** What the resolver is told of the installation. */
export interface ResolverSettings {
  /** Domains whose projects and users are the provider's own. */
  readonly providerDomains: ReadonlySet<string>;
}

/** What may own something. */
export type Owner = EntityRef & { readonly kind: "project" | "domain" };

/** One attempt to find the owner: the answer, and everything that was looked at on the way. */
export interface Search {
  readonly view: TopologyView;
  readonly at: Instant;
  readonly connection: string;
  readonly settings: ResolverSettings;
  readonly evidence: Evidence[];
  /** Keys of the entities whose later facts could change the answer. */
  readonly lookedAt: Set<string>;
  /** True where nobody reads the evidence. */
  readonly isSilent?: true;
}

/** The project with its domain as of then; an event waits for nothing but the domain once its project is proven. */
export function tenantOf(owner: EntityRef, search: Search): TenantRef {
  const controlPlane = search.view.controlPlane;
  if (owner.kind === "domain") return { controlPlane, domainId: owner.id };
  const domains = search.view.targets(owner, "part_of", search.at);
  const [held] = domains;
  if (held === undefined || domains.length > 1) {
    search.lookedAt.add(entityKey(owner));
    return { controlPlane, projectId: owner.id };
  }
  note(search, held, "project-domain/1", "exact");
  return { controlPlane, projectId: owner.id, domainId: held.fact.to.id };
}

/** The same search without a word of it in the evidence; what it looks at is waited for all the same. */
export function inSilence(search: Search): Search {
  return search.isSilent === true ? search : { ...search, evidence: [], isSilent: true };
}

/** The same search with its evidence kept apart, to be used or not; what it looks at is waited for all the same. */
export function aside(search: Search): Search {
  return { ...search, evidence: [] };
}

/** Whether the owner is proven to be the provider's own. */
export function isProviders(owner: EntityRef, search: Search): boolean {
  const { domainId } = tenantOf(owner, inSilence(search));
  return domainId !== undefined && search.settings.providerDomains.has(domainId);
}

/** Each owner once. */
export function distinctOwners(owners: Iterable<Owner>): readonly Owner[] {
  return [...new Map([...owners].map((owner) => [entityKey(owner), owner])).values()];
}

const relationWords: Partial<Record<KnownFact["relation"], string>> = {
  owned_by: "belongs to",
  part_of: "is part of",
  concerns: "also did something for",
  has_address: "had the address",
  known_as: "was known as",
  named: "was called",
  runs_on: "ran on",
  stored_on: "is stored on",
  works_in: "worked in",
  member_of: "was a member of",
  used_by: "was spoken of in a request by",
  removed_from: "was deleted from",
};

/** Writes down one hop, accepted, or rejected with the reason. */
export function note(
  search: Search,
  held: HeldFact,
  rule: string,
  confidence: Evidence["confidence"],
  rejectedBecause?: string,
): void {
  if (search.isSilent === true) return;
  const { fact } = held;
  const said = relationWords[fact.relation] ?? fact.relation.replaceAll("_", " ");
  const hop = `${fact.from.kind} ${fact.from.id} ${said} ${fact.to.kind} ${fact.to.id}`;
  search.evidence.push({
    rule,
    verdict: rejectedBecause === undefined ? "accepted" : "rejected",
    confidence: held.extended && confidence === "exact" ? "derived" : confidence,
    says: rejectedBecause === undefined ? `${hop}.` : `${hop}: not used, ${rejectedBecause}.`,
    from: fact.from,
    to: fact.to,
    source: { connection: fact.connection, sourceId: fact.sourceId },
    validFrom: held.validFrom,
    ...(held.validUntil === undefined ? {} : { validUntil: held.validUntil }),
  });
}
