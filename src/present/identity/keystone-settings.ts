import type { ProviderRole, TenantRole } from "../../model/role.ts";

/** How Isochron signs in at Keystone itself, to ask about others. Secrets are values, not references. */
export type ServiceCredential =
  | { readonly kind: "application-credential"; readonly id: string; readonly secret: string }
  | {
      readonly kind: "password";
      readonly user: string;
      readonly userDomain: { readonly id: string } | { readonly name: string };
      readonly password: string;
      /** The system where absent. */
      readonly projectId?: string;
    };

/** What is configured of one Keystone. */
export interface KeystoneSettings {
  readonly name: string;
  readonly title: string;
  /** Whose ids it speaks of. */
  readonly controlPlane: string;
  /** With its version and without a slash at its end, e.g. `https://keystone.example.org/v3`. */
  readonly authUrl: string;
  /** PEM. */
  readonly ca?: string;
  readonly timeoutMs: number;
  readonly userDomain?: string;
  readonly service: () => ServiceCredential;
  /** Names of Keystone's roles on projects. */
  readonly projectRoles: ReadonlyMap<string, TenantRole>;
  readonly domainRoles: ReadonlyMap<string, TenantRole>;
  /** Names of Keystone's roles on the system, and on the provider's own projects and domains below. */
  readonly providerRoles: ReadonlyMap<string, ProviderRole>;
  /** Ids of projects whose roles are roles at the provider. None by itself: `admin` is granted on any project. */
  readonly providerProjects: ReadonlySet<string>;
  readonly providerDomains: ReadonlySet<string>;
}
