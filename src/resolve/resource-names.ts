import { entityKey, type EntityRef } from "../model/entity.ts";
import type { AffectedTenant, Attribution } from "../model/event.ts";
import { instant } from "../model/instant.ts";
import { observedOwners } from "./owner-rule.ts";
import type { HeldFact } from "./resolver.ts";
import { inSilence, type Search } from "./search.ts";

/**
 * What the affected tenants themselves called their resources then, by entity key. A name counts only where it was seen
 * while the resource was that tenant's: what somebody called it before or after may tell of somebody else. What has no
 * such name is left out. The answer waits for the resources already, so a name that is told later comes to it.
 */
export function namesOfAffected(attribution: Attribution, search: Search): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  if (attribution.status !== "shared") return names;
  const quiet = inSilence({ ...search, lookedAt: new Set<string>() });
  for (const { tenant, resources } of attribution.affected) {
    for (const resource of resources) {
      const name = nameFor(tenant, resource, quiet);
      if (name !== undefined) names.set(entityKey(resource), name);
    }
  }
  return names;
}

function nameFor(tenant: AffectedTenant["tenant"], resource: EntityRef, search: Search): string | undefined {
  const held = search.view.targets(resource, "named", search.at);
  const [only] = held;
  // Two names of the very same moment contradict each other.
  if (only === undefined || held.length > 1) return undefined;
  const owners = observedOwners(resource, { ...search, at: seenAt(only, search.at) }) ?? [];
  const [owner] = owners;
  if (owner === undefined || owners.length > 1) return undefined;
  const own = owner.kind === "project" ? tenant.projectId : tenant.domainId;
  return owner.id === own ? only.fact.to.id : undefined;
}

/** The sight of the name that is nearest to the moment: the last one before it, or the first of all. */
function seenAt({ fact, extended }: HeldFact, at: number): Search["at"] {
  return extended ? fact.at : instant(Math.min(fact.lastAt ?? fact.at, at));
}
