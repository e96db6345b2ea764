import type { Instant } from "../../model/instant.ts";
import type { NotificationRule } from "../../model/notification.ts";
import type { Scope } from "../../model/scope.ts";
import type { Addresses } from "../../sources/source.ts";
import type { AuditTrail } from "../../store/audit-store.ts";
import type { EventReader, VisibleEvent } from "../../store/event-reader.ts";
import type { IncidentStore } from "../../store/incident-store.ts";
import type { NotificationStore, StandingRule } from "../../store/notification-store.ts";
import type { Poster } from "./message-post.ts";

/** With whose eyes a rule reads at this moment, or why it may not read at all any more. */
export type RuleRight = { readonly scope: Scope } | { readonly problem: string };

/** Where a rule's messages go, with what they are signed and let in by. Never logged, never stored. */
export interface OpenTarget {
  readonly url: string;
  readonly signingSecret: string;
  readonly authorization?: string;
}

/** What sends messages of the provider's rules, and what sends tenants': they may reach different addresses. */
export interface Outlet {
  readonly poster: Pick<Poster, "post">;
  readonly addresses: Pick<Addresses, "check">;
}

/** All that rules are run with; everything that time and chance decide is handed in. */
export interface NotifyTools {
  readonly store: NotificationStore;
  readonly reader: Pick<EventReader, "feed" | "event" | "coverage" | "woken">;
  readonly audit: AuditTrail;
  readonly incidents?: Pick<IncidentStore, "open">;
  /** Asked before every pass and before every message, so that a right that ends ends here too. */
  readonly rightOf: (rule: StandingRule) => Promise<RuleRight>;
  /** Whether the rule looks at an event that its scope shows. */
  readonly matcherOf: (rule: NotificationRule, scope: Scope) => Promise<(visible: VisibleEvent) => boolean>;
  /** Throws `config-invalid` where a secret is not to be found. */
  readonly openTarget: (rule: NotificationRule) => OpenTarget;
  readonly outletOf: (owner: NotificationRule["owner"]) => Outlet;
  /** The same text without any secret that is known. */
  readonly conceal: (text: string) => string;
  readonly now: () => Instant;
  readonly random: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly onError: (error: unknown, rule?: string) => void;
}

/** Lets a rule rest, and writes down why. */
export async function pauseRule(
  { store, audit, now }: Pick<NotifyTools, "store" | "audit" | "now">,
  rule: NotificationRule,
  why: string,
): Promise<void> {
  if (!(await store.pause(rule.id, why, now()))) return;
  await audit.append([
    {
      at: now(),
      action: "notification",
      outcome: "done",
      actor: { id: "isochron" },
      object: `notification-rule:${rule.id}`,
      details: { paused: true, because: why },
    },
  ]);
}
