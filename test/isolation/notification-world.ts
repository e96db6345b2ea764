import { duration, type Instant } from "../../src/model/instant.ts";
import type { NotificationRule } from "../../src/model/notification.ts";
import { domainKey, projectKey } from "../../src/model/tenant.ts";
import type { Notifications } from "../../src/present/api/notification-parts.ts";
import type { Store } from "../../src/store/store.ts";

export type RuleName = "a1" | "b" | "operators" | "admins";

/** Of a project, of a domain, and of the provider with and without what is withheld from operators. */
export function matrixRules(plane: string, at: Instant): Readonly<Record<RuleName, NotificationRule>> {
  return {
    a1: ruleOf(at, "0", projectKey(plane, "p-a1"), "security"),
    b: ruleOf(at, "1", domainKey(plane, "d-b"), "security"),
    operators: ruleOf(at, "2", "provider", "operational"),
    admins: ruleOf(at, "3", "provider", "security"),
  };
}

function ruleOf(
  decidedAt: Instant,
  digit: string,
  owner: NotificationRule["owner"],
  reach: NotificationRule["reach"],
): NotificationRule {
  return {
    id: `ntf_${digit.repeat(20)}`,
    version: 1,
    owner,
    reach,
    name: `whole-rule-${digit}`,
    enabled: false,
    query: {},
    condition: { kind: "each" },
    groupBy: [],
    quietMs: duration(0),
    horizonMs: duration(1),
    format: "webhook",
    target: { origin: `https://whole-target-${digit}.example.org`, sealedUrl: "" },
    opensIncident: false,
    maker: { subject: "viewer", name: "maker", grants: [] },
    decidedAt,
  };
}

export async function fillRules({ notifications }: Store, plane: string, at: Instant): Promise<void> {
  for (const rule of Object.values(matrixRules(plane, at))) {
    await notifications.decide(rule, "0:");
    const draft = { kind: "events", group: "", events: [], more: 0, late: false } as const;
    await notifications.enqueue(rule, draft, at);
  }
}

/** Nothing leaves the matrix. */
export function silentNotifications(store: Store): Notifications {
  return {
    store: store.notifications,
    fireTest: async (rule) => {
      const [delivery] = await store.notifications.deliveries({ kind: "provider" }, rule.id, 1);
      if (delivery === undefined) throw new Error("the rule was never tried");
      return delivery;
    },
    checkTarget: () => undefined,
  };
}
