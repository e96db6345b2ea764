import type { FastifyRequest } from "fastify";
import type { Permission } from "../../model/role.ts";
import { notFound } from "./problem.ts";
import type { Principal } from "./principal.ts";
import { checkCsrf, readingScope } from "./sign-in.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Whether it was answered with the one 404 for want of a right. */
    denied: boolean;
  }
}

/**
 * Throws the one 404 for everybody without the permission; while a provider looks as a tenant it has none. To be asked
 * before anything of the request is looked at, so that no other refusal tells that there is something.
 */
export function admit(request: FastifyRequest, permission: Permission): Principal {
  const { principal } = readingScope(request);
  if (!principal.permissions.has(permission)) throw deny(request);
  checkOwnPage(request);
  return principal;
}

/** The one 404, which is told in the audit. */
export function deny(request: FastifyRequest): Error {
  request.denied = true;
  return notFound();
}

/** {@link admit} as a hook. */
export function admitting(permission: Permission): (request: FastifyRequest) => Promise<void> {
  return async (request) => void admit(request, permission);
}

/** Throws `header-missing` for what a page of another site may have had a browser send: only cookies go by themselves. */
export function checkOwnPage(request: FastifyRequest): void {
  const { method, principal } = request;
  if (principal?.session !== undefined && method !== "GET" && method !== "HEAD") checkCsrf(request);
}

/** Who decides, as the audit names them. Names are given twice, so the subject is told too. */
export function decider(request: FastifyRequest): string {
  const { principal } = readingScope(request);
  return `${principal.name} (${principal.subject})`;
}
