import { createHash, createHmac } from "node:crypto";
import { duration, formatInstant } from "../../model/instant.ts";
import type { NotificationDelivery, NotificationRule, RuleCondition } from "../../model/notification.ts";
import { parseTenantKey } from "../../model/tenant.ts";
import type { StandingRule } from "../../store/notification-store.ts";
import type { z } from "zod";
import type { createRuleSchema, DeliveryJson, RuleJson } from "./notification-contract.ts";
import { openCredential, sealCredential } from "./sealed-credential.ts";
import type { TenantList } from "./tenant-directory.ts";

type Asked = Omit<z.output<typeof createRuleSchema>, "owner" | "url" | "signing_secret" | "authorization">;

/** What somebody asks a rule to be, without whose it is and where it is sent. */
export function readRule(
  asked: Asked,
): Pick<
  NotificationRule,
  | "name"
  | "query"
  | "condition"
  | "groupBy"
  | "quietMs"
  | "horizonMs"
  | "format"
  | "opensIncident"
  | "enabled"
> {
  const { name, query, format, enabled } = asked;
  return {
    name,
    query: Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)),
    condition: readCondition(asked.condition),
    groupBy: asked.group_by,
    quietMs: duration(asked.quiet_seconds * 1_000),
    horizonMs: duration(asked.horizon_hours * 3_600_000),
    format,
    opensIncident: asked.opens_incident,
    enabled,
  };
}

function readCondition(condition: Asked["condition"]): RuleCondition {
  switch (condition.kind) {
    case "at-least":
      return {
        kind: "at-least",
        count: condition.count,
        withinMs: duration(condition.within_seconds * 1_000),
      };
    case "absence":
      return { kind: "absence", spanMs: duration(condition.span_seconds * 1_000) };
    default:
      return condition;
  }
}

function toConditionJson(condition: RuleCondition): RuleJson["condition"] {
  switch (condition.kind) {
    case "at-least":
      return { kind: "at-least", count: condition.count, within_seconds: condition.withinMs / 1_000 };
    case "absence":
      return { kind: "absence", span_seconds: condition.spanMs / 1_000 };
    case "incident-state":
      return { kind: "incident-state", states: [...condition.states] };
    default:
      return condition;
  }
}

/** Tenants are not told who of the provider's people works for them. */
export function toRuleJson(
  { rule, standing }: StandingRule,
  deliveries: readonly NotificationDelivery[],
  tenants: TenantList,
  isProvider: boolean,
): RuleJson {
  const { target, paused } = { target: rule.target, paused: standing.paused };
  const byProvider = rule.maker.grants.some(({ kind }) => kind === "provider");
  const whose = rule.owner === "provider" ? undefined : parseTenantKey(rule.owner);
  return {
    id: rule.id,
    version: rule.version,
    owner:
      whose === undefined ? null : isProvider ? tenants.toProviderJson(whose) : tenants.toTenantJson(whose),
    reach: rule.reach,
    name: rule.name,
    query: rule.query as RuleJson["query"],
    condition: toConditionJson(rule.condition),
    group_by: [...rule.groupBy],
    quiet_seconds: rule.quietMs / 1_000,
    horizon_hours: rule.horizonMs / 3_600_000,
    format: rule.format,
    opens_incident: rule.opensIncident,
    enabled: rule.enabled,
    target: {
      origin: target.origin,
      signing_secret: isProvider ? (target.signingSecret ?? null) : null,
      authorization: isProvider ? (target.authorization ?? null) : null,
    },
    made_by: byProvider && !isProvider ? "the provider" : rule.maker.name,
    decided_at: formatInstant(rule.decidedAt),
    paused:
      paused === undefined
        ? null
        : {
            at: formatInstant(paused.at),
            why: isProvider || !byProvider ? paused.why : "The provider's right to it ended.",
          },
    counts: {
      matched: standing.counts.matched,
      too_old: standing.counts.tooOld,
      messages: standing.counts.messages,
    },
    last_deliveries: deliveries.map(toDeliveryJson),
  };
}

export function toDeliveryJson(delivery: NotificationDelivery): DeliveryJson {
  const { id, state, draft, madeAt, attempts, nextAt, settledAt, lastAnswer } = delivery;
  return {
    id,
    kind: draft.kind,
    state,
    made_at: formatInstant(madeAt),
    attempts,
    next_at: state === "waiting" ? formatInstant(nextAt) : null,
    settled_at: settledAt === undefined ? null : formatInstant(settledAt),
    last_answer: lastAnswer ?? null,
    events: draft.kind === "events" ? draft.events.length + draft.more : 0,
    late: draft.late,
    corrects: draft.corrects ?? null,
  };
}

/** An address is sealed for its rule, so that what is copied into another's row opens nothing. */
export function sealUrl(serverSecret: Uint8Array, rule: string, url: string): string {
  return Buffer.from(sealCredential(serverSecret, ownerOf(rule), url)).toString("base64");
}

/** Undefined where the server's secret is another by now. */
export function openUrl(serverSecret: Uint8Array, rule: string, sealed: string): string | undefined {
  return openCredential(serverSecret, ownerOf(rule), Buffer.from(sealed, "base64"));
}

function ownerOf(rule: string): Uint8Array {
  return createHash("sha256").update(`notification rule ${rule}`).digest();
}

/** What a rule's messages are signed with where it names no secret: told once, and derived again at each message. */
export function derivedSigningKey(serverSecret: Uint8Array, rule: string): string {
  const key = createHmac("sha256", serverSecret).update(`isochron/notification-signing\n${rule}`).digest();
  return `whsec_${key.toString("base64")}`;
}
