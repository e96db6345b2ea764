import type { EntityRef } from "../model/entity.ts";
import type { StoredEvent } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";
import type { KnownFact, Relation } from "../model/topology.ts";
import type { Keyset, TenantEvent, VisibleEvent } from "./event-reader.ts";

/** An event as far as ranking looks at it; a tenant's has no actor, connection or control plane. */
export type NearEvent = Pick<
  TenantEvent,
  | "id"
  | "occurredAt"
  | "precision"
  | "type"
  | "kind"
  | "category"
  | "phase"
  | "severity"
  | "subject"
  | "subjectName"
  | "related"
  | "operation"
  | "summary"
  | "details"
> &
  Partial<Pick<StoredEvent, "actor" | "changes" | "connection" | "controlPlane">>;

/** Where to look, and how far. Times are half-open. */
export interface NearQuestion {
  /** Absent for all. */
  readonly controlPlane?: string;
  /** What is looked through for the whole estate, and for what stands beside. */
  readonly window: { readonly from: Instant; readonly to: Instant };
  /** How far back what happened to the things themselves is looked up. */
  readonly longFrom: Instant;
  /** How far on what followed is looked up. */
  readonly until: Instant;
  /** What is asked about. */
  readonly starts: readonly EntityRef[];
  /** What it stands on and hangs together with. */
  readonly near: readonly EntityRef[];
  /** What stands on the same, which many may. */
  readonly beside: readonly EntityRef[];
  readonly requests: readonly string[];
  readonly actors: readonly string[];
  /** From where on usual rates are taken, as of the hour of `at`. */
  readonly usualFrom: Instant;
  readonly at: Instant;
}

/** One way of looking that found more than it takes, in a few words, with how many it took at most. */
export interface Cut {
  readonly of: string;
  readonly most: number;
}

export interface NearEvents {
  /** How often the types among them usually occur; a type that is absent did not occur before. */
  readonly usual: readonly TypeUsual[];
  /** Before `window.to`, each once; newest first. */
  readonly earlier: readonly NearEvent[];
  /** From `window.to` on, oldest first. */
  readonly later: readonly NearEvent[];
  readonly cut: readonly Cut[];
}

/** How often a type usually occurs, per millisecond. */
export interface TypeUsual {
  readonly type: string;
  readonly perMs: number;
  /** At the same hour of earlier weeks, from at least two of them. */
  readonly sameHoursPerMs?: number;
}

/** What ranking needs of the store, in bounded reads. Each is one read-only transaction on the scope's own login. */
export interface CorrelationReader {
  /** Each of the ids that is in scope, in no order; also members of storms. Some only where one of them is not. */
  events(scope: Scope, ids: readonly string[]): Promise<readonly VisibleEvent[]>;
  /** The same where it is known when they were. */
  eventsAt(scope: Scope, places: readonly Keyset[]): Promise<readonly VisibleEvent[]>;
  near(scope: Scope, question: NearQuestion): Promise<NearEvents>;
  /** What was observed of the things along these relations, as change points. Provider's knowledge. */
  facts(
    controlPlane: string,
    things: readonly EntityRef[],
    only: readonly Relation[],
  ): Promise<readonly KnownFact[]>;
  /** What ever pointed at the targets, at most `most` for each; provider's knowledge. */
  pointing(controlPlane: string, targets: readonly PointedAt[], most: number): Promise<Pointing>;
}

export interface PointedAt {
  readonly ref: EntityRef;
  readonly relation: Relation;
}

export interface Pointing {
  readonly refs: readonly EntityRef[];
  /** Targets that more things point at than were taken. */
  readonly cut: readonly EntityRef[];
}
