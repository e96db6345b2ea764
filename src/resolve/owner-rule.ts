import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import { transferableKinds } from "../model/transferable-kinds.ts";
import type { HeldFact } from "./resolver.ts";
import type { Owner, Search } from "./search.ts";
import { note } from "./search.ts";

/**
 * From a part to what it is part of: an attachment to its volume, a router's gateway port to the router. A
 * copy is no part: a backup stays its maker's when the volume is given away.
 */
const wholes = ["part_of", "routed_by"] as const;

/** How far a part is followed to its whole. */
const hopsMax = 3;

/** The owner observed for the thing as of then, or for what it is part of; several where they contradict each other. */
export function ownersOf(entity: EntityRef, search: Search, depth = 0): readonly Owner[] {
  if (depth > hopsMax || entity.kind === "request") return [];
  search.lookedAt.add(entityKey(entity));
  const tenant = asTenant(entity, search);
  if (tenant !== undefined) {
    search.evidence.push({
      rule: "subject-is-tenant/1",
      verdict: "accepted",
      confidence: "exact",
      says: `The ${tenant.kind} ${tenant.id} is itself the tenant.`,
      to: tenant,
    });
    return [tenant];
  }
  const owned = observedOwners(entity, search);
  if (owned !== undefined) return owned;
  for (const relation of wholes) {
    // Whoever may use a network can lead its subnets to a router of their own; a port there is the router's.
    if (relation === "routed_by" && entity.kind !== "port") continue;
    for (const hop of search.view.targets(entity, relation, search.at)) {
      note(search, hop, "part-of/1", "derived");
      const owners = ownersOf(hop.fact.to, search, depth + 1);
      if (owners.length > 0) return owners;
    }
  }
  return [];
}

/** A project or a domain, also where a record gave its id without its kind and a fact tells the kind. */
function asTenant(entity: EntityRef, search: Search): Owner | undefined {
  if (entity.kind === "project" || entity.kind === "domain") return entity as Owner;
  if (entity.kind !== "resource") return undefined;
  const project: Owner = { kind: "project", id: entity.id };
  return search.view.targets(project, "part_of", search.at).length > 0 ? project : undefined;
}

/** Undefined where no owner was ever seen; none where those seen are in doubt, which ends the search. */
export function observedOwners(entity: EntityRef, search: Search): readonly Owner[] | undefined {
  const seen = search.view.targets(entity, "owned_by", search.at);
  const observed = entity.kind === "resource" ? withoutChosenIds(seen, search) : seen;
  if (observed.length === 0) return undefined;
  // Two owners at the very same moment contradict each other: both stay candidates, whatever came later.
  const contradicted = observed.length > 1;
  return observed.flatMap((held) => {
    if (contradicted) {
      note(search, held, "owner-interval/1", "assumed");
      return [held.fact.to as Owner];
    }
    const doubt = transferableKinds.has(held.fact.from.kind) ? transferDoubt(held, search.at) : undefined;
    if (doubt !== undefined) {
      note(search, held, "owner-interval/1", "assumed", doubt);
      return [];
    }
    note(search, held, "owner-interval/1", "exact");
    return [held.fact.to as Owner];
  });
}

/** Glance lets a tenant choose its image's id, so that one with the id of something else proves nothing of that. */
function withoutChosenIds(seen: readonly HeldFact[], search: Search): readonly HeldFact[] {
  return seen.filter((held) => {
    if (held.fact.from.kind !== "image") return true;
    note(
      search,
      held,
      "owner-interval/1",
      "assumed",
      "a tenant can choose an image's id, and nothing tells that one is meant",
    );
    return false;
  });
}

/** Why an observation of a transferable resource does not prove the owner at `at`. */
function transferDoubt(held: HeldFact, at: Instant): string | undefined {
  if (held.extended) return "the owner is only known from a later moment, and this kind can change hands";
  return isInGap(held, at) ? "it changed hands between the observation before and the one after" : undefined;
}

/** Whether the moment lies after the run was last seen and before something else was: what held there nobody knows. */
export function isInGap(held: HeldFact, at: Instant): boolean {
  return held.validUntil !== undefined && at > (held.fact.lastAt ?? held.fact.at);
}

/** The deletion of a thing that was gone by then; a thing that was brought back no longer is. */
export function removalOf(entity: EntityRef, search: Search): HeldFact | undefined {
  return search.view.targets(entity, "removed_from", search.at)[0];
}
