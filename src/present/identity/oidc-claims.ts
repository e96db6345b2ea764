import type { Grant } from "../../model/identity.ts";
import type { ProviderRole } from "../../model/role.ts";
import type { ClaimRule, OidcSettings } from "./oidc-settings.ts";
import { plainName } from "./plain-name.ts";

export type Claims = Readonly<Record<string, unknown>>;

const valuesMax = 2_000;
/** OpenID Connect Core 1.0, section 5.1. */
const verifiedClaim = "email_verified";
/** As ids of tenants are anywhere else. */
const idPattern = /^[A-Za-z0-9_-]{1,64}$/;
const providerRoleOrder: readonly ProviderRole[] = ["admin", "operator", "auditor"];

/** What the claims grant by the configured rules; a claim that is missing or of another form grants nothing. */
export function grantsOfClaims(claims: Claims, rules: readonly ClaimRule[]): readonly Grant[] {
  const found = new Map<string, Grant>();
  for (const rule of rules) {
    for (const grant of grantsOfRule(claims, rule)) found.set(JSON.stringify(grant), grant);
  }
  const grants = [...found.values()];
  const roles = new Set(grants.flatMap((grant) => (grant.kind === "provider" ? [grant.role] : [])));
  const role = providerRoleOrder.find((one) => roles.has(one));
  const others = grants.filter(({ kind }) => kind !== "provider");
  return role === undefined ? others : [{ kind: "provider", role }, ...others];
}

function grantsOfRule(claims: Claims, { claim, value, grant, each }: ClaimRule): readonly Grant[] {
  // People may write any address into their profile at many providers.
  if (claim === "email" && claims[verifiedClaim] !== true) return [];
  const values = valuesOf(claims, claim);
  if (value !== undefined) return grant !== undefined && values.includes(value) ? [grant] : [];
  if (each === undefined) return [];
  return values.filter((id) => idPattern.test(id)).map(each);
}

/** The texts at the path; one text counts as a list of one. */
function valuesOf(claims: Claims, path: string): readonly string[] {
  const found = Object.hasOwn(claims, path) ? claims[path] : descend(claims, path.split("."));
  const list: readonly unknown[] = Array.isArray(found) ? found.slice(0, valuesMax) : [found];
  return list.filter((one) => typeof one === "string");
}

function descend(from: unknown, path: readonly string[]): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return from;
  if (typeof from !== "object" || from === null || !Object.hasOwn(from, name)) return undefined;
  return descend((from as Record<string, unknown>)[name], rest);
}

/** The name for people; the subject's own id where the claim is missing. */
export function nameOf(claims: Claims, nameClaim: string, subject: string): string {
  const [name] = valuesOf(claims, nameClaim);
  const plain = plainName(name ?? "");
  return plain === "" ? plainName(subject) : plain;
}

/** What of the claims is looked at, so that nothing else of a person is kept. */
export function usedClaims(claims: Claims, settings: Pick<OidcSettings, "rules" | "nameClaim">): Claims {
  const paths = [settings.nameClaim, verifiedClaim, ...settings.rules.map(({ claim }) => claim)];
  const names = new Set(paths.flatMap((path) => [path, path.split(".", 1)[0] ?? path]));
  return Object.fromEntries(Object.entries(claims).filter(([name]) => names.has(name)));
}
