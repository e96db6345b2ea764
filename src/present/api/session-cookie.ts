import { randomBytes } from "node:crypto";
import { z } from "zod";
import { duration, instant, type Instant } from "../../model/instant.ts";
import { sameBytes, signFor } from "./page-cursor.ts";

export const sessionCookieName = "isochron_session";
const endedSessionsMax = 10_000;
export const sessionTtlMs = duration(12 * 60 * 60 * 1000);

/** Whom a provider's session looks as. */
const asTenantClaim = z.union([
  z.object({ controlPlane: z.string(), projectId: z.string() }),
  z.object({ controlPlane: z.string(), domainId: z.string() }),
  z.object({ customerId: z.string() }),
]);
export type AsTenant = z.infer<typeof asTenantClaim>;

const claimsSchema = z.object({
  v: z.literal(1),
  id: z.string(),
  /** SHA-256 of the token that was signed in with, base64url; absent for the demo's one-click session. */
  tokenHash: z.string().optional(),
  expiresAt: z.number(),
  as: asTenantClaim.optional(),
});

/** What a session cookie says; it holds no secret, the signature makes it true. */
export type SessionClaims = z.infer<typeof claimsSchema>;

export function newSession(now: Instant, tokenHash?: Uint8Array): SessionClaims {
  return {
    v: 1,
    id: randomBytes(16).toString("base64url"),
    expiresAt: now + sessionTtlMs,
    ...(tokenHash === undefined ? {} : { tokenHash: Buffer.from(tokenHash).toString("base64url") }),
  };
}

export function writeSession(claims: SessionClaims, secret: Uint8Array): string {
  const body = Buffer.from(JSON.stringify(claims)).toString("base64url");
  return `${body}.${signFor("session", secret, body).toString("base64url")}`;
}

/** The claims of a cookie that this server signed and that has not run out; else undefined. */
export function readSession(cookie: string, secret: Uint8Array, now: Instant): SessionClaims | undefined {
  const [body, signature, ...rest] = cookie.split(".");
  if (body === undefined || signature === undefined || rest.length > 0) return undefined;
  if (!sameBytes(signFor("session", secret, body), Buffer.from(signature, "base64url"))) return undefined;
  const claims = claimsSchema.safeParse(JSON.parse(Buffer.from(body, "base64url").toString()));
  return claims.success && now < instant(claims.data.expiresAt) ? claims.data : undefined;
}

/** Sessions signed out of before they ran out, so that a copied cookie is worth nothing afterwards. */
export class EndedSessions {
  readonly #until = new Map<string, number>();

  add(claims: SessionClaims, now: Instant): void {
    for (const [id, until] of this.#until) if (until <= now) this.#until.delete(id);
    this.#until.set(claims.id, claims.expiresAt);
    const [oldest] = this.#until.keys();
    if (this.#until.size > endedSessionsMax && oldest !== undefined) this.#until.delete(oldest);
  }

  has(claims: SessionClaims): boolean {
    return this.#until.has(claims.id);
  }
}
