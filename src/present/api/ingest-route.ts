import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import type { ApiContext } from "./api-context.ts";
import { ingestedSchema, type IngestedJson } from "./contract.ts";
import { notFound } from "./problem.ts";
import { checkOwnPage } from "./provider-only.ts";
import { declaredBytes, PushAdmission } from "./push-admission.ts";
import { checkMayPost, keystoneTokenHeader } from "./sign-in.ts";

const credentialHeaders = new Set(["authorization", "cookie", keystoneTokenHeader]);
const ingestParams = z.object({ connection: z.string().regex(/^[^\p{Cc}\p{Cs}/]{1,200}$/u) });

/** Takes what push sources send. The bytes are handed on untouched, because signatures are over bytes. */
export function ingestRoute(context: ApiContext): FastifyPluginAsyncZod {
  const { ingest, noteTooLarge, clock, limits, pushRoom } = context;
  const admission = new PushAdmission(limits, pushRoom);
  return async (app) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    app.post(
      "/ingest/:connection",
      {
        bodyLimit: limits.ingestBodyBytesMax,
        config: { rateLimit: false },
        schema: {
          summary: "Post records of a push source; answered after they are committed",
          params: ingestParams,
          querystring: z.strictObject({}),
          response: { 200: ingestedSchema },
        },
        // Before the body is read, so that what is refused costs no memory.
        onRequest: async (request, reply) => {
          const { connection } = request.params;
          checkOwnPage(request);
          checkMayPost(request, connection);
          checkEncoding(request);
          admission.admit(connection, request, reply);
        },
        preParsing: async (request, _reply, payload) => admission.count(request, payload),
        // Bodies are read only for who may post, so whoever comes here may.
        errorHandler: async (error, request) => {
          if (error.code === "FST_ERR_CTP_BODY_TOO_LARGE") {
            const { connection } = ingestParams.parse(request.params);
            await noteTooLarge(connection, { ...describeBody(request), receivedAt: clock() });
          }
          throw error;
        },
      },
      async (request): Promise<IngestedJson> => {
        const { connection } = request.params;
        const outcome = await ingest(connection, {
          headers: plainHeaders(request),
          body: Buffer.isBuffer(request.body) ? request.body : new Uint8Array(),
          receivedAt: clock(),
          takeBytes: (bytes) => admission.take(request, bytes),
        });
        if (outcome === undefined) throw notFound();
        const { records, created, folded, revised, setAside, factsOnly, expired = 0 } = outcome;
        // To its sender, what was deleted since is what was delivered before.
        const repeated = outcome.repeated + expired;
        return { records, created, folded, repeated, revised, set_aside: setAside, facts_only: factsOnly };
      },
    );
  };
}

function describeBody(request: FastifyRequest): { declaredBytes?: number; contentType: string } {
  const declared = declaredBytes(request);
  return {
    ...(declared === undefined ? {} : { declaredBytes: declared }),
    contentType: request.headers["content-type"] ?? "",
  };
}

function checkEncoding(request: FastifyRequest): void {
  const encoding = request.headers["content-encoding"];
  if (encoding === undefined || encoding === "identity" || encoding === "gzip") return;
  throw new IsochronError(
    "media-type-unknown",
    "The body is compressed in a way that this address does not undo.",
    "Send it with `Content-Encoding: gzip`, or without any.",
  );
}

/** Credentials stay here: what is handed on may be stored with a record. */
function plainHeaders(request: FastifyRequest): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (credentialHeaders.has(name) || value === undefined) continue;
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return headers;
}
