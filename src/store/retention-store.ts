import type { Instant } from "../model/instant.ts";
import type { ErasureCounts, ErasureTarget, LegalHold, RetentionPolicy } from "../model/retention.ts";

/** What one batch looked at and deleted. */
export interface ExpiredBatch {
  readonly looked: number;
  readonly events: number;
  readonly editions: number;
  /** True when there is nothing more to look at in this pass. */
  readonly done: boolean;
}

/** An erasure that was asked for. */
export interface ErasureRecord {
  readonly id: string;
  /** Absent once it is done: then nothing tells who it was. */
  readonly target?: ErasureTarget;
  readonly why: string;
  readonly askedBy: string;
  readonly askedAt: Instant;
  readonly doneAt?: Instant;
  readonly counts: ErasureCounts;
}

/**
 * Deletes what is too old or to be erased, in batches of one transaction each. Every batch throws `fenced` once the
 * lease has passed on, and sees every hold that was placed before it began.
 */
export interface RetentionStore {
  /** Takes the lease of all this work; undefined while another holds it or, with `restMs`, it rests since the last pass. */
  take(holder: string, ttlMs: number, restMs?: number): Promise<number | undefined>;
  /** With `passed` a pass has ended. */
  release(epoch: number, passed: boolean): Promise<void>;
  /** Goes on from where the last batch ended; throws `erasure-unready` without a key. */
  expire(epoch: number, policy: RetentionPolicy, now: Instant, limit: number): Promise<ExpiredBatch>;
  /** Gives how many records were deleted; fewer than `limit` when there are no more. */
  expireSetAside(epoch: number, policy: RetentionPolicy, now: Instant, limit: number): Promise<number>;
  dropEmptyWeeks(epoch: number, policy: RetentionPolicy, now: Instant): Promise<number>;

  holds(): Promise<readonly LegalHold[]>;
  placeHold(hold: Omit<LegalHold, "id" | "lifted">): Promise<LegalHold>;
  /** Undefined where there is none that stands. */
  liftHold(id: string, lifted: NonNullable<LegalHold["lifted"]>): Promise<LegalHold | undefined>;

  erasures(): Promise<readonly ErasureRecord[]>;
  /** What an erasure would take now; nothing is changed. */
  countErasure(target: ErasureTarget): Promise<ErasureCounts>;
  requestErasure(request: {
    readonly target: ErasureTarget;
    readonly why: string;
    readonly by: string;
    readonly at: Instant;
  }): Promise<ErasureRecord>;
  /** Carries out one erasure as far as holds let it. */
  erase(epoch: number, id: string, now: Instant): Promise<ErasureRecord>;
  /** Forgets whose retractions they were, of erasures that were done before the moment. Gives how many it looked at. */
  forgetReaders(epoch: number, doneBefore: Instant): Promise<number>;
}
