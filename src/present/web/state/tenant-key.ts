import type { TenantJson } from "../../api/tenancy-contract.ts";

/** How an incident spells a tenant that it tells. */
export function tenantKey({
  control_plane: plane,
  project_id: project,
  domain_id: domain,
}: TenantJson): string {
  return project === undefined ? `domain/${plane}/${domain}` : `project/${plane}/${project}`;
}

/** The tenant of a key, by name; the key itself where it is not among those that are known. */
export function tenantKeyWords(key: string, tenants: readonly TenantJson[]): string {
  const tenant = tenants.find((one) => tenantKey(one) === key);
  if (tenant === undefined) return key;
  const domain = tenant.domain_name ?? tenant.domain_id ?? "no domain known";
  if (tenant.project_id === undefined) return `${domain} (whole domain)`;
  return `${domain} / ${tenant.project_name ?? tenant.project_id}`;
}
