import type { TokenJson } from "../../api/token-contract.ts";

type Body = Record<string, string | number>;

/** What a new token is to open, as the form holds it. */
export type TokenTarget =
  | { readonly kind: "provider" }
  | { readonly kind: "ingest"; readonly connection: string }
  | {
      readonly kind: "tenant";
      readonly tenant:
        Pick<TokenJson, "control_plane" | "domain_id" | "project_id" | "customer_id"> | undefined;
    };

export interface TokenDraft {
  readonly name: string;
  readonly target: TokenTarget;
  readonly role: string;
  readonly days: number;
}

/** What the API takes; undefined while something is missing. */
export function tokenBody({ name, target, role, days }: TokenDraft): Body | undefined {
  const common = { name: name.trim(), expires_days: days };
  if (common.name === "") return undefined;
  if (target.kind === "provider") return { ...common, scope: "provider", role };
  if (target.kind === "ingest") {
    const connection = target.connection.trim();
    return connection === "" ? undefined : { ...common, scope: "ingest", connection };
  }
  const { control_plane: plane = "default", ...ids } = target.tenant ?? {};
  const { project_id: project, domain_id: domain, customer_id: customer } = ids;
  if (customer !== undefined) return { ...common, role, scope: "customer", customer_id: customer };
  if (project !== undefined)
    return { ...common, role, scope: "project", control_plane: plane, project_id: project };
  return domain === undefined
    ? undefined
    : { ...common, role, scope: "domain", control_plane: plane, domain_id: domain };
}

/** Whether it opens anything still. */
export function isGood(token: Pick<TokenJson, "revoked_at" | "expires_at">, now: number): boolean {
  return token.revoked_at === null && (token.expires_at === null || now < Date.parse(token.expires_at));
}
