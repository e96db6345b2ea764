import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { AffectedTenant, Attribution, EventDraft } from "../model/event.ts";
import type { Relation } from "../model/topology.ts";
import { tenantKey } from "../model/tenant.ts";
import type { Search } from "./search.ts";
import { note, tenantOf } from "./search.ts";

/** What stands on shared infrastructure, by the kind of infrastructure. */
const standing: Readonly<Record<string, Relation>> = { host: "runs_on", backend: "stored_on" };

/**
 * The provider's estate is the provider's, whoever triggered the event. Where it fails or is changed,
 * the tenants whose resources stood on it at that moment are listed as affected.
 */
export function resolvePlatform(draft: EventDraft, search: Search): Attribution {
  search.evidence.push({
    rule: "platform/1",
    verdict: "accepted",
    confidence: "exact",
    says: `A ${draft.subject.kind.replaceAll("_", " ")} is part of the provider's own estate.`,
    from: draft.subject,
  });
  // A routine report about a host touches nobody; only failures and changes do.
  if (draft.kind === "activity") return { status: "provider", evidence: search.evidence };
  const affected = infrastructureOf(draft, search).flatMap((place) => tenantsOn(place, search));
  if (affected.length === 0) return { status: "provider", evidence: search.evidence };
  return { status: "shared", affected: mergeByTenant(affected), evidence: search.evidence };
}

/** The hosts and backends that the subject is, or serves. */
function infrastructureOf(draft: EventDraft, search: Search): readonly EntityRef[] {
  const { subject } = draft;
  search.lookedAt.add(entityKey(subject));
  if (standing[subject.kind] !== undefined) return [subject];
  if (subject.kind !== "service" && subject.kind !== "agent" && subject.kind !== "hypervisor") return [];
  const served = search.view.targets(subject, "serves", search.at);
  for (const held of served) note(search, held, "service-host/1", "exact");
  return served.map((held) => held.fact.to);
}

function tenantsOn(place: EntityRef, search: Search): readonly AffectedTenant[] {
  const relation = standing[place.kind];
  if (relation === undefined) return [];
  search.lookedAt.add(entityKey(place));
  const there = search.view.origins(place, relation, search.at);
  const found = there.flatMap((held) => {
    // Whether it was still there, and whose it was, may become known later.
    search.lookedAt.add(entityKey(held.fact.from));
    const owners = search.view.targets(held.fact.from, "owned_by", search.at);
    const [owner] = owners;
    // A resource of two possible owners tells neither of them anything.
    if (owner === undefined || owners.length > 1) return [];
    const quiet = { ...search, evidence: [] };
    const tenant = tenantOf(owner.fact.to, quiet);
    if (tenant.domainId !== undefined && search.settings.providerDomains.has(tenant.domainId)) return [];
    return [{ tenant, resources: [held.fact.from] }];
  });
  const tenants = new Set(found.map((item) => tenantKey(item.tenant))).size;
  search.evidence.push({
    rule: "shared-infrastructure/1",
    verdict: "accepted",
    confidence: "exact",
    says: `${place.kind} ${place.id} then bore ${found.length} resources of ${tenants} tenants.`,
    from: place,
  });
  return found;
}

function mergeByTenant(items: readonly AffectedTenant[]): readonly AffectedTenant[] {
  const merged = new Map<string, AffectedTenant>();
  for (const item of items) {
    const key = tenantKey(item.tenant);
    const known = merged.get(key);
    const resources = [...(known?.resources ?? []), ...item.resources];
    const distinct = [...new Map(resources.map((ref) => [entityKey(ref), ref])).values()];
    merged.set(key, {
      tenant: item.tenant,
      resources: distinct.toSorted((a, b) => (entityKey(a) < entityKey(b) ? -1 : 1)),
    });
  }
  return [...merged.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}
