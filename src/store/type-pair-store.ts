import type { Instant } from "../model/instant.ts";

/** How often one type was seen before another on things that hang together; of types, never of tenants. */
export interface StoredTypePair {
  readonly cause: string;
  readonly effect: string;
  readonly lift: number;
  /** From −1 (always after) to 1 (always before). */
  readonly direction: number;
  readonly together: number;
  readonly pValue: number;
}

/** What was learnt of types that occur together; replaced whole each time that it is learnt anew. */
export interface TypePairStore {
  /** The pairs whose effect is one of `effects` and whose cause one of `causes`. */
  pairs(effects: readonly string[], causes: readonly string[]): Promise<readonly StoredTypePair[]>;
  replace(
    pairs: readonly StoredTypePair[],
    learnt: { readonly from: Instant; readonly to: Instant },
  ): Promise<void>;
  /** Undefined before anything was learnt. */
  learntAt(): Promise<{ readonly at: Instant; readonly from: Instant; readonly to: Instant } | undefined>;
}
