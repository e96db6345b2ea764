import type { EntityRef } from "../model/entity.ts";
import { entityKey } from "../model/entity.ts";
import type { Search } from "./search.ts";

/** Kinds that everybody starts something from: a record that only says the name of one may be anybody's. */
export const startedFromKinds: ReadonlySet<string> = new Set(["image", "flavor", "volume_type"]);

/** The kind of the thing, also where the record gave its id without it and facts tell the kind; `resource` where none does. */
export function toldKind(ref: EntityRef, { view, lookedAt }: Search): string {
  if (ref.kind !== "resource") return ref.kind;
  lookedAt.add(entityKey(ref));
  const told = (["owned_by", "named", "used_by"] as const).flatMap((relation) =>
    view.everTargets(ref, relation).map(({ fact }) => fact.from.kind),
  );
  return told.find((kind) => kind !== "resource") ?? ref.kind;
}
