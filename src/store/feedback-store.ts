import type { Instant } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";

/** What people say of a change that lay before a symptom. */
export const verdicts = ["suspected", "confirmed", "ruled-out"] as const;
export type FeedbackVerdict = (typeof verdicts)[number];

/** One person's word on one pair. A later word of anybody stands before an earlier one; nothing is overwritten. */
export interface Feedback {
  /** Ids of events. */
  readonly symptom: string;
  readonly candidate: string;
  /** Null takes it back. */
  readonly verdict: FeedbackVerdict | null;
  readonly why: string;
  readonly by: string;
  readonly at: Instant;
  /** The addends that were shown, so that weights can be fitted to what people saw. */
  readonly addends: readonly { readonly name: string; readonly value: number }[];
}

/** The provider's; tenants neither give nor see any. */
export interface FeedbackStore {
  give(feedback: Feedback): Promise<void>;
  /** The word that stands for each candidate of the symptom. */
  about(scope: Scope, symptom: string): Promise<readonly Feedback[]>;
  /** All that stand, oldest first, to fit weights to. */
  all(): Promise<readonly Feedback[]>;
}
