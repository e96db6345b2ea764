import type { FastifyRequest } from "fastify";
import type { z } from "zod";
import { IsochronError } from "../../errors.ts";
import type { NotificationRule, RuleOwner, RuleTarget } from "../../model/notification.ts";
import type { Scope } from "../../model/scope.ts";
import { domainKey, projectKey } from "../../model/tenant.ts";
import type { ApiContext } from "./api-context.ts";
import type { createRuleSchema } from "./notification-contract.ts";
import { sealUrl } from "./notification-json.ts";
import type { Notifications } from "./notification-parts.ts";
import type { Principal } from "./principal.ts";
import { deny } from "./provider-only.ts";

const rulesMax = { provider: 500, tenant: 50 };

/** Whoever administers one tenant alone need not name it. */
export function readOwner(
  { scope }: Principal,
  asked: z.output<typeof createRuleSchema>["owner"],
  request: FastifyRequest,
): RuleOwner {
  if (asked?.project_id !== undefined) return projectKey(asked.control_plane, asked.project_id);
  if (asked?.domain_id !== undefined) return domainKey(asked.control_plane, asked.domain_id);
  if (scope?.kind === "provider") return "provider";
  const keys = (scope?.kind === "tenant" ? (scope.sensitiveKeys ?? []) : []).filter(
    (key) => !key.startsWith("!"),
  );
  const [only] = keys;
  if (only === undefined) throw deny(request);
  if (keys.length > 1) throw invalid("It is not said whose rule it is.", "Name the tenant as `owner`.");
  return only;
}

/** On a tenant's behalf a provider has told what the tenant's readers see. */
export function reachOf({ scope }: Principal, owner: RuleOwner): NotificationRule["reach"] {
  if (scope?.kind !== "provider") return "security";
  return owner === "provider" && scope.security === undefined ? "security" : "operational";
}

export async function checkRoom(
  store: Notifications["store"],
  scope: Scope,
  owner: RuleOwner,
): Promise<void> {
  const known = (await store.list(scope, rulesMax.provider)).filter(({ rule }) => rule.owner === owner);
  if (known.length < (owner === "provider" ? rulesMax.provider : rulesMax.tenant)) return;
  throw invalid("There are as many rules as there may be.", "Change one that is not needed any more.");
}

export function targetOf(
  { secret }: ApiContext,
  { checkTarget }: Notifications,
  principal: Principal,
  asked: {
    readonly id: string;
    readonly owner: RuleOwner;
    readonly url: string;
    readonly signing_secret?: string | undefined;
    readonly authorization?: string | undefined;
  },
): RuleTarget {
  const url = new URL(asked.url);
  if (url.username !== "" || url.password !== "")
    throw invalid("The address holds a user or a password.", "Name them by `authorization`.");
  if (asked.owner !== "provider" && url.protocol !== "https:")
    throw invalid("The address is not encrypted.", "Give one that begins with https://.");
  checkTarget(asked.owner, url.href);
  const target = { origin: url.origin, sealedUrl: sealUrl(secret, asked.id, url.href) };
  return keepTarget(target, principal, asked);
}

/** A secret of the server's is named anew by whoever changes the rule, or it is none: nobody sends another's elsewhere. */
export function keepTarget(
  { origin, sealedUrl }: RuleTarget,
  { scope }: Principal,
  asked: { readonly signing_secret?: string | undefined; readonly authorization?: string | undefined },
): RuleTarget {
  const { signing_secret: signingSecret, authorization } = asked;
  if ((signingSecret ?? authorization) !== undefined && scope?.kind !== "provider")
    throw invalid("Secrets of the server can be named by the provider alone.", "Leave them out.");
  return {
    origin,
    sealedUrl,
    ...(signingSecret === undefined ? {} : { signingSecret }),
    ...(authorization === undefined ? {} : { authorization }),
  };
}

export function checkRule({ owner, query, condition, opensIncident }: NotificationRule): void {
  if (opensIncident && condition.kind === "incident-state")
    throw invalid("An incident that is told of would open the next.", "Leave `opens_incident` out.");
  if (owner === "provider") return;
  // What is done with incidents is the provider's, so that a tenant's rule would wait for ever.
  if (condition.kind === "incident-state")
    throw invalid("Only the provider's rules are told of incidents.", "Choose another condition.");
  const foreign = (["source", "attribution", "customer"] as const).filter(
    (name) => query[name] !== undefined,
  );
  if (foreign.length > 0)
    throw invalid(`A tenant's rule cannot look for ${foreign.join(", ")}.`, "Leave it out of the query.");
  if (opensIncident)
    throw invalid("Only the provider's rules open incidents.", "Leave `opens_incident` out.");
}

export function makerOf({ subject, name, grants }: Principal): NotificationRule["maker"] {
  return { subject, name, grants };
}

export function noteOf({ id, owner, target }: NotificationRule, did: string) {
  return {
    object: `notification-rule:${id}`,
    details: { [did]: true, owner, target: target.origin },
  };
}

function invalid(problem: string, remedy: string): IsochronError {
  return new IsochronError("notification-invalid", problem, remedy);
}
