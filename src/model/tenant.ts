/**
 * Who may own an event: a project, or a whole domain where the record concerns no single project
 * (a user account, for example). Ids are those of one control plane.
 */
export interface TenantRef {
  readonly controlPlane: string;
  /** Absent only while the project's domain is not yet known. */
  readonly domainId?: string;
  /** Absent when the domain itself is the owner. */
  readonly projectId?: string;
}

/** The key by which rows are walled off: `project/<control plane>/<id>` or `domain/<control plane>/<id>`. */
export type TenantKey = string & { readonly __brand: "TenantKey" };

export function projectKey(controlPlane: string, projectId: string): TenantKey {
  return `project/${controlPlane}/${projectId}` as TenantKey;
}

export function domainKey(controlPlane: string, domainId: string): TenantKey {
  return `domain/${controlPlane}/${domainId}` as TenantKey;
}

/** The inverse of the two above; the id may itself hold slashes, a control plane's name does not. */
export function parseTenantKey(key: TenantKey): TenantRef {
  const [kind, controlPlane = "", ...id] = key.split("/");
  return kind === "project"
    ? { controlPlane, projectId: id.join("/") }
    : { controlPlane, domainId: id.join("/") };
}

/** The key that takes a project out of a scope that its domain is in. */
export function exceptKey(key: TenantKey): TenantKey {
  return `!${key}` as TenantKey;
}

/** The key of the narrowest owner that the reference names. */
export function tenantKey(tenant: TenantRef): TenantKey {
  if (tenant.projectId !== undefined) return projectKey(tenant.controlPlane, tenant.projectId);
  if (tenant.domainId !== undefined) return domainKey(tenant.controlPlane, tenant.domainId);
  throw new TypeError("a tenant has a project or a domain");
}

/** Whether the keys of a scope open what is the tenant's: of a domain, all that was the domain's as the reference has it. */
export function opensTenant(
  keys: ReadonlySet<TenantKey>,
  { controlPlane, domainId, projectId }: TenantRef,
): boolean {
  const project = projectId === undefined ? undefined : projectKey(controlPlane, projectId);
  if (project !== undefined && keys.has(exceptKey(project))) return false;
  if (project !== undefined && keys.has(project)) return true;
  return domainId !== undefined && keys.has(domainKey(controlPlane, domainId));
}
