import type { Instant } from "../model/instant.ts";

/** A browser's session, kept in the store so that ending it holds in every process. */
export interface SessionRecord {
  /** SHA-256 of the secret that the cookie holds. */
  readonly hash: Uint8Array;
  /** How it was signed in: `token`, `demo`, or the name of an identity provider. */
  readonly through: string;
  /** As `Identity.subject`; for a token, the token's id. */
  readonly subject: string;
  readonly name: string;
  /** What the identity provider is asked with again, sealed by the server's secret; absent for tokens and the demo. */
  readonly sealedCredential?: Uint8Array;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly endedAt?: Instant;
  /** Since when, until when and why what is withheld is shown. */
  readonly glass?: { readonly brokenAt: Instant; readonly until: Instant; readonly why: string };
}

export interface SessionStore {
  create(session: SessionRecord): Promise<void>;
  find(hash: Uint8Array): Promise<SessionRecord | undefined>;
  /** False where it is ended, or unknown. */
  end(hash: Uint8Array, at: Instant): Promise<boolean>;
  breakGlass(hash: Uint8Array, glass: NonNullable<SessionRecord["glass"]>): Promise<boolean>;
  /** Forgets what ran out before the moment. */
  sweep(before: Instant): Promise<void>;
}
