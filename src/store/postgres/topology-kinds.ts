import { entityKey, type EntityRef } from "../../model/entity.ts";
import { relations, type KnownFact, type Relation } from "../../model/topology.ts";
import { everybodysKinds, shareableKinds } from "../../model/shared-kinds.ts";

export const pluralRelations: readonly Relation[] = Object.entries(relations).flatMap(([name, arity]) =>
  arity === "plural" ? [name as Relation] : [],
);

/** Where something was before it was first seen there nobody knows: a first observation says nothing of earlier. */
export const notExtended: readonly Relation[] = [
  "runs_on",
  "attached_to",
  "bound_to",
  "stored_on",
  "routed_by",
  "on_network",
  // What is deleted was there until then.
  "removed_from",
];

/**
 * What may be asked of these relations regardless of time: who ever used a thing and where the account ever worked, what
 * ever bore a name or an address.
 */
export const timeless: readonly Relation[] = [
  "concerns",
  "used_by",
  "works_in",
  "member_of",
  "named",
  "known_as",
  "has_address",
];

/**
 * The last by name of the relations that no rule which looks for an owner asks for (`attached_to`, `bound_to`): whoever
 * does begins after it, which costs nothing where the index goes by name. They are told to people, and to who looks for
 * what else changed.
 */
export const lastUnasked: Relation = "bound_to";

/** What so much points at that no answer depends on who newly does. */
export const hubKinds: readonly string[] = [
  "project",
  "domain",
  "name",
  "region",
  "flavor",
  "image",
  "network",
  "user",
  "group",
  "component",
];

/** What a record calls something by, in place of its id. */
export const aliasKinds: readonly string[] = ["name", "hostname", "libvirt_domain", "path", "ip", "mac"];

/** The relations by which something bears an alias: who is asked for an alias depends on who newly bears it. */
export const bearing: readonly Relation[] = ["named", "known_as", "has_address"];

/**
 * The things, beside names and addresses, of which the resolver may ask who used them: what may be shared, and all of
 * whom `told` holds no owner at any time. What bears one id is taken together, since it may be asked by its id.
 */
export function mayAskWhoUsed(
  things: readonly EntityRef[],
  told: readonly KnownFact[],
): readonly EntityRef[] {
  const owned = new Set<string>();
  for (const { from, relation, holds } of told)
    if (relation === "owned_by" && holds) owned.add(entityKey(from));
  const saysOwner = (thing: EntityRef): boolean =>
    owned.has(entityKey(thing)) && !shareableKinds.has(thing.kind);
  const others = things.filter(({ kind }) => !aliasKinds.includes(kind));
  return [...Map.groupBy(others, ({ id }) => id).values()].flatMap((bearers) => {
    if (bearers.every(({ kind }) => everybodysKinds.has(kind))) return [];
    const kinded = bearers.filter(({ kind }) => kind !== "resource");
    return kinded.length > 0 && kinded.every(saysOwner) ? [] : bearers;
  });
}
