import type { AttributionStatus, Category, EventKind, Severity } from "./event.ts";
import type { Grant } from "./identity.ts";
import type { IncidentState } from "./incident.ts";
import type { Duration, Instant } from "./instant.ts";
import type { TenantKey } from "./tenant.ts";

/** How a message is written: CloudEvents 1.0, Slack's incoming webhooks, Alertmanager's API v2, or plain JSON. */
export const notificationFormats = ["cloudevents", "slack", "alertmanager", "webhook"] as const;
export type NotificationFormat = (typeof notificationFormats)[number];

/** What matching events are gathered by; without any, all of a rule's are one group. */
export const ruleGroupings = ["tenant", "resource", "type", "host"] as const;
export type RuleGrouping = (typeof ruleGroupings)[number];

/** Which events a rule looks at, as the event list is asked for them; times are none of it, because a rule looks ahead. */
export interface RuleQuery {
  readonly tenant?: string;
  readonly project?: string;
  readonly customer?: string;
  readonly resource?: string;
  readonly kind?: readonly EventKind[];
  readonly category?: readonly Category[];
  readonly type?: readonly string[];
  readonly severity?: Severity;
  readonly source?: readonly string[];
  readonly attribution?: readonly AttributionStatus[];
  readonly q?: string;
}

/** When the events that a rule looks at become a message. */
export type RuleCondition =
  | { readonly kind: "each" }
  /** `count` events of a group within the span, by when they happened. */
  | { readonly kind: "at-least"; readonly count: number; readonly withinMs: Duration }
  /** None for the span, since the last one or since the rule was made. */
  | { readonly kind: "absence"; readonly spanMs: Duration }
  /** An event of a group is worse than the one before it. */
  | { readonly kind: "severity-rise" }
  /** An incident came into one of the states. */
  | { readonly kind: "incident-state"; readonly states: readonly IncidentState[] };

/** Whose a rule is: it is told what that reader is shown, and nothing else. */
export type RuleOwner = "provider" | TenantKey;

/**
 * What of its owner's a rule may ever be told. Fixed when the rule is made: nobody can later widen what a rule tells to
 * an address that somebody else had chosen.
 */
export type RuleReach = "operational" | "security";

/** On whose right a rule rests, as it was known when they last showed it. */
export interface RuleMaker {
  /** As `Principal.subject`. */
  readonly subject: string;
  readonly name: string;
  readonly grants: readonly Grant[];
}

/** One version of a rule. */
export interface NotificationRule {
  /** `ntf_` and 20 hex digits. */
  readonly id: string;
  readonly version: number;
  readonly owner: RuleOwner;
  readonly reach: RuleReach;
  readonly name: string;
  readonly enabled: boolean;
  readonly query: RuleQuery;
  readonly condition: RuleCondition;
  readonly groupBy: readonly RuleGrouping[];
  /** No second message of the same group within it; what comes meanwhile is told at its end. 0 for none. */
  readonly quietMs: Duration;
  /** What happened longer ago than this when it becomes known is counted and not told. */
  readonly horizonMs: Duration;
  readonly format: NotificationFormat;
  readonly target: RuleTarget;
  /** Opens an incident of the same key once for each group. The provider's alone. */
  readonly opensIncident: boolean;
  readonly maker: RuleMaker;
  readonly decidedAt: Instant;
}

/** Where messages go. The address itself is sealed, since many hold a secret. */
export interface RuleTarget {
  /** `https://hooks.example.org`: all of the address that is ever shown. */
  readonly origin: string;
  /** The whole address under the server's secret, in base64. */
  readonly sealedUrl: string;
  /** Reference of the secret that messages are signed with; a derived one where absent. */
  readonly signingSecret?: string;
  /** Reference of the value of the `Authorization` header. */
  readonly authorization?: string;
}

/** *Correction*: of an earlier message what it told is no longer the reader's to see. *Ended*: what was missing came. */
export const messageKinds = ["events", "absence", "ended", "correction", "test"] as const;
export type MessageKind = (typeof messageKinds)[number];

/** A message as it waits to be sent: it names events and holds nothing of them. They are read when it is sent. */
export interface NotificationDraft {
  readonly kind: MessageKind;
  /** Lower-case hex SHA-256 of the group's key, so that the key of a group is kept in one place alone. */
  readonly group: string;
  /** Oldest first, at most `messageEventsMax`. */
  readonly events: readonly string[];
  /** How many more there were than `events` lists. */
  readonly more: number;
  /** True where all happened long before they became known. */
  readonly late: boolean;
  /** The last moment that an expected event was seen, of an absence. */
  readonly since?: Instant;
  /** Of a correction: the id of the message. */
  readonly corrects?: string;
  /** Of a correction: whether nothing of that message stands any more. */
  readonly whole?: boolean;
}

export const messageEventsMax = 100;

/** *Withdrawn*: when it was to be sent, nothing of it was the reader's to see. */
export const deliveryStates = ["waiting", "sent", "dead", "withdrawn"] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** What became of a message. */
export interface NotificationDelivery {
  /** The idempotency key: `webhook-id`, the same at every try. */
  readonly id: string;
  readonly rule: string;
  readonly ruleVersion: number;
  readonly draft: NotificationDraft;
  readonly state: DeliveryState;
  readonly madeAt: Instant;
  /** Since when it waits: since it was made, or was made to wait again. */
  readonly waitingSince: Instant;
  readonly attempts: number;
  /** When it is tried next, while it waits. */
  readonly nextAt: Instant;
  readonly settledAt?: Instant;
  /** What the target answered last, in a sentence without secrets. */
  readonly lastAnswer?: string;
}
