import type { Grant } from "../../model/identity.ts";
import { permissions as allPermissions, permits, type Permission } from "../../model/role.ts";
import type { Scope } from "../../model/scope.ts";
import { domainKey, projectKey, type TenantKey } from "../../model/tenant.ts";
import type { SessionRecord } from "../../store/session-store.ts";
import type { TokenScope } from "../../store/token-store.ts";
import type { TenantList } from "./tenant-directory.ts";

/** Who asks, and what they may see and do, as of this request. */
export interface Principal {
  /** As `Identity.subject`; of a token its id, else `demo` or `viewer`. Names the principal in limits, logs, the audit. */
  readonly subject: string;
  /** For people to read. */
  readonly name: string;
  /** What it may read; absent for those who may only post. */
  readonly scope?: Scope;
  /** What it may do at the provider; while it looks as a tenant, nothing but that. */
  readonly permissions: ReadonlySet<Permission>;
  /** What it was given, or of the tenant that it looks as. */
  readonly grants: readonly Grant[];
  /** Where it may post records. */
  readonly posts: "everywhere" | "nowhere" | { readonly connection: string };
  readonly label: string;
  /** What cursors are bound to: the grants, not their expansion, so that a new project ends no paging. */
  readonly binding: string;
  readonly session?: SessionRecord;
  /** True when the principal is a provider, whomever it looks as just now. */
  readonly provider: boolean;
}

/** Somebody known, with what was given to them. */
export interface Holder {
  readonly subject: string;
  readonly name: string;
  readonly grants: readonly Grant[];
  readonly session?: SessionRecord;
}

type TenantGrant = Exclude<Grant, { kind: "provider" }>;
const nothing: ReadonlySet<Permission> = new Set();
const labelsMax = 3;

/** Whoever may only post to one connection. */
export function senderTo(connection: string, { subject, name }: Omit<Holder, "grants">): Principal {
  return {
    subject,
    name,
    permissions: nothing,
    grants: [],
    posts: { connection },
    label: `connection ${connection}`,
    binding: `ingest/${connection}`,
    provider: false,
  };
}

/** A role at the provider outweighs whatever else was given. */
export function principalOf(holder: Holder, tenants: TenantList, glassBroken: boolean): Principal {
  const { subject, name, grants, session } = holder;
  const own = { subject, name, ...(session === undefined ? {} : { session }) };
  const held = permissionsOf(grants, glassBroken);
  if (held.size === 0) return { ...own, ...tenantSide(grants.filter(isTenantGrant), tenants, name) };
  if (session?.as !== undefined && held.has("look-as-tenant")) {
    // A reader's eyes: whoever may see what is the administrators' alone sees it as the provider.
    const seen = tenantSide([{ ...toGrant(session.as), role: "reader" }], tenants, name);
    return { ...own, ...seen, permissions: whileLooking(held), provider: true };
  }
  return {
    ...own,
    scope: held.has("read-security") ? { kind: "provider" } : { kind: "provider", security: "withheld" },
    permissions: held,
    grants,
    posts: held.has("post-anywhere") ? "everywhere" : "nowhere",
    label: "provider",
    binding: "provider",
    provider: true,
  };
}

/** What a token was given; a provider's is an administrator's and a tenant's a reader's unless its role is told. */
export function grantOf(scope: Exclude<TokenScope, { kind: "ingest" }>): Grant {
  return scope.kind === "provider"
    ? { kind: "provider", role: scope.role ?? "admin" }
    : { ...scope, role: scope.role ?? "reader" };
}

/** The keys of those tenants whose administrator the principal is, with the projects that are taken out of them. */
export function administeredKeys(grants: readonly Grant[], tenants: TenantList): readonly TenantKey[] {
  return unionOf(grants.filter(isTenantGrant).filter(isAdministrator), tenants);
}

/** Through a tenant's eyes there is nothing of the provider's to do, but to look away again and to take along. */
function whileLooking(held: ReadonlySet<Permission>): ReadonlySet<Permission> {
  return new Set(["look-as-tenant", "export"].filter((one) => held.has(one as Permission)) as Permission[]);
}

function permissionsOf(grants: readonly Grant[], glassBroken: boolean): ReadonlySet<Permission> {
  const roles = grants.flatMap((grant) => (grant.kind === "provider" ? [grant.role] : []));
  const held = new Set(allPermissions.filter((one) => roles.some((role) => permits(role, one))));
  if (glassBroken && held.has("break-glass")) held.add("read-security");
  return held;
}

