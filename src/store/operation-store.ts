import type { Instant } from "../model/instant.ts";

/** How often operations or steps of a kind took so long; `correlate/operation-length.ts` says what keys and bins are. */
export interface LengthCount {
  readonly key: string;
  readonly bin: number;
  readonly count: number;
}

/** How far the work at operations has come. */
export interface OperationProgress {
  readonly epoch: number;
  /** What began before has been counted in the lengths. */
  readonly learntTo?: Instant;
  /** Up to where what is old was looked through for ends that never came. */
  readonly sweptTo?: Instant;
}

/**
 * What is learnt of operations, over all tenants and about none, and who works at it. Operations themselves are not kept:
 * they are made of events whenever somebody asks.
 */
export interface OperationStore {
  lengths(): Promise<readonly LengthCount[]>;
  /** Takes the work for `leaseMs`; undefined where another holds it, or where it rests for `restMs` since the last pass. */
  take(holder: string, leaseMs: number, restMs: number): Promise<OperationProgress | undefined>;
  /** Counts lengths and moves on, in one transaction. Throws `fenced` where the work has passed on to another. */
  advance(
    epoch: number,
    progress: {
      readonly learntTo?: Instant;
      readonly sweptTo?: Instant;
      readonly lengths: readonly LengthCount[];
    },
  ): Promise<void>;
  release(epoch: number, passed: boolean): Promise<void>;
}
