import { entityKey } from "../model/entity.ts";
import type { EventDraft } from "../model/event.ts";
import { instant, type Instant } from "../model/instant.ts";
import { transferableKinds } from "../model/transferable-kinds.ts";
import type { HeldFact, TopologyView } from "../resolve/resolver.ts";

/**
 * Gives a subject that its record does not name the name that it bore then; names decorate, ids identify. Of what can
 * change hands a name counts only from when it was whose it was at that moment: the owner is shown the name.
 */
export function withSubjectName(draft: EventDraft, view: TopologyView): EventDraft {
  if (draft.subjectName !== undefined) return draft;
  const [held] = view.targets(draft.subject, "named", draft.occurredAt);
  if (held === undefined) return draft;
  if (transferableKinds.has(draft.subject.kind) && !isOwnersName(draft, held, view)) return draft;
  return { ...draft, subjectName: held.fact.to.id };
}

function isOwnersName(draft: EventDraft, { fact, extended }: HeldFact, view: TopologyView): boolean {
  if (extended) return false;
  const seenAt = instant(Math.min(fact.lastAt ?? fact.at, draft.occurredAt));
  const ownersAt = (at: Instant) =>
    view
      .targets(draft.subject, "owned_by", at)
      .filter((owner) => !owner.extended)
      .map((owner) => entityKey(owner.fact.to));
  const before = ownersAt(seenAt);
  const then = draft.stated === undefined ? ownersAt(draft.occurredAt) : [entityKey(draft.stated.owner)];
  return before.length === 0 || then.length === 0 || before.every((owner) => then.includes(owner));
}
