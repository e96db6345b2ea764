/** What somebody is to a tenant. A reader gets nothing sensitive, as Keystone's own reader does not. */
export const tenantRoles = ["reader", "admin"] as const;
export type TenantRole = (typeof tenantRoles)[number];

/** What somebody is to the provider: who works with it, who looks over their shoulders, who changes its settings. */
export const providerRoles = ["operator", "auditor", "admin"] as const;
export type ProviderRole = (typeof providerRoles)[number];

/** What a provider's principal may do beside reading events. */
export const permissions = [
  /** See events of the visibility `security`. */
  "read-security",
  /** See quarantine, rulings, set-aside records, sources: what the daily work is done with. */
  "read-workbench",
  /** Rule about waiting events, edit notices, replay what was set aside, give feedback. */
  "decide",
  /** Look through a tenant's eyes. */
  "look-as-tenant",
  /** Read the audit trail. */
  "read-audit",
  /** Take events out, as a file. */
  "export",
  /** See what is withheld for an hour, for a reason that is written down. */
  "break-glass",
  /** Tokens, retention, erasure, legal holds. */
  "administer",
  /** Post records to any connection. */
  "post-anywhere",
] as const;
export type Permission = (typeof permissions)[number];

const granted: Readonly<Record<ProviderRole, ReadonlySet<Permission>>> = {
  operator: new Set(["read-workbench", "decide", "look-as-tenant", "export", "break-glass"]),
  auditor: new Set(["read-security", "read-workbench", "look-as-tenant", "read-audit", "export"]),
  admin: new Set(permissions.filter((permission) => permission !== "break-glass")),
};

/** Whether a provider's role carries the permission by itself; breaking glass adds `read-security`. */
export function permits(role: ProviderRole, permission: Permission): boolean {
  return granted[role].has(permission);
}
