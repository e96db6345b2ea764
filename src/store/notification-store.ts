import type { Severity } from "../model/event.ts";
import type { Instant } from "../model/instant.ts";
import type {
  NotificationDelivery,
  NotificationDraft,
  NotificationRule,
  RuleMaker,
} from "../model/notification.ts";
import type { Scope } from "../model/scope.ts";

/** How a rule stands between its passes. */
export interface RuleStanding {
  /** Where in the feed of its reader the rule has come to: a `FeedPosition`'s mark. */
  readonly mark: string;
  /** Goes up with every pass and every decision; a pass that began under another writes nothing. */
  readonly revision: number;
  /** Since when it rests, and why, for people. */
  readonly paused?: { readonly at: Instant; readonly why: string };
  /** When its maker last showed the right that it rests on, and with what. */
  readonly confirmedAt: Instant;
  readonly maker: RuleMaker;
  readonly counts: RuleCounts;
}

/** Over the rule's whole life. */
export interface RuleCounts {
  readonly matched: number;
  /** Too long ago when they became known: told to nobody. */
  readonly tooOld: number;
  readonly messages: number;
}

/** A rule as it stands. */
export interface StandingRule {
  readonly rule: NotificationRule;
  readonly standing: RuleStanding;
}

/** What a rule remembers of one group. */
export interface RuleGroup {
  /** Lower-case hex SHA-256 of the group's key. */
  readonly hash: string;
  /** In words, such as `server:4711`; empty for the group of everything. */
  readonly label: string;
  /** When the latest of its events happened. */
  readonly seenAt?: Instant;
  /** The id of that one. */
  readonly seenEvent?: string;
  readonly severity?: Severity;
  /** Events that count towards a number of them, by when they happened. */
  readonly recent: readonly { readonly id: string; readonly at: Instant }[];
  /** Until when nothing more is told. */
  readonly quietUntil?: Instant;
  /** What is to be told then. */
  readonly held: readonly string[];
  readonly heldMore: number;
  /** True while it is told as missing. */
  readonly missing: boolean;
}

/** An event that a message told of. */
export interface ToldEvent {
  readonly event: string;
  readonly message: string;
  /** Hash of the group that the message was about; empty where that is not known any more. */
  readonly group: string;
  /** How many of the message's events still stand, this one among them. */
  readonly standing: number;
}

/** One pass of a rule; all of it commits, or none. */
export interface RulePass {
  readonly rule: string;
  readonly ruleVersion: number;
  /** The revision that it began under. */
  readonly revision: number;
  readonly mark: string;
  readonly groups: readonly RuleGroup[];
  readonly drafts: readonly NotificationDraft[];
  /** Events whose messages are taken back; their corrections are among `drafts`. */
  readonly untold: readonly string[];
  readonly matched: number;
  readonly tooOld: number;
  readonly at: Instant;
}

/** A message that is somebody's to send until somebody else has claimed it. */
export interface ClaimedDelivery {
  /** Tells this claim from those after it. */
  readonly claim: number;
  readonly delivery: NotificationDelivery;
  readonly standing: StandingRule;
  /** As `RuleGroup.label`. */
  readonly groupLabel: string;
  /** Of a correction: what became of the message that it corrects. */
  readonly corrected?: NotificationDelivery["state"];
}

/** What became of one try. */
export type DeliveryOutcome =
  | { readonly kind: "sent" | "withdrawn" | "dead"; readonly answer?: string }
  | { readonly kind: "again"; readonly nextAt: Instant; readonly answer?: string; readonly counts: boolean };

/** Numbers for operators, without a name of anybody's. */
export interface NotificationTally {
  readonly rules: number;
  readonly paused: number;
  readonly waiting: number;
  readonly dead: number;
  readonly sent: number;
  readonly withdrawn: number;
  readonly tooOld: number;
  /** Messages ever made. */
  readonly messages: number;
  /** When the oldest of those that wait was made, of enabled rules. */
  readonly oldestWaitingAt?: Instant;
}

/** Rules, what they remember, and what waits to be sent. Readers see their own by their own login. */
export interface NotificationStore {
  /**
   * Writes a version. The first starts the rule at `mark`, the reader's feed as it is now; a later one throws
   * `notification-changed` unless it follows the latest.
   */
  decide(rule: NotificationRule, mark: string): Promise<StandingRule>;
  /** Rules that the scope may see as they stand, by name. */
  list(scope: Scope, limit: number): Promise<readonly StandingRule[]>;
  find(scope: Scope, id: string): Promise<StandingRule | undefined>;
  /** All versions, latest first. */
  history(scope: Scope, id: string): Promise<readonly NotificationRule[]>;
  /** Latest first. */
  deliveries(scope: Scope, rule: string, limit: number): Promise<readonly NotificationDelivery[]>;
  delivery(scope: Scope, id: string): Promise<NotificationDelivery | undefined>;

  /** Every enabled rule, for the passes. */
  running(): Promise<readonly StandingRule[]>;
  groups(rule: string): Promise<readonly RuleGroup[]>;
  /** Which of the events were told. */
  told(rule: string, events: readonly string[]): Promise<readonly ToldEvent[]>;
  /**
   * Writes the messages, what is remembered and the place in the feed in one transaction. Undefined, and nothing
   * written, when the revision is another by now; else the ids of the messages, as many as drafts.
   */
  commit(pass: RulePass): Promise<readonly string[] | undefined>;
  /** A message outside any pass: a test. */
  enqueue(rule: NotificationRule, draft: NotificationDraft, at: Instant): Promise<NotificationDelivery>;

  /**
   * The message that is due and the oldest that waits of its rule, or the one of the id; it is the caller's for
   * `holdMs`. Undefined where none is due.
   */
  claim(at: Instant, holdMs: number, id?: string): Promise<ClaimedDelivery | undefined>;
  /** False when it was claimed again since, so that the outcome is another's to tell. */
  settle(claimed: ClaimedDelivery, outcome: DeliveryOutcome, at: Instant): Promise<boolean>;
  /** Makes dead ones wait again, all of a rule's or one; how many. */
  revive(rule: string, at: Instant, delivery?: string): Promise<number>;

  pause(rule: string, why: string, at: Instant): Promise<boolean>;
  /** The maker showed what they may do now: from here on all their rules rest on that. */
  confirmMaker(maker: RuleMaker, at: Instant): Promise<void>;
  /** Forgets what was settled, and told, before the moment. */
  sweep(before: Instant): Promise<void>;
  tally(): Promise<NotificationTally>;
}
