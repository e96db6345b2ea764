import type { Instant } from "../model/instant.ts";
import type { ProviderRole, TenantRole } from "../model/role.ts";

/** An API token; only its hash is stored. */
export interface TokenRecord {
  readonly id: string;
  readonly name: string;
  readonly scope: TokenScope;
  readonly createdAt: Instant;
  readonly expiresAt?: Instant;
  readonly revokedAt?: Instant;
  /** The day on which it was last used, in UTC: `2026-11-21`. */
  readonly usedOn?: string;
  /** Who made it over the API, as `Principal.subject`; absent where it was made at the server itself. */
  readonly madeBy?: string;
}

/**
 * What was granted; a domain is expanded to its projects, a customer to its tenants, at each request. Where no role is
 * told, a provider's token is an administrator's and a tenant's a reader's.
 */
export type TokenScope =
  | { readonly kind: "provider"; readonly role?: ProviderRole }
  | {
      readonly kind: "domain";
      readonly controlPlane: string;
      readonly domainId: string;
      readonly role?: TenantRole;
    }
  | {
      readonly kind: "project";
      readonly controlPlane: string;
      readonly projectId: string;
      readonly role?: TenantRole;
    }
  | { readonly kind: "customer"; readonly customerId: string; readonly role?: TenantRole }
  /** May only post records to one connection. */
  | { readonly kind: "ingest"; readonly connection: string };

export interface TokenStore {
  create(token: {
    name: string;
    hash: Uint8Array;
    scope: TokenScope;
    expiresAt?: Instant;
    madeBy?: string;
  }): Promise<TokenRecord>;
  /** Undefined for one that is revoked. Notes the day as the one of its last use. */
  find(hash: Uint8Array): Promise<TokenRecord | undefined>;
  /** Without noting a use. */
  byId(id: string): Promise<TokenRecord | undefined>;
  list(): Promise<readonly TokenRecord[]>;
  revoke(id: string): Promise<boolean>;
}
