import type { Instant } from "./instant.ts";
import type { ProviderRole, TenantRole } from "./role.ts";

/** What somebody was given: a role on a project, on a domain with all that is its own, on a customer, or at the provider. */
export type Grant =
  | { readonly kind: "provider"; readonly role: ProviderRole }
  | {
      readonly kind: "project";
      readonly controlPlane: string;
      readonly projectId: string;
      readonly role: TenantRole;
    }
  | {
      readonly kind: "domain";
      readonly controlPlane: string;
      readonly domainId: string;
      readonly role: TenantRole;
    }
  | { readonly kind: "customer"; readonly customerId: string; readonly role: TenantRole };

/** Somebody whom an identity service vouches for, with all that it says they may see. */
export interface Identity {
  /** Unique and stable: `<provider's name>/<the service's own id>`; never a name that can be given twice. */
  readonly subject: string;
  /** For people to read, in the audit and on the page. */
  readonly name: string;
  /** Empty for somebody who is known and may see nothing. */
  readonly grants: readonly Grant[];
  /** When the service's own word runs out. */
  readonly expiresAt: Instant;
}

/**
 * One configured identity service. Every method throws `not-signed-in` where the service refuses, and
 * `identity-unavailable` where it cannot be asked, which never lets anybody in.
 */
export interface IdentityProvider {
  readonly name: string;
  /** For the sign-in page. */
  readonly title: string;
  readonly kind: "keystone" | "oidc";
  /**
   * Asks the service again whether the credential still holds and what its holder may see, at most `identityFreshMs`
   * behind the service. The credential is what a sign-in gave.
   */
  confirm(credential: string): Promise<Identity>;
}

/**
 * How old an identity service's word may be when a request is answered by it. Whoever loses a right loses it within a
 * minute: the rest of that is for asking, and for what is kept of several users together.
 */
export const identityFreshMs = 50_000;
