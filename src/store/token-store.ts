import type { Instant } from "../model/instant.ts";

/** An API token; only its hash is stored. */
export interface TokenRecord {
  readonly id: string;
  readonly name: string;
  readonly scope: TokenScope;
  readonly createdAt: Instant;
  readonly expiresAt?: Instant;
  readonly revokedAt?: Instant;
}

/** What was granted; a domain is expanded to its projects, a customer to its tenants, at each request. */
export type TokenScope =
  | { readonly kind: "provider" }
  | { readonly kind: "domain"; readonly controlPlane: string; readonly domainId: string }
  | { readonly kind: "project"; readonly controlPlane: string; readonly projectId: string }
  | { readonly kind: "customer"; readonly customerId: string }
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
