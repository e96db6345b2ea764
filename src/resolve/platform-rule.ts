import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { AffectedTenant, Attribution, EventDraft } from "../model/event.ts";
import type { Relation } from "../model/topology.ts";
import { tenantKey, type TenantRef } from "../model/tenant.ts";
import { observedOwners, removalOf } from "./owner-rule.ts";
import type { HeldFact } from "./resolver.ts";
import type { Search } from "./search.ts";
import { inSilence, isProviders, note, tenantOf } from "./search.ts";

/** Kinds that are the provider's estate whoever touches them. */
export const platformKinds: ReadonlySet<string> = new Set([
  "host",
  "service",
  "agent",
  "aggregate",
  "flavor",
  "backend",
  "hypervisor",
  "region",
]);

/** What stands on shared infrastructure, by the kind of infrastructure. */
const standing: Readonly<Record<string, Relation>> = { host: "runs_on", backend: "stored_on" };

/** How the places are reached that something of the provider's consists of or works for. */
const reaching: Readonly<Record<string, readonly ["to" | "from", Relation]>> = {
  service: ["to", "serves"],
  agent: ["to", "serves"],
  hypervisor: ["to", "serves"],
  aggregate: ["from", "member_of"],
  // A pool is a part of its backend.
  backend: ["from", "part_of"],
};

/**
 * The provider's estate is the provider's, whoever triggered the event. Where it fails or is changed,
 * the tenants whose resources stood on it at that moment are listed as affected.
 */
export function resolvePlatform(draft: EventDraft, subject: EntityRef, search: Search): Attribution {
  search.evidence.push({
    rule: "platform/1",
    verdict: "accepted",
    confidence: "exact",
    says: `A ${subject.kind.replaceAll("_", " ")} is part of the provider's own estate.`,
    from: subject,
  });
  // A routine report about a host touches nobody; only failures and changes do.
  if (draft.kind === "activity") return { status: "provider", evidence: search.evidence };
  const affected = infrastructureOf(subject, search).flatMap((place) => tenantsOn(place, search));
  if (affected.length === 0) return { status: "provider", evidence: search.evidence };
  return { status: "shared", affected: mergeByTenant(affected), evidence: search.evidence };
}

/** The hosts and backends that the subject is, consists of, or serves. */
function infrastructureOf(subject: EntityRef, search: Search): readonly EntityRef[] {
  search.lookedAt.add(entityKey(subject));
  const own = standing[subject.kind] === undefined ? [] : [subject];
  const way = reaching[subject.kind];
  if (way === undefined) return own;
  const [end, relation] = way;
  const reached: readonly HeldFact[] =
    end === "to"
      ? search.view.targets(subject, relation, search.at)
      : search.view.origins(subject, relation, search.at);
  const rule = end === "to" ? "service-host/1" : "platform-part/1";
  for (const held of reached) note(search, held, rule, "exact");
  if (end === "from" && search.view.isCut(subject, relation)) {
    search.evidence.push({
      rule,
      verdict: "accepted",
      confidence: "exact",
      says: `More is part of ${subject.kind} ${subject.id} than can be looked at: those affected are at least these.`,
      to: subject,
    });
  }
  const places = reached.map(({ fact }) => (end === "to" ? fact.to : fact.from));
  return [...own, ...places.filter(({ kind }) => standing[kind] !== undefined)];
}

function tenantsOn(place: EntityRef, search: Search): readonly AffectedTenant[] {
  const relation = standing[place.kind];
  if (relation === undefined) return [];
  search.lookedAt.add(entityKey(place));
  const there = search.view.origins(place, relation, search.at);
  const quiet = inSilence(search);
  const tenantOfOwner = rememberTenants(quiet);
  const found = there.flatMap((held) => affectedBy(held.fact.from, quiet, tenantOfOwner));
  const tenants = new Set(found.map((item) => tenantKey(item.tenant))).size;
  const atLeast = search.view.isCut(place, relation) ? "at least " : "";
  search.evidence.push({
    rule: "shared-infrastructure/1",
    verdict: "accepted",
    confidence: "exact",
    says: `${place.kind} ${place.id} then bore ${atLeast}${found.length} resources of ${atLeast}${tenants} tenants.`,
    from: place,
  });
  return found;
}

/** The tenant whose resource this is; nobody where it is the provider's, was deleted by then, or may be another's. */
function affectedBy(
  resource: EntityRef,
  search: Search,
  tenantOfOwner: (owner: EntityRef) => TenantRef | undefined,
): readonly AffectedTenant[] {
  // Whether it was still there, and whose it was, may become known later.
  search.lookedAt.add(entityKey(resource));
  if (removalOf(resource, search) !== undefined) return [];
  const owners = observedOwners(resource, search) ?? [];
  const [owner] = owners;
  // A resource of two possible owners tells neither of them anything.
  if (owner === undefined || owners.length > 1) return [];
  const tenant = tenantOfOwner(owner);
  return tenant === undefined ? [] : [{ tenant, resources: [resource] }];
}

/** The tenant of an owner, or undefined where it is the provider's own; thousands of resources have a few owners. */
function rememberTenants(search: Search): (owner: EntityRef) => TenantRef | undefined {
  const known = new Map<string, TenantRef | undefined>();
  return (owner) => {
    const key = entityKey(owner);
    if (!known.has(key)) known.set(key, isProviders(owner, search) ? undefined : tenantOf(owner, search));
    return known.get(key);
  };
}

function mergeByTenant(items: readonly AffectedTenant[]): readonly AffectedTenant[] {
  const merged = new Map<string, Map<string, EntityRef>>();
  const tenants = new Map(items.map(({ tenant }) => [tenantKey(tenant) as string, tenant]));
  for (const { tenant, resources } of items) {
    const key = tenantKey(tenant);
    const known = merged.get(key) ?? new Map<string, EntityRef>();
    merged.set(key, known);
    for (const ref of resources) known.set(entityKey(ref), ref);
  }
  return [...merged]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, resources]) => ({
      tenant: tenants.get(key)!,
      resources: [...resources].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, ref]) => ref),
    }));
}
