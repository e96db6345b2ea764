import type { Attribution, StoredEvent } from "../model/event.ts";
import type { Ruling, RulingMatch } from "../model/ruling.ts";
import type { Keyset } from "./event-reader.ts";

/** One version of a ruling; a withdrawn one repeats what it takes back. */
export interface RulingVersion extends Ruling {
  readonly withdrawn: boolean;
}

/** A ruling with all that was ever decided about it, latest first. */
export interface RulingHistory {
  readonly id: string;
  readonly versions: readonly [RulingVersion, ...RulingVersion[]];
}

/** All rulings in force, and the number under which they stood together. */
export interface RulingSet {
  readonly version: number;
  readonly rulings: readonly Ruling[];
}

/** A further version of a ruling, as a change that is decided. */
export interface RulingChange {
  readonly kind: "ruling";
  readonly version: RulingVersion;
  /** What the whole set stood at when the effect was looked at; absent where that does not matter. */
  readonly setVersion?: number;
}

/** A page of what a match may concern: exact in all but the words by which a record speaks of its subject. */
export interface MatchedPage {
  readonly events: readonly StoredEvent[];
  /** Where to go on; absent at the end. */
  readonly next?: MatchPlace;
}

/** A place among the matches: an event, and within the fold of a storm one of its members. */
export interface MatchPlace extends Keyset {
  readonly member?: Keyset;
}

/** What an event was answered with before. */
export interface EarlierAnswer {
  readonly eventId: string;
  readonly attribution: Attribution;
}

/** Reads of rulings and of what they concern. The provider's alone: callers let nobody else ask. */
export interface RulingStore {
  /** The number alone, which is one small read. */
  version(): Promise<number>;
  current(): Promise<RulingSet>;
  /** Latest decisions first, at most `limit` rulings. */
  list(limit: number): Promise<readonly RulingHistory[]>;
  find(id: string): Promise<RulingHistory | undefined>;
  /** How many events wait for, or rest on, each of the rulings, counted up to `most`. */
  resting(ids: readonly string[], most: number): Promise<ReadonlyMap<string, number>>;
  /**
   * Events that the match may concern, oldest first, members of storms instead of their folds: what no rule proves, and
   * where the match names a thing also what is proven.
   */
  matched(match: RulingMatch, limit: number, after?: MatchPlace): Promise<MatchedPage>;
  /** All answers that these events ever had and have no more. */
  earlierAnswers(eventIds: readonly string[]): Promise<readonly EarlierAnswer[]>;
}
