import { relations, type Relation } from "../../model/topology.ts";

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
