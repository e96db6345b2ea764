import type { Identity, IdentityProvider } from "./identity.ts";

/** Who signed in, and what `IdentityProvider.confirm` is asked with from now on; never what was typed. */
export interface SignedIn {
  readonly identity: Identity;
  readonly credential: string;
}

/** What a Keystone is asked to narrow a sign-in to; absent for all that the user may see. */
export type KeystoneScope =
  { readonly projectId: string } | { readonly domainId: string } | { readonly system: true };

/** What somebody gives to be signed in by Keystone. A domain is told by its id or else by its name. */
export type KeystoneCredential =
  | {
      readonly kind: "password";
      readonly user: string;
      readonly domain: { readonly id: string } | { readonly name: string };
      readonly password: string;
      readonly scope?: KeystoneScope;
    }
  | { readonly kind: "application-credential"; readonly id: string; readonly secret: string }
  | { readonly kind: "token"; readonly token: string; readonly scope?: KeystoneScope };

/** A Keystone that people sign in through; throws as `IdentityProvider` says. */
export interface KeystoneSignIn extends IdentityProvider {
  readonly kind: "keystone";
  /** For the form: the domain of users who name none. */
  readonly userDomain?: string;
  signIn(credential: KeystoneCredential): Promise<SignedIn>;
  /** Throws `identity-unavailable` unless the service answers and takes our own credential. */
  probe(): Promise<void>;
}

/** Where a browser is sent, and what has to be kept, unread by others, until it comes back. */
export interface OidcDeparture {
  readonly location: string;
  readonly pending: string;
}

/** An OpenID Provider that people sign in through; throws as `IdentityProvider` says. */
export interface OidcSignIn extends IdentityProvider {
  readonly kind: "oidc";
  begin(): Promise<OidcDeparture>;
  /** `query` is that of the address to which the browser came back, without its question mark. */
  finish(query: string, pending: string): Promise<SignedIn>;
  /** Throws `identity-unavailable` unless the service can be discovered. */
  probe(): Promise<void>;
}

export type SignInService = KeystoneSignIn | OidcSignIn;
