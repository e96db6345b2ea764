import type { EntityRef } from "../model/entity.ts";
import type { EventDraft } from "../model/event.ts";
import type { Container } from "./alias-container.ts";
import { isInGap } from "./owner-rule.ts";
import type { HeldFact } from "./resolver.ts";
import type { Search } from "./search.ts";

/** A name, address or path by which a record speaks of its subject, of one kind of thing where the record tells it. */
export interface Alias {
  readonly ref: EntityRef;
  readonly bearerKind?: string;
}

/**
 * Kinds of alias that OpenStack itself gives out, unique within a control plane. Names, host names, addresses and MACs
 * a tenant chooses, any CIDR included, so that something that OpenStack does not know may well bear the same.
 */
const givenOut = new Set(["libvirt_domain", "path"]);

/**
 * Whether that this bore the alias proves that it was meant: it is an alias that no tenant can choose, or the record
 * proves the place and the bearer was there. What no tenant is shown anyway may go by a name alone: whoever takes
 * another's name gains nothing by it.
 */
export function isBearerProven(
  bearer: HeldFact,
  { ref, bearerKind }: Alias,
  containers: readonly Container[],
  draft: EventDraft,
  search: Search,
): boolean {
  // Domains' names are unique and the provider's to give; a floating address comes from the provider's own pool.
  if (givenOut.has(ref.kind) || bearerKind === "domain") return true;
  if (ref.kind === "ip" && bearer.fact.from.kind === "floating_ip") return true;
  if (ref.kind === "name" && draft.visibility === "provider") return true;
  return containers.some((container) =>
    container.ref.kind === "host"
      ? search.view
          .targets(bearer.fact.from, "runs_on", search.at)
          .some((held) => held.fact.to.id === container.ref.id && !isInGap(held, search.at))
      : provesOwner(container),
  );
}

/**
 * Whether who spoke of a name may have meant a thing of its own here. Anybody may ask for any name, so that within a
 * domain of several projects it tells nothing.
 */
export function isCallerProven(containers: readonly Container[], draft: EventDraft): boolean {
  return (
    draft.visibility === "provider" ||
    containers.some((container) => container.ref.kind !== "domain" && provesOwner(container))
  );
}

/** Owners outside of it were refused already; a request proves something once its own records name an owner. */
function provesOwner({ ref, projects }: Container): boolean {
  return ref.kind === "project" || ref.kind === "domain" || projects.size > 0;
}
