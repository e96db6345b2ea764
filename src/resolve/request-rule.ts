import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { EventDraft } from "../model/event.ts";
import type { Owner, Search } from "./search.ts";
import { note } from "./search.ts";

/**
 * Another record of the same request states its own owner, and all that do agree. Only for what
 * somebody asked for (a periodic task gives one request id to everybody's resources) and for records that
 * name nothing but their request: a resource's owner is the resource's own. A global request id may span
 * an operator's work for many, so it counts only where the caller works in that very project.
 */
export function siblingOwners(draft: EventDraft, search: Search): readonly Owner[] {
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
  const concerned = search.view.everTargets(request, "concerns");
  const refused = concerned.map((held) => veto(held.fact.to as Owner)).find((reason) => reason !== undefined);
  for (const held of concerned) note(search, held, "same-request/1", "derived", refused);
  return refused === undefined ? concerned.map((held) => held.fact.to as Owner) : [];
}
