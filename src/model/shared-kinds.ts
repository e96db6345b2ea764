/**
 * Kinds that one tenant may let others use: whose such a thing is does not tell whose a record is that only speaks of it.
 * The resolver and what the store loads for it must agree on these.
 */
export const shareableKinds: ReadonlySet<string> = new Set([
  "image",
  "network",
  "subnet",
  "router",
  "security_group",
]);

/** Kinds that everybody uses or that are the provider's: who spoke of one tells nothing. */
export const everybodysKinds: ReadonlySet<string> = new Set([
  "flavor",
  "volume_type",
  "user",
  "group",
  "role",
  "region",
  "domain",
  "project",
  "host",
  "service",
  "agent",
  "aggregate",
  "hypervisor",
  "backend",
  "component",
  "request",
]);
