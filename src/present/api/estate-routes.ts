import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { formatInstant } from "../../model/instant.ts";
import type { SetAsideListing } from "../../store/event-reader.ts";
import type { ApiContext } from "./api-context.ts";
import { sourcesSchema, type SourcesJson } from "./contract.ts";
import { toConnectionJson } from "./connection-json.ts";
import { admitting } from "./provider-only.ts";
import { readingScope } from "./sign-in.ts";

const noQuery = z.strictObject({});
const setAsideMax = 200;

/** The routes about the estate as a whole: sources, and what nobody owns yet. */
export function estateRoutes(context: ApiContext): FastifyPluginAsyncZod {
  const { store, clock, contractOf } = context;
  return async (app) => {
    app.addHook("onRequest", admitting("read-workbench"));
    app.get(
      "/sources",
      {
        schema: {
          summary: "Every connection's state, and the records that were set aside (providers)",
          querystring: noQuery,
          response: { 200: sourcesSchema },
        },
      },
      async (request): Promise<SourcesJson> => {
        const { scope } = readingScope(request);
        const [coverage, setAside] = await Promise.all([
          store.reader.coverage(scope),
          store.reader.setAside(scope, setAsideMax),
        ]);
        return {
          connections: coverage.connections.map((connection) =>
            toConnectionJson(connection, contractOf?.(connection.source), clock()),
          ),
          set_aside: setAside.map(toSetAsideJson),
        };
      },
    );
  };
}

function toSetAsideJson(listing: SetAsideListing): SourcesJson["set_aside"][number] {
  return {
    id: listing.id,
    connection: listing.connection,
    position: listing.position,
    code: listing.code,
    reason: listing.reason,
    received_at: formatInstant(listing.receivedAt),
    attempts: listing.attempts,
    excerpt: listing.excerpt,
  };
}
