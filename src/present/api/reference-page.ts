import { createHash } from "node:crypto";
import scalar from "@scalar/fastify-api-reference";
import type { FastifyInstance } from "fastify";
import { apiPrefix } from "./contract.ts";
import { queryInvalid } from "./query-validator.ts";

/** The page that makes the OpenAPI document readable; everything that it loads comes from this server. */
export async function serveReference(app: FastifyInstance): Promise<void> {
  await app.register(async (pages) => {
    pages.addHook("onSend", async (_request, reply, payload) => {
      const type = String(reply.getHeader("content-type") ?? "");
      if (type.startsWith("application/javascript"))
        void reply.header("cache-control", "private, max-age=3600");
      if (type.startsWith("text/html") && typeof payload === "string") {
        void reply.header("content-security-policy", referencePolicy(payload));
      }
      return payload;
    });
    await pages.register(scalar, {
      routePrefix: `${apiPrefix}/reference`,
      hooks: {
        onRequest: (request, _reply, done) => {
          // The page's plugin builds a URL from the Host header and does not expect it to fail.
          const isUrl = URL.canParse(request.url, `${request.protocol}://${request.hostname}`);
          done(isUrl ? undefined : queryInvalid("The Host header is not a host."));
        },
      },
      configuration: {
        pageTitle: "Isochron: HTTP API",
        url: `${apiPrefix}/openapi.json`,
        withDefaultFonts: false,
        telemetry: false,
        hideClientButton: true,
        showDeveloperTools: "never",
        agent: { disabled: true },
        mcp: { disabled: true },
      },
    });
  });
}

/**
 * The viewer builds its styles while it runs, which needs inline styles; of scripts only local files run,
 * and the page's own call, named by its hash.
 */
function referencePolicy(page: string): string {
  const inline = [...page.matchAll(/<script type="text\/javascript">([^]*?)<\/script>/g)].map(
    ([, script]) => {
      return `'sha256-${createHash("sha256")
        .update(script ?? "")
        .digest("base64")}'`;
    },
  );
  return [
    "default-src 'self'",
    `script-src 'self' ${inline.join(" ")}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
