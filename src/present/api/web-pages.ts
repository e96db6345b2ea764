import { existsSync } from "node:fs";
import { join } from "node:path";
import statics from "@fastify/static";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
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
