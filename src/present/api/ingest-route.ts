import type { ServerResponse } from "node:http";
import { Transform, type Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { IsochronError } from "../../errors.ts";
import type { ApiContext } from "./api-context.ts";
import type { PushCredit, PushRoom } from "./api-parts.ts";
import { ingestedSchema, type IngestedJson } from "./contract.ts";
import { notFound } from "./problem.ts";
import { onResponseEnd } from "./response-end.ts";
import { checkCsrf, checkMayPost } from "./sign-in.ts";

const ingestParams = z.object({ connection: z.string().regex(/^[^\p{Cc}\p{Cs}/]{1,200}$/u) });

/** Takes what push sources send. The bytes are handed on untouched, because signatures are over bytes. */
export function ingestRoute(context: ApiContext): FastifyPluginAsyncZod {
  const { ingest, noteTooLarge, clock, limits, pushRoom = unboundedRoom } = context;
  const inFlight = new Map<string, number>();
  const credits = new WeakMap<FastifyRequest, PushCredit>();
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
          if (request.principal?.session !== undefined) checkCsrf(request);
          checkMayPost(request, connection);
          checkEncoding(request);
          admit(connection, reply.raw);
          const declared = describeBody(request).declaredBytes ?? 0;
          // A body over the limit is never read, so it needs no room.
          const credit = pushRoom.admit(connection, declared > limits.ingestBodyBytesMax ? 0 : declared);
          credits.set(request, credit);
          onResponseEnd(reply.raw, () => credit.giveBack());
        },
        preParsing: async (request, _reply, payload) => {
          const credit = credits.get(request);
          const isDeclared = describeBody(request).declaredBytes !== undefined;
          return credit === undefined || isDeclared ? payload : counted(payload, credit);
        },
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
          takeBytes: (bytes) => credits.get(request)?.take(bytes),
        });
        if (outcome === undefined) throw notFound();
        const { records, created, folded, repeated, revised, setAside, factsOnly } = outcome;
        return { records, created, folded, repeated, revised, set_aside: setAside, facts_only: factsOnly };
      },
    );
  };

  /** Bounded per connection, so that one storm neither fills memory nor starves the others. */
  function admit(connection: string, response: ServerResponse): void {
    const before = inFlight.get(connection) ?? 0;
    if (before >= limits.ingestInFlightPerConnection) {
      throw new IsochronError(
        "rate-limited",
        `Connection ${connection} has ${before} requests under way already.`,
        "Wait as `Retry-After` says, then send it again.",
      );
    }
    inFlight.set(connection, before + 1);
    onResponseEnd(response, () => {
      const now = (inFlight.get(connection) ?? 1) - 1;
      if (now === 0) inFlight.delete(connection);
      else inFlight.set(connection, now);
    });
  }
}

const unboundedRoom: PushRoom = {
  admit: () => ({ take: () => undefined, giveBack: () => undefined }),
};

/** A body of unknown length takes room as it comes, and ends with a refusal where there is none. */
function counted(payload: Readable, credit: PushCredit): Readable {
  const counting = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      try {
        credit.take(chunk.byteLength);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
  payload.on("error", (error) => counting.destroy(error));
  return payload.pipe(counting);
}

function describeBody({ headers }: FastifyRequest): { declaredBytes?: number; contentType: string } {
  const declared = Number(headers["content-length"]);
  return {
    ...(Number.isSafeInteger(declared) ? { declaredBytes: declared } : {}),
    contentType: headers["content-type"] ?? "",
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
    if (name === "authorization" || name === "cookie" || value === undefined) continue;
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return headers;
}
