import { existsSync } from "node:fs";
import { join } from "node:path";
import statics from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { IsochronError } from "../../errors.ts";
import { pagePolicy } from "./security-headers.ts";

/** Serves the built pages: hashed assets for ever, everything else checked each time. */
export async function serveWebPages(app: FastifyInstance, webRoot: string): Promise<void> {
  await app.register(statics, {
    root: webRoot,
    // One route for each file: nothing else in the folder can be reached by a clever path.
    wildcard: false,
    index: "index.html",
    cacheControl: false,
    setHeaders: (reply, path) => {
      const isHashed = path.includes(`${join(webRoot, "assets")}/`);
      void reply.header("cache-control", isHashed ? "public, max-age=31536000, immutable" : "no-cache");
      // A 304 has no content type to tell a page by, and its headers replace those that the browser kept.
      if (path.endsWith(".html")) void reply.header("content-security-policy", pagePolicy);
    },
  });
}

/** Whether a path that no route answers is a page of the single-page application, asked for by a browser. */
export function isPageVisit(request: FastifyRequest, webRoot: string | undefined): boolean {
  if (webRoot === undefined || (request.method !== "GET" && request.method !== "HEAD")) return false;
  const path = request.url.split("?", 1)[0] ?? "";
  if (path.startsWith("/api/") || path.startsWith("/assets/")) return false;
  return (request.headers.accept ?? "").includes("text/html") && existsSync(join(webRoot, "index.html"));
}

export function sendIndexPage(reply: FastifyReply, webRoot: string): FastifyReply {
  return reply.sendFile("index.html", webRoot);
}

/** Says at `/` what is missing in a checkout whose pages were never built. */
export function serveMissingPages(app: FastifyInstance): void {
  app.get("/", { schema: { hide: true } }, async (request, reply) => {
    if (!(request.headers.accept ?? "").includes("text/html")) throw missingPages();
    return reply
      .code(404)
      .header("content-type", "text/html; charset=utf-8")
      .header("cache-control", "no-cache")
      .send(missingPage);
  });
}

function missingPages(): IsochronError {
  return new IsochronError(
    "not-found",
    "The web pages are not built.",
    "Run `npm run build:web` and start the server again; the API answers under /api/v1.",
  );
}

const missingPage = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Isochron: pages not built</title></head>
<body>
<h1>The web pages are not built</h1>
<p>Run <code>npm run build:web</code> in the checkout, then start the server again.</p>
<p>The API answers all the same: <a href="/api/v1/openapi.json">its description</a>.</p>
</body>
</html>
`;
