import type { EntityRef } from "../model/entity.ts";
import type { Duration, Instant } from "../model/instant.ts";
import type { Correlatable } from "./correlatable.ts";
import type { Edge } from "./topology-paths.ts";

/** All that the ranking looks at; nothing is fetched here. */
export interface WhatElseInput<E extends Correlatable> {
  readonly target: {
    readonly event?: E;
    readonly resource?: EntityRef;
    /** Several symptoms asked about at once; the earliest stands for the moment. */
    readonly selection?: readonly E[];
    readonly at: Instant;
  };
  /** Events that began no later than the target, give or take the clocks' error. */
  readonly earlier: readonly E[];
  /** Events that began after it: never a cause, told apart as what followed. */
  readonly later?: readonly E[];
  /** The topology around them as of the target's moment. */
  readonly edges: readonly Edge[];
  /** How often each type usually occurs; a type that is absent was never seen before. */
  readonly rates: ReadonlyMap<string, UsualRate>;
  /** Which types were seen to lead to which, learnt over all; by `TYPE>TYPE`. */
  readonly pairs?: ReadonlyMap<string, TypePair>;
  /** By how much a connection's clock or polling may be wrong; absent for none. */
  readonly clockErrors?: ReadonlyMap<string, Duration>;
  /** Planned work that covers an event, by the event's id, in words. */
  readonly expected?: ReadonlyMap<string, string>;
  /** What people said of a pair of the target and a candidate before, by the candidate's id. */
  readonly verdicts?: ReadonlyMap<string, Verdict>;
  /** The other symptoms of the same stretch, which one cause may cover. */
  readonly symptoms?: readonly E[];
  readonly limit: number;
}

/** Usual events of one type per millisecond. */
export interface UsualRate {
  readonly perMs: number;
  /** At the same hours of the week alone, from at least two of them; absent where history is shorter. */
  readonly sameHoursPerMs?: number;
}

/** How much more often one type followed another than chance has it. */
export interface TypePair {
  readonly lift: number;
  /** From −1 (always after) to 1 (always before). */
  readonly direction: number;
  readonly together: number;
  /** Of so many together or more by chance. */
  readonly pValue: number;
}

/** What somebody made of a candidate. */
export type Verdict = "suspected" | "confirmed" | "ruled-out";
