import { instant, type Instant } from "../../model/instant.ts";
import type {
  DeliveryState,
  NotificationDelivery,
  NotificationDraft,
  NotificationRule,
  RuleMaker,
} from "../../model/notification.ts";
import type { StandingRule } from "../notification-store.ts";

export interface StandingRow {
  readonly definition: NotificationRule;
  readonly mark: string;
  readonly revision: number;
  readonly paused_at: number | null;
  readonly paused_why: string | null;
  readonly confirmed_at: number;
  readonly maker: RuleMaker;
  readonly matched: number;
  readonly too_old: number;
  readonly messages: number;
}

/** Of a join of standings as `s` with the rules that they stand at as `r`. */
export const standingColumns = `r.definition, s.mark, s.revision, s.paused_at, s.paused_why, s.confirmed_at, s.maker,
  s.matched, s.too_old, s.messages`;

export const standingJoin =
  "isochron.notification_standing s JOIN isochron.notification_rule r ON r.id = s.rule AND r.version = s.version";

export interface DeliveryRow {
  readonly id: string;
  readonly rule: string;
  readonly rule_version: number;
  readonly draft: NotificationDraft;
  readonly state: DeliveryState;
  readonly made_at: number;
  readonly waiting_since: number;
  readonly attempts: number;
  readonly next_at: number;
  readonly settled_at: number | null;
  readonly last_answer: string | null;
}

export const deliveryColumns = `d.id, d.rule, d.rule_version, d.draft, d.state, d.made_at, d.waiting_since, d.attempts, d.next_at, d.settled_at,
  d.last_answer`;

export function toStandingRule(row: StandingRow): StandingRule {
  const { definition, mark, revision, maker, matched, too_old: tooOld, messages } = row;
  return {
    rule: definition,
    standing: {
      mark,
      revision,
      ...(row.paused_at === null
        ? {}
        : { paused: { at: instant(row.paused_at), why: row.paused_why ?? "" } }),
      confirmedAt: instant(row.confirmed_at),
      maker,
      counts: { matched, tooOld, messages },
    },
  };
}

export function toDelivery(row: DeliveryRow): NotificationDelivery {
  return {
    id: row.id,
    rule: row.rule,
    ruleVersion: row.rule_version,
    draft: row.draft,
    state: row.state,
    madeAt: instant(row.made_at),
    waitingSince: instant(row.waiting_since),
    attempts: row.attempts,
    nextAt: instant(row.next_at),
    ...(row.settled_at === null ? {} : { settledAt: instant(row.settled_at) }),
    ...(row.last_answer === null ? {} : { lastAnswer: row.last_answer }),
  };
}

export function momentOf(value: number | null | undefined): Instant | undefined {
  return value === null || value === undefined ? undefined : instant(value);
}
