import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { EventDraft } from "../model/event.ts";
import { isInGap } from "./owner-rule.ts";
import type { Owner, Search } from "./search.ts";
import { inSilence, tenantOf } from "./search.ts";

/** Where, as the record itself proves, an alias is meant. */
export interface Container {
  readonly ref: EntityRef;
  /** Of a request: the keys of the projects that its own records name as owners; empty where none is known. */
  readonly projects: ReadonlySet<string>;
}

const containing = new Set(["domain", "project", "host", "request"]);

export function containersOf(draft: EventDraft, search: Search): readonly Container[] {
  const refs = draft.related.filter(({ role, ref }) => role === "within" && containing.has(ref.kind));
  return refs.map(({ ref }) => {
    if (ref.kind !== "request") return { ref, projects: new Set<string>() };
    search.lookedAt.add(entityKey(ref));
    const concerned = search.view.everTargets(ref, "concerns");
    return { ref, projects: new Set(concerned.map(({ fact }) => entityKey(fact.to))) };
  });
}

/** Why the bearer cannot have been meant: it is proven to have run elsewhere. Where it ran unseen proves nothing. */
export function bearerOutside(
  bearer: EntityRef,
  containers: readonly Container[],
  search: Search,
): string | undefined {
  for (const { ref } of containers) {
    if (ref.kind !== "host") continue;
    if (bearer.kind === "host" && bearer.id !== ref.id) return `the record means what was on host ${ref.id}`;
    const places = search.view.targets(bearer, "runs_on", search.at);
    const isElsewhere =
      places.length > 0 && places.every((held) => held.fact.to.id !== ref.id && !isInGap(held, search.at));
    if (isElsewhere) return `the record means what was on host ${ref.id}`;
  }
  return undefined;
}

/** Why the owner cannot have been meant; `unknown` where it cannot be told yet. */
export function ownerOutside(
  owner: Owner,
  containers: readonly Container[],
  search: Search,
): string | undefined {
  const reasons = containers.map(({ ref, projects }) => {
    // A domain may bear a project's id.
    if (ref.kind === "project" && entityKey(ref) !== entityKey(owner))
      return `the record means what is in project ${ref.id}`;
    if (ref.kind === "request" && projects.size > 0 && !projects.has(entityKey(owner)))
      return `request ${ref.id} was about another project`;
    if (ref.kind !== "domain") return undefined;
    const { domainId } = tenantOf(owner, inSilence(search));
    if (domainId === undefined) return "unknown";
    return domainId === ref.id ? undefined : `the record means what is in domain ${ref.id}`;
  });
  return reasons.find((reason) => reason !== undefined && reason !== "unknown") ?? reasons.find(Boolean);
}

/** Why whoever spoke of the name does not tell whose it is in this place. */
export function callerOutside(
  owner: Owner,
  containers: readonly Container[],
  search: Search,
): string | undefined {
  if (containers.some(({ ref }) => ref.kind === "host"))
    return "a request elsewhere says nothing of what the record proves to be in one place";
  const outside = ownerOutside(owner, containers, search);
  return outside === "unknown" ? "where the account's project belongs is not known" : outside;
}
