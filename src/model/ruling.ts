import type { EntityRef } from "./entity.ts";
import type { Instant } from "./instant.ts";

/** Which waiting events a ruling is about; every field narrows, and one of them at least is there. */
export interface RulingMatch {
  readonly eventId?: string;
  readonly controlPlane?: string;
  readonly connection?: string;
  /** Exact, or a prefix ended by `*`: `alert.*`. */
  readonly type?: string;
  readonly subject?: EntityRef;
  /** A name, address or path by which the record speaks of its subject. */
  readonly alias?: EntityRef;
  /** Half-open span of the events' own time. */
  readonly from?: Instant;
  readonly to?: Instant;
}

export type RulingAnswer =
  | { readonly kind: "tenant"; readonly owner: EntityRef & { readonly kind: "project" | "domain" } }
  | { readonly kind: "provider" };

/**
 * What an operator decided about events that no rule could give an owner. It never overrules proof: where facts name
 * another owner, both stay candidates, with the provider.
 */
export interface Ruling {
  readonly id: string;
  /** Counts from 1; the highest that is not withdrawn holds. */
  readonly version: number;
  readonly match: RulingMatch;
  readonly answer: RulingAnswer;
  readonly by: string;
  readonly why: string;
  readonly decidedAt: Instant;
}
