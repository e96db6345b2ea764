import type { FastifyReply, FastifyRequest } from "fastify";
import { IsochronError } from "../../errors.ts";
import { identityFreshMs } from "../../model/identity.ts";
import type { Scope } from "../../model/scope.ts";
import type { ApiContext } from "./api-context.ts";

/** Looks at the credentials of an answer that is under way again; a scope that has changed ends it too, to be asked anew. */
export async function isStillAllowed(
  context: Pick<ApiContext, "limits" | "signIn">,
  request: FastifyRequest,
  scope: Scope,
): Promise<boolean> {
  try {
    const look = { freshMs: Math.min(context.limits.liveRecheckMs, identityFreshMs), isUse: false };
    const { scope: now } = await context.signIn.identify(request, look);
    return JSON.stringify(now) === JSON.stringify(scope);
  } catch (error) {
    if (error instanceof IsochronError && error.kind === "denied") return false;
    throw error;
  }
}

/**
 * The lines for as long as there is a right to them and the server runs. What is left out ends the connection in the
 * middle of the answer, because a file of fewer lines would pass for the whole.
 */
export async function* whileAllowed(
  context: Pick<ApiContext, "limits" | "signIn" | "closing">,
  { request, reply, scope }: { request: FastifyRequest; reply: FastifyReply; scope: Scope },
  lines: AsyncGenerator<string>,
): AsyncGenerator<string> {
  let checkedAt = performance.now();
  const stands = async (): Promise<boolean> => {
    if (context.closing.aborted) return false;
    if (performance.now() - checkedAt < context.limits.liveRecheckMs) return true;
    checkedAt = performance.now();
    return isStillAllowed(context, request, scope);
  };
  let isWhole = true;
  for await (const line of lines) {
    isWhole = await stands();
    if (!isWhole) break;
    yield line;
  }
  if (!isWhole || context.closing.aborted) reply.raw.destroy();
}
