import { entityKey } from "../model/entity.ts";
import type { EventDraft } from "../model/event.ts";
import { shareableKinds } from "../model/shared-kinds.ts";
import { workplaceOf, type Workplace } from "./account-projects.ts";
import { mentionedThings } from "./mention-rule.ts";
import { ownersOf } from "./owner-rule.ts";
import { toldKind } from "./shared-kinds.ts";
import type { Owner, Search } from "./search.ts";
import { aside, distinctOwners, isProviders, note } from "./search.ts";

const rule = "caller-of-one-tenant/1";

/**
 * The owner of a request's record by who made it, where the account could work for one project only. Several owners
 * where the record also speaks of another tenant's thing: then the account could do more than its roles tell. The
 * provider's staff works on everybody's things: there it is the thing that counts.
 */
export function ownersByCaller(draft: EventDraft, search: Search): readonly Owner[] {
  if (draft.subject.kind !== "request") return [];
  const callers = draft.related.filter(({ role, ref }) => role === "caller" && ref.kind === "user");
  const found = distinctOwners(callers.flatMap(({ ref }) => onlyProject(draft, ref, search) ?? []));
  const [own] = found;
  if (own === undefined || found.length > 1) return found;
  const foreign = foreignOwners(draft, own, search);
  return foreign.length > 0 && isProviders(own, search) ? [] : distinctOwners([own, ...foreign]);
}

function onlyProject(
  draft: EventDraft,
  caller: { kind: string; id: string },
  search: Search,
): Owner | undefined {
  const place = workplaceOf(caller, search.at, search);
  const refused = refusalOf(draft, place);
  for (const { role, through } of place.roles) {
    if (through !== undefined) note(search, through, rule, "derived", refused);
    note(search, role, rule, "derived", refused);
  }
  return refused === undefined ? place.only : undefined;
}

function refusalOf(draft: EventDraft, { roles, only }: Workplace): string | undefined {
  if (only === undefined) {
    return roles.some(({ role }) => role.fact.to.kind !== "project")
      ? "a role on more than a project lets the account work for many"
      : "the account works in several projects";
  }
  const asked = draft.actor?.projectId;
  return asked === undefined || asked === only.id
    ? undefined
    : `the request was made for project ${asked}, where the account is not known to work`;
}

/** Whose else the things are that the record speaks of; what is the provider's, or may be shared, is there for others too. */
function foreignOwners(draft: EventDraft, own: Owner, search: Search): readonly Owner[] {
  const mentioned = mentionedThings(draft).filter(
    (ref) => ref.kind !== "domain" && !shareableKinds.has(toldKind(ref, search)),
  );
  return mentioned.flatMap((ref) => {
    const apart = aside(search);
    const foreign = ownersOf(ref, apart).filter(
      (owner) => entityKey(owner) !== entityKey(own) && !isProviders(owner, search),
    );
    if (foreign.length > 0) {
      search.evidence.push(...apart.evidence, {
        rule,
        verdict: "rejected",
        confidence: "derived",
        says: `The request speaks of ${ref.kind} ${ref.id}, which is another tenant's.`,
        from: ref,
        to: foreign[0]!,
      });
    }
    return foreign;
  });
}
