import type { Instant } from "../model/instant.ts";

/** Whom a provider's session looks as. */
export type AsTenant =
  | { readonly controlPlane: string; readonly projectId: string }
  | { readonly controlPlane: string; readonly domainId: string }
  | { readonly customerId: string };

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
  readonly as?: AsTenant;
  readonly createdAt: Instant;
  /** When a request last came with it, to the minute. */
  readonly usedAt: Instant;
  readonly expiresAt: Instant;
  readonly endedAt?: Instant;
  readonly glass?: BrokenGlass;
}

/** Since when, until when and why what is withheld is shown. */
export interface BrokenGlass {
  readonly brokenAt: Instant;
  readonly until: Instant;
  readonly why: string;
}

/** A break-glass that is over, and how many requests were answered under it. */
export interface MendedGlass extends BrokenGlass {
  readonly subject: string;
  readonly name: string;
  readonly reads: number;
}

export interface SessionStore {
  create(session: SessionRecord): Promise<void>;
  find(hash: Uint8Array): Promise<SessionRecord | undefined>;
  /** Notes that a request came with it. */
  use(hash: Uint8Array, at: Instant): Promise<void>;
  /** False where it is ended, or unknown. */
  end(hash: Uint8Array, at: Instant): Promise<boolean>;
  /** Ends the one and opens the other, which goes on with its glass and what was read under it; false as `end`. */
  replace(hash: Uint8Array, session: SessionRecord, at: Instant): Promise<boolean>;
  /** Counts a request that is answered under broken glass. */
  countGlassRead(hash: Uint8Array): Promise<void>;
  /** What ran out by the moment, or whose session did or was ended: each is given once. */
  takeMendedGlass(at: Instant): Promise<readonly MendedGlass[]>;
  /** Forgets what ran out or ended before the moment. */
  sweep(before: Instant): Promise<void>;
}
