import type { SessionJson } from "../../api/contract.ts";
import type { GrantJson } from "../../api/session-contract.ts";

type Right = SessionJson["permissions"][number];

const roleNames: Readonly<Record<GrantJson["role"], string>> = {
  reader: "Reader",
  operator: "Operator",
  auditor: "Auditor",
  admin: "Administrator",
};

const rightWords: Readonly<Record<Right, string>> = {
  "read-security": "see security events",
  "read-workbench": "see sources, quarantine and notices",
  decide: "rule and edit notices",
  "look-as-tenant": "look as a tenant",
  "read-audit": "read the audit",
  export: "export",
  "break-glass": "break glass",
  administer: "manage tokens and retention",
  "post-anywhere": "post records",
};

/** `Auditor of the provider`, `Reader of a project`. */
export function grantWords({ scope, role }: Pick<GrantJson, "scope" | "role">): string {
  return `${roleNames[role]} of ${scope === "provider" ? "the" : "a"} ${scope}`;
}

/** The id that a grant is on; undefined for the provider's. */
export function grantId(grant: GrantJson): string | undefined {
  return grant.project_id ?? grant.domain_id ?? grant.customer_id;
}

export function rightsWords(rights: readonly Right[]): string {
  return rights.map((right) => rightWords[right]).join(", ");
}

/** Through what somebody signed in. */
export function throughWords(through: string | null): string {
  if (through === null) return "without a session";
  if (through === "demo") return "in the demo";
  return through === "token" ? "with an API token" : `through ${through}`;
}

/** The few words of the menu's button: a provider's role, or whose events are shown. */
export function accountWords({
  kind,
  label,
  grants,
}: Pick<SessionJson, "kind" | "label" | "grants">): string {
  if (kind === "tenant") return label;
  const roles = grants.filter(({ scope }) => scope === "provider").map(({ role }) => roleNames[role]);
  return roles.length === 0 ? label : [...new Set(roles)].join(", ");
}
