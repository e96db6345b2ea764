import type { FastifyRequest } from "fastify";
import { notFound } from "./problem.ts";
import { checkCsrf, readingScope } from "./sign-in.ts";

/**
 * Throws the one 404 for everybody but a provider who looks as itself; only a cookie is sent without its page's doing.
 * To be asked before anything of the request is looked at, so that no other refusal tells that there is something.
 */
export async function admitProvider(request: FastifyRequest): Promise<void> {
  const { principal, scope } = readingScope(request);
  if (scope.kind !== "provider") throw notFound();
  if (principal.session !== undefined && request.method !== "GET" && request.method !== "HEAD")
    checkCsrf(request);
}

/** Who decides, as the audit names them. Every provider's token bears the same label, so its id is told too. */
export function decider(request: FastifyRequest): string {
  const { principal } = readingScope(request);
  return `${principal.label} (${principal.id})`;
}
