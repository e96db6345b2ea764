import type { EntityRef } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import type { LengthHistory } from "./operation-length.ts";

/**
 * How an operation came out. *no-end-seen*: it is waited for longer than its kind takes, and its source would have told;
 * *unknown*: it may have ended while its source could not be heard.
 */
export const operationStates = ["ok", "failed", "running", "no-end-seen", "unknown"] as const;
export type OperationState = (typeof operationStates)[number];

/** A long workflow, rebuilt from what was recorded of it. */
export interface Operation {
  readonly id: string;
  readonly template: string;
  readonly title: string;
  readonly subject: EntityRef;
  readonly subjectName?: string;
  readonly plane: string;
  readonly requestId?: string;
  /** When it began; absent where its beginning was not seen. */
  readonly startedAt?: Instant;
  readonly endedAt?: Instant;
  readonly firstSeenAt: Instant;
  readonly lastSeenAt: Instant;
  readonly state: OperationState;
  /** One sentence about the state. */
  readonly says: string;
  /** True where it is waited for beyond what its kind usually takes, by a source that would have told its end. */
  readonly stuck: boolean;
  /** When it is, or was, waited for in vain; absent for what has ended. */
  readonly overdueAt?: Instant;
  /** How often it was begun. */
  readonly attempts: number;
  /** Steps, or the operations that it gathers, that are over and well, of all that are known. */
  readonly progress: { readonly done: number; readonly total: number };
  /** Steps that its kind has and of which nothing was seen. */
  readonly missing: readonly string[];
  readonly steps: readonly OperationStep[];
  readonly children: readonly Operation[];
  /** The operations before it on the same things. */
  readonly follows: readonly string[];
}

/** One step with what happened inside it. */
export interface OperationStep {
  readonly name: string;
  readonly subject: EntityRef;
  readonly subjectName?: string;
  readonly startedAt?: Instant;
  readonly endedAt?: Instant;
  readonly firstSeenAt: Instant;
  readonly lastSeenAt: Instant;
  readonly state: "ok" | "failed" | "open";
  readonly attempts: number;
  readonly events: readonly string[];
  readonly steps: readonly OperationStep[];
}

/** What the state of an operation depends on beside its events. */
export interface OperationContext {
  readonly now: Instant;
  readonly lengths: LengthHistory;
  /** Whether an end between the two moments could have been missed; `connections` are those that told of it so far. */
  readonly isBlind: (connections: readonly string[], from: Instant, to: Instant) => boolean;
}
