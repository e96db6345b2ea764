/** Kinds of entity that are a tenant's own business; hosts, backends, services and other projects are not. */
const tenantKinds = new Set([
  "server",
  "volume",
  "snapshot",
  "backup",
  "image",
  "network",
  "subnet",
  "port",
  "router",
  "floating_ip",
  "security_group",
  "security_group_rule",
  "stack",
  "server_group",
  "keypair",
  "load_balancer",
  "zone",
  "recordset",
  "share",
  "database",
  "user",
  "project",
  "domain",
  "group",
  "request",
]);

export function isTenantKind(kind: string): boolean {
  return tenantKinds.has(kind);
}
