import type { Grant } from "../../model/identity.ts";

/** Where a claim's values become a grant. */
export interface ClaimRule {
  /** A claim's own name, else a path of names with dots: `realm_access.roles`. */
  readonly claim: string;
  /** Gives `grant` to those whose claim is this value or has it among its values. */
  readonly value?: string;
  readonly grant?: Grant;
  /** Where no value is named, every value is the id of one. */
  readonly each?: (id: string) => Grant;
}

/** What is configured of one OpenID Provider. */
export interface OidcSettings {
  readonly name: string;
  readonly title: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Absent for a public client. */
  readonly clientSecret?: () => string;
  /** PEM. */
  readonly ca?: string;
  readonly timeoutMs: number;
  /** Where the browser comes back to, exactly as it is registered at the provider. */
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  /** The claim that people are named by. */
  readonly nameClaim: string;
  readonly rules: readonly ClaimRule[];
}
