import type { FastifyInstance, FastifyReply } from "fastify";

/** Pages load what this server serves and nothing else; no script or style in the page itself. */
export const pagePolicy = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const dataPolicy = "default-src 'none'; frame-ancestors 'none'";

export function addSecurityHeaders(app: FastifyInstance): void {
  app.addHook("onSend", async (request, reply, payload) => {
    setSecurityHeaders(reply);
    void reply.header("x-request-id", request.id);
    return payload;
  });
}

export function setSecurityHeaders(reply: FastifyReply): void {
  const isPage = String(reply.getHeader("content-type") ?? "").startsWith("text/html");
  if (!reply.hasHeader("content-security-policy")) {
    void reply.header("content-security-policy", isPage ? pagePolicy : dataPolicy);
  }
  if (!reply.hasHeader("cache-control")) void reply.header("cache-control", "no-store");
  void reply
    .header("x-content-type-options", "nosniff")
    .header("referrer-policy", "no-referrer")
    .header("cross-origin-resource-policy", "same-origin")
    .header("cross-origin-opener-policy", "same-origin")
    .header("x-frame-options", "DENY");
}
