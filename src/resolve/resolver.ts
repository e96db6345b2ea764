import type { EntityRef } from "../model/entity.ts";
import type { EventDraft, ResolvedEvent } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import type { KnownFact, Relation } from "../model/topology.ts";

/**
 * The topology around one page of drafts, as of any moment. Pure: it was loaded beforehand. A ref of kind `resource`
 * stands for whatever bears that id: it is answered with all that is known of the id, whatever kind a source gave it.
 */
export interface TopologyView {
  readonly controlPlane: string;
  /**
   * The facts of `relation` that held for `from` at `at`. For single relations at most one; what is
   * only known from a later observation is given with `extended: true` where the relation allows it.
   */
  targets(from: EntityRef, relation: Relation, at: Instant): readonly HeldFact[];
  /** The facts of `relation` by which something pointed at `to` at `at`. */
  origins(to: EntityRef, relation: Relation, at: Instant): readonly HeldFact[];
  /** Whether more than `origins` and `everOrigins` can give ever pointed at `to`: what they give is then at least so much. */
  isCut(to: EntityRef, relation: Relation): boolean;
  /** What `from` was ever seen to point at, whenever that was: of each target since when, without an end. */
  everTargets(from: EntityRef, relation: Relation): readonly HeldFact[];
  /** What was ever seen to point at `to`, whenever that was: of each origin since when, without an end. */
  everOrigins(to: EntityRef, relation: Relation): readonly HeldFact[];
}

/** A fact as of a moment: since when and until when it is known to have held. */
export interface HeldFact {
  readonly fact: KnownFact;
  readonly validFrom: Instant;
  readonly validUntil?: Instant;
  /** True when the moment asked for lies before the first observation. */
  readonly extended: boolean;
}

export interface ResolvedDraft extends ResolvedEvent {
  /** Keys of the mentioned entities that are proven to be the owner's own; only these may be shown to it. */
  readonly ownEntities: readonly string[];
  /** Of a shared answer, by entity key: what each affected tenant itself called its resources then, where that is known. */
  readonly names?: ReadonlyMap<string, string>;
}

/** Attributes a page of drafts as of each one's own moment. Pure: same drafts and view, same answer. */
export type Resolver = (
  drafts: readonly EventDraft[],
  connection: string,
  topology: TopologyView,
) => readonly ResolvedDraft[];
