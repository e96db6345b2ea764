import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import type { HeldFact } from "./resolver.ts";
import type { Owner, Search } from "./search.ts";

/** Where an account works, as far as the assigned roles tell: each step that leads there, and the only project, if one. */
export interface Workplace {
  /** Role assignments, each with the membership of the group that has it. */
  readonly roles: readonly { readonly role: HeldFact; readonly through?: HeldFact }[];
  /** The project, where all roles are in one and none is on anything wider. */
  readonly only?: Owner;
}

/**
 * Where the account worked: as of a moment, or (`undefined`) ever. A role on a domain or on the system reaches many
 * projects, so that nothing is left that could be the only one.
 */
export function workplaceOf(account: EntityRef, at: Instant | undefined, search: Search): Workplace {
  const { view, lookedAt } = search;
  const ask = (from: EntityRef, relation: "works_in" | "member_of"): readonly HeldFact[] => {
    lookedAt.add(entityKey(from));
    return at === undefined ? view.everTargets(from, relation) : view.targets(from, relation, at);
  };
  const direct = ask(account, "works_in").map((role) => ({ role }));
  const groups = ask(account, "member_of").filter(({ fact }) => fact.to.kind === "group");
  const throughGroups = groups.flatMap((through) =>
    ask(through.fact.to, "works_in").map((role) => ({ role, through })),
  );
  const roles = [...direct, ...throughGroups];
  const places = new Map(roles.map(({ role }) => [entityKey(role.fact.to), role.fact.to]));
  const [place] = places.values();
  if (places.size !== 1 || place?.kind !== "project") return { roles };
  return { roles, only: place as Owner };
}
