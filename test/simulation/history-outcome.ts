import type { Site } from "./site.ts";

/** What was wrong with a history; the words are the columns of the tables of results. */
export const faultKinds = [
  "lost",
  "duplicate",
  "extra",
  "stale",
  "false claim",
  "unfenced",
  "acked unstored",
  "not said",
  "wrong revision",
  "error",
] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  readonly says: string;
  readonly atMs: number;
}

/** What became of one seed. */
export interface HistoryOutcome {
  readonly seed: number;
  readonly scenario: string;
  readonly sites: readonly Site[];
  readonly faults: readonly Fault[];
  readonly traceHash: string;
  readonly trace: readonly string[];
  /** Things that the source told, each of which had to be one event. */
  readonly elements: number;
  /** Those that were stored once. */
  readonly stable: number;
  /** Those that went again before any whole pass could see them. */
  readonly neverRead: number;
  /** Moments up to which the source was called complete, each compared with the truth. */
  readonly claims: number;
  readonly revisions: number;
  readonly setAside: number;
  /** Elements with which the source broke its contract. */
  readonly breaches: number;
  /** The most whole passes that an element had to wait for. */
  readonly worstMissed: number;
  readonly kills: number;
  readonly sleeps: number;
  readonly passes: number;
}
