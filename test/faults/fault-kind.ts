import type { Lab } from "./lab.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** What a kind of fault came to. */
export interface Outcome {
  /** How often the fault struck. */
  readonly injected: number;
  /** How long each strike was felt: until everything told before its end was stored. */
  readonly recoveredMs: readonly number[];
  readonly expected: number;
  readonly lost: readonly string[];
  readonly duplicate: readonly string[];
  readonly extra: readonly string[];
  readonly falseClaims: readonly string[];
  readonly claims: number;
  /** Whatever else must not be: vanished events, answers that hung, another tenant's events, a bound overrun. */
  readonly violations: readonly string[];
  readonly kills?: Readonly<Record<string, number>>;
  readonly frames?: { readonly struck: number; readonly of: number };
  readonly note?: string;
}

export interface FaultKind {
  readonly name: string;
  readonly says: string;
  /** Struck in the short run too. */
  readonly short: boolean;
  /** Undefined where it can be tried here, else why not. */
  readonly missing?: () => string | undefined;
  run(lab: Lab, random: SeededRandom, scale: Scale): Promise<Outcome>;
}

/** How much of a kind a run does. */
export interface Scale {
  readonly short: boolean;
  /** Numbers the runs of one kind in a long run. */
  readonly round: number;
}
