import { createHash, randomBytes } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import { duration, type Instant } from "../../model/instant.ts";
import type { SessionRecord } from "../../store/session-store.ts";

/** Over plain HTTP; over TLS the name begins with `__Host-`, which a browser gives to nobody but this very host. */
export const sessionCookieName = "isochron_session";
/** However much it is used. */
export const sessionLifeMs = duration(12 * 60 * 60 * 1000);
/** Without any request of a person. */
export const sessionIdleMs = duration(2 * 60 * 60 * 1000);

const secretBytes = 32;
const secretPattern = /^ses_[A-Za-z0-9_-]{43}$/;

/** What a browser is given, and what is stored of it. */
export function newSessionSecret(): { readonly secret: string; readonly hash: Uint8Array } {
  const secret = `ses_${randomBytes(secretBytes).toString("base64url")}`;
  return { secret, hash: hashSecret(secret) };
}

/** The hash of the secret in the request's cookie; undefined where there is none that could be one. */
export function sessionHashOf(request: FastifyRequest): Uint8Array | undefined {
  const cookie = request.cookies[cookieName(request)];
  return cookie !== undefined && secretPattern.test(cookie) ? hashSecret(cookie) : undefined;
}

export function isLive({ endedAt, expiresAt, usedAt }: SessionRecord, now: Instant): boolean {
  return endedAt === undefined && now < expiresAt && now - usedAt < sessionIdleMs;
}

export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  secret: string,
  lifeMs: number,
): void {
  const maxAge = Math.max(0, Math.floor(lifeMs / 1000));
  void reply.setCookie(cookieName(request), secret, { ...cookieOptions(request), maxAge });
}

export function clearSessionCookie(request: FastifyRequest, reply: FastifyReply): void {
  void reply.clearCookie(cookieName(request), cookieOptions(request));
}

function hashSecret(secret: string): Uint8Array {
  return createHash("sha256").update(secret).digest();
}

function cookieName(request: FastifyRequest): string {
  return isOverTls(request) ? `__Host-${sessionCookieName}` : sessionCookieName;
}

function cookieOptions(request: FastifyRequest) {
  return { path: "/", httpOnly: true, sameSite: "strict", secure: isOverTls(request) } as const;
}

/** Also where a proxy says so: a false claim only makes the cookie stricter. */
export function isOverTls(request: FastifyRequest): boolean {
  return request.protocol === "https" || request.headers["x-forwarded-proto"] === "https";
}
