import type { Instant } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";

/** Somebody's word that one monitor's alert tells of a problem of its own, whatever it overlaps with. */
export interface AlertSplit {
  /** `spl_` and 26 letters and digits. */
  readonly id: string;
  /** The series of alerts that stands alone from now on, as `seriesKey` in correlate/alert-episode.ts spells it. */
  readonly series: string;
  readonly by: string;
  readonly why: string;
  readonly at: Instant;
}

/** Splits of merged alerts; merging itself is derived and stored nowhere. The provider's alone. */
export interface AlertSplitStore {
  /** The split that stands for the series now: a new one, or the one that stood before. */
  split(split: Omit<AlertSplit, "id">): Promise<{ readonly split: AlertSplit; readonly fresh: boolean }>;
  /** False where there is none of that id, or it was taken back. */
  undo(id: string, by: string, at: Instant): Promise<boolean>;
  /** Those that stand, the latest first. A tenant's scope gets none. */
  standing(scope: Scope, limit: number): Promise<readonly AlertSplit[]>;
}
