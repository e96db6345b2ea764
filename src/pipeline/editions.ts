import { entitiesBeside, type Redact } from "../normalise/redact.ts";
import type { ResolvedDraft } from "../resolve/resolver.ts";
import type { StorableEvent } from "../store/event-store.ts";

/**
 * Makes the editions of an answer. They depend on more than the answer does: whose the things beside the subject are
 * decides which of them the owner is shown, and what tenants call their resources is told in notices; both may be told or
 * corrected later.
 */
export function withEditions(
  { draft, attribution, dependsOn, ownEntities, names }: ResolvedDraft,
  redact: Redact,
): StorableEvent {
  const beside = entitiesBeside(draft, attribution);
  return {
    draft,
    attribution,
    dependsOn: beside.length === 0 ? dependsOn : [...new Set([...dependsOn, ...beside])].toSorted(),
    editions: redact(draft, attribution, ownEntities, names),
  };
}
