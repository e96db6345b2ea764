import type { Instant } from "../../model/instant.ts";
import type { Grant } from "../../model/identity.ts";
import type { NotificationRule, RuleMaker, RuleOwner, RuleReach } from "../../model/notification.ts";
import { permits } from "../../model/role.ts";
import type { Scope } from "../../model/scope.ts";
import { exceptKey, parseTenantKey, type TenantKey } from "../../model/tenant.ts";
import type { StandingRule } from "../../store/notification-store.ts";
import type { TokenStore } from "../../store/token-store.ts";
import { grantOf, principalOf, type Principal } from "./principal.ts";
import type { TenantDirectory, TenantList } from "./tenant-directory.ts";

/** So long an identity service's word is believed without being asked: nobody is signed in while a rule runs. */
export const makerConfirmedForMs = 7 * 86_400_000;

type Right = { readonly scope: Scope } | { readonly problem: string };
type Rights = Pick<Principal, "scope" | "permissions" | "provider">;

/** With whose eyes a rule reads now, by what its maker may do now. */
export async function rightOfRule(
  parts: {
    readonly tokens: Pick<TokenStore, "byId">;
    readonly directory: Pick<TenantDirectory, "list">;
    readonly clock: () => Instant;
  },
  { rule, standing }: StandingRule,
): Promise<Right> {
  const now = parts.clock();
  const grants = await grantsOf(parts.tokens, standing.maker, now);
  if ("problem" in grants) return grants;
  const isConfirmed = vouchedByUs(standing.maker.subject) || now - standing.confirmedAt < makerConfirmedForMs;
  if (!isConfirmed) {
    return {
      problem: `${standing.maker.name} has not signed in for a week, so that the right it rests on is not certain. Sign in and resume it.`,
    };
  }
  const tenants = await parts.directory.list();
  const { subject, name } = standing.maker;
  const scope = scopeOfRule(principalOf({ subject, name, ...grants }, tenants, false), rule, tenants);
  return scope === undefined
    ? { problem: `${name} may no longer have it sent. Whoever may can resume it.` }
    : { scope };
}

/**
 * The scope that somebody may have messages sent of; undefined where they may not. A tenant's key with the projects that
 * are taken out of it; for the provider on a tenant's behalf, what the tenant's readers see.
 */
export function scopeOfRule(
  { scope, permissions, provider }: Rights,
  { owner, reach }: { readonly owner: RuleOwner; readonly reach: RuleReach },
  tenants: TenantList,
): Scope | undefined {
  if (owner === "provider") {
    if (!permissions.has("export") || scope?.kind !== "provider") return undefined;
    const isOpen = reach === "security" && scope.security === undefined;
    return isOpen ? { kind: "provider" } : { kind: "provider", security: "withheld" };
  }
  if (provider) {
    if (!permissions.has("export") || scope?.kind !== "provider") return undefined;
    return { kind: "tenant", label: owner, keys: claimOf(owner, tenants) };
  }
  if (scope?.kind !== "tenant") return undefined;
  const { keys, sensitiveKeys = [] } = scope;
  const isOwn = keys.includes(owner) && sensitiveKeys.includes(owner) && !keys.includes(exceptKey(owner));
  if (!isOwn) return undefined;
  const own = [owner, ...keys.filter((key) => key.startsWith("!"))];
  return {
    kind: "tenant",
    label: owner,
    keys: own,
    ...(reach === "security" ? { sensitiveKeys: own } : {}),
  };
}

/** What a provider's roles alone show. */
export function scopeOfRoles({ grants }: Pick<Principal, "grants">): Scope {
  const sees = grants.some((grant) => grant.kind === "provider" && permits(grant.role, "read-security"));
  return sees ? { kind: "provider" } : { kind: "provider", security: "withheld" };
}

/** A domain of a customer's without the projects that are another's. */
function claimOf(owner: TenantKey, tenants: TenantList): readonly TenantKey[] {
  const customer = owner.startsWith("domain/") ? tenants.customerOf(parseTenantKey(owner)) : undefined;
  const claim = customer === undefined ? [] : tenants.claimOfCustomer(customer.id);
  return [owner, ...claim.filter((key) => key.startsWith("!"))];
}

async function grantsOf(
  tokens: Pick<TokenStore, "byId">,
  { subject, grants }: RuleMaker,
  now: Instant,
): Promise<{ readonly grants: readonly Grant[] } | { readonly problem: string }> {
  if (!subject.startsWith("tok_")) return { grants };
  const token = await tokens.byId(subject);
  if (token === undefined || token.revokedAt !== undefined)
    return { problem: "The token that made it was revoked." };
  if (token.expiresAt !== undefined && token.expiresAt <= now)
    return { problem: "The token that made it has run out." };
  return token.scope.kind === "ingest"
    ? { problem: "The token that made it may not read." }
    : { grants: [grantOf(token.scope)] };
}

/** Tokens are asked for each time; whoever works at the server itself needs nobody's word. */
function vouchedByUs(subject: string): boolean {
  return subject.startsWith("tok_") || subject === "viewer" || subject === "demo";
}

/** Whether somebody is vouched for by a service that says so only while they are there. */
export function isVouchedElsewhere({ subject }: Pick<NotificationRule["maker"], "subject">): boolean {
  return !vouchedByUs(subject);
}