function tenantSide(grants: readonly TenantGrant[], tenants: TenantList, name: string) {
  const keys = unionOf(grants, tenants);
  const sensitiveKeys = sensitiveOf(grants, keys, tenants);
  const label = labelOf(grants, tenants, name);
  return {
    scope: { kind: "tenant", label, keys, ...(sensitiveKeys.length === 0 ? {} : { sensitiveKeys }) },
    permissions: nothing,
    grants,
    posts: "nowhere",
    label,
    binding: [...new Set(grants.map(bindingOf))].toSorted().join("\n"),
    provider: false,
  } as const satisfies Partial<Principal>;
}

/**
 * All keys of all grants. A project that one grant takes out of a domain stays out, unless it was given by itself, or
 * every domain that it is taken out of was given whole too.
 */
function unionOf(grants: readonly TenantGrant[], tenants: TenantList): readonly TenantKey[] {
  const claims = grants.map((grant) => claimOf(grant, tenants));
  const opened = new Set(claims.flat().filter((key) => !isException(key)));
  const stands = (exception: TenantKey): boolean => {
    if (opened.has(exception.slice(1) as TenantKey)) return false;
    const whole = new Set(claims.filter((claim) => !claim.includes(exception)).flat());
    return claims.some(
      (claim) => claim.includes(exception) && claim.some((key) => isDomain(key) && !whole.has(key)),
    );
  };
  return [...opened, ...new Set(claims.flat().filter(isException))].filter(
    (key) => !isException(key) || stands(key),
  );
}

/**
 * The wall takes exceptions from `keys` alone: where an administrator's are not among them, the domains that they are
 * taken out of stay closed, and only projects that were given by themselves are open.
 */
function sensitiveOf(
  grants: readonly TenantGrant[],
  keys: readonly TenantKey[],
  tenants: TenantList,
): readonly TenantKey[] {
  const own = unionOf(grants.filter(isAdministrator), tenants);
  if (own.every((key) => !isException(key) || keys.includes(key))) return own;
  return own.filter((key) => !isDomain(key) && !isException(key));
}

/** What the grant comes to at this moment. */
function claimOf(grant: TenantGrant, tenants: TenantList): readonly TenantKey[] {
  if (grant.kind === "customer") return tenants.claimOfCustomer(grant.customerId);
  return [
    grant.kind === "domain"
      ? domainKey(grant.controlPlane, grant.domainId)
      : projectKey(grant.controlPlane, grant.projectId),
  ];
}

function bindingOf(grant: TenantGrant): string {
  if (grant.kind === "customer") return `customer/${grant.customerId}`;
  return grant.kind === "domain"
    ? domainKey(grant.controlPlane, grant.domainId)
    : projectKey(grant.controlPlane, grant.projectId);
}

function labelOf(grants: readonly TenantGrant[], tenants: TenantList, name: string): string {
  const labels = [...new Set(grants.map((grant) => labelOfOne(grant, tenants)))];
  const more = labels.length - labelsMax;
  if (labels.length === 0) return name;
  return more > 0 ? `${labels.slice(0, labelsMax).join(", ")} and ${more} more` : labels.join(", ");
}

function labelOfOne(grant: TenantGrant, tenants: TenantList): string {
  if (grant.kind === "customer") {
    return `customer ${tenants.customer(grant.customerId)?.name ?? grant.customerId}`;
  }
  if (grant.kind === "domain") {
    return `domain ${tenants.domainName(grant.controlPlane, grant.domainId) ?? grant.domainId}`;
  }
  const { project_name: project, domain_name: domain } = tenants.toJson(grant);
  // Every domain may have a project of this name.
  return `project ${project ?? grant.projectId}${domain === undefined ? "" : ` of ${domain}`}`;
}

function toGrant(as: NonNullable<SessionRecord["as"]>) {
  if ("customerId" in as) return { kind: "customer", ...as } as const;
  return "projectId" in as ? ({ kind: "project", ...as } as const) : ({ kind: "domain", ...as } as const);
}

function isTenantGrant(grant: Grant): grant is TenantGrant {
  return grant.kind !== "provider";
}

function isAdministrator(grant: TenantGrant): boolean {
  return grant.role === "admin";
}

function isException(key: TenantKey): boolean {
  return key.startsWith("!");
}

function isDomain(key: TenantKey): boolean {
  return key.startsWith("domain/");
}
