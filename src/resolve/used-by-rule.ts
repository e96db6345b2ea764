import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import { everybodysKinds } from "../model/shared-kinds.ts";
import { workplaceOf } from "./account-projects.ts";
import type { HeldFact } from "./resolver.ts";
import type { Owner, Search } from "./search.ts";
import { distinctOwners, inSilence, isProviders, note } from "./search.ts";

const rule = "used-by-one/1";

/** Kinds that everybody may use, or that are the provider's: who spoke of one tells nothing. */
const sharedByNature = new Set([
  "image",
  "share",
  "zone",
  "recordset",
  "secret",
  "transfer",
  ...everybodysKinds,
]);

/**
 * The tenant of a thing whose owner nothing ever stated: the only one whose accounts spoke of it. An account that
 * works in several projects, or in none that is known, says nothing, nor does the provider's own.
 */
export function ownersByUse(things: readonly EntityRef[], search: Search): readonly Owner[] {
  const found = things.flatMap((thing) => ownerByUse(thing, search) ?? []);
  const owners = distinctOwners(found);
  return owners.length === 1 ? owners : [];
}

function ownerByUse(thing: EntityRef, search: Search): Owner | undefined {
  if (sharedByNature.has(thing.kind)) return undefined;
  search.lookedAt.add(entityKey(thing));
  if (search.view.everTargets(thing, "owned_by").length > 0 || isMarkedShared(thing, search))
    return undefined;
  // What was told of an id without its kind is told of this thing as well.
  if (thing.kind !== "resource") search.lookedAt.add(`resource:${thing.id}`);
  const callers = oneTenantCallers(thing, search);
  // Whoever spoke of it, also an operator, may have told its kind.
  const told = search.view.everTargets(thing, "used_by").map(({ fact }) => fact.from.kind);
  const kinds = new Set([thing.kind, ...told]);
  kinds.delete("resource");
  // An id of which no request told the kind may be an image's as well.
  if (kinds.size === 0 || [...kinds].some((kind) => sharedByNature.has(kind))) return undefined;
  const owners = distinctOwners(callers.map(({ owner }) => owner));
  const refused = owners.length > 1 ? "accounts of several tenants spoke of it" : undefined;
  for (const { held } of callers) note(search, held, rule, "derived", refused);
  return refused === undefined ? owners[0] : undefined;
}

/** A network that its source says to be external or shared is a member of one of these. */
function isMarkedShared(thing: EntityRef, search: Search): boolean {
  return search.view.everTargets(thing, "member_of").some(({ fact }) => fact.to.kind === "component");
}

/** Whether accounts of several tenants spoke of the thing. */
export function isUsedBySeveral(thing: EntityRef, search: Search): boolean {
  return distinctOwners(oneTenantCallers(thing, search).map(({ owner }) => owner)).length > 1;
}

export interface Caller {
  readonly owner: Owner;
  /** The request's record of which account spoke of the thing. */
  readonly held: HeldFact;
}

/** The accounts that ever spoke of the thing and ever worked for one tenant's project only. */
export function oneTenantCallers(thing: EntityRef, search: Search): readonly Caller[] {
  return search.view.everTargets(thing, "used_by").flatMap((held) => {
    const { only } = workplaceOf(held.fact.to, undefined, search);
    return only === undefined || isProviders(only, inSilence(search)) ? [] : [{ owner: only, held }];
  });
}
