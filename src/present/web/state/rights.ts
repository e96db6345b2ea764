import type { SessionJson } from "../../api/contract.ts";
import type { GrantJson } from "../../api/session-contract.ts";

type Right = SessionJson["permissions"][number];
interface Rights extends Pick<SessionJson, "kind" | "as_tenant"> {
  readonly grants: readonly GrantJson[];
  readonly permissions: readonly Right[];
}

/** Whether the session has what a page or a control needs; the server asks again, whatever is shown. */
export function hasRight(rights: Pick<Rights, "permissions"> | undefined, right: Right): boolean {
  return rights?.permissions.includes(right) === true;
}

/** Whether somebody may see and make tokens: of the provider, or of a tenant that they administer. */
export function managesTokens(rights: Rights | undefined): boolean {
  if (rights === undefined) return false;
  if (hasRight(rights, "administer")) return true;
  return rights.kind === "tenant" && !rights.as_tenant && rights.grants.some(isAdministrator);
}

/** Whether somebody may have messages sent: of the provider's, or of a tenant that they administer. */
export function sendsMessages(rights: Rights | undefined): boolean {
  if (rights === undefined) return false;
  if (rights.kind === "provider") return hasRight(rights, "export");
  return !rights.as_tenant && rights.grants.some(isAdministrator);
}

/** Whether all that is shown may be taken along: by the tenant's administrators, and through its eyes by the provider. */
export function takesAlong(rights: Rights | undefined): boolean {
  if (rights?.kind !== "tenant") return false;
  if (rights.as_tenant) return true;
  const administered = new Set(rights.grants.filter(isAdministrator).map(spellTenant));
  return rights.grants.length > 0 && rights.grants.every((grant) => administered.has(spellTenant(grant)));
}

function isAdministrator({ role }: GrantJson): boolean {
  return role === "admin";
}

function spellTenant({ role: _role, ...tenant }: GrantJson): string {
  return JSON.stringify(Object.entries(tenant).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
