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
  }): Promise<TokenRecord>;
  find(hash: Uint8Array): Promise<TokenRecord | undefined>;
  list(): Promise<readonly TokenRecord[]>;
  revoke(id: string): Promise<boolean>;
}
