import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { formatInstant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import type { QuarantineGroup, SetAsideListing } from "../../store/event-reader.ts";
import type { ApiContext } from "./api-context.ts";
import { quarantineSchema, sourcesSchema, type QuarantineJson, type SourcesJson } from "./contract.ts";
import { toConnectionJson } from "./connection-json.ts";
import { toEventJson } from "./event-json.ts";
import { readingScope } from "./sign-in.ts";

const noQuery = z.strictObject({});
const setAsideMax = 200;
const quarantineGroupsMax = 100;

/** The routes about the estate as a whole: sources, and what nobody owns yet. */
export function estateRoutes(context: ApiContext): FastifyPluginAsyncZod {
  const { store, clock, contractOf } = context;
  return async (app) => {
    app.get(
      "/sources",
      {
        schema: {
          summary: "Every connection's state, and the records that were set aside",
          querystring: noQuery,
          response: { 200: sourcesSchema },
        },
      },
      async (request): Promise<SourcesJson> => {
        const { scope } = readingScope(request);
        if (scope.kind === "tenant") return { connections: [], set_aside: [] };
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

    app.get(
      "/quarantine",
      {
        schema: {
          summary: "Events that nobody owns yet, by reason and type",
          querystring: noQuery,
          response: { 200: quarantineSchema },
        },
      },
      async (request): Promise<QuarantineJson> => {
        const { scope } = readingScope(request);
        if (scope.kind === "tenant") return { total: 0, groups: [] };
        const groups = await store.reader.quarantine(scope);
        return {
          total: groups.reduce((sum, group) => sum + group.count, 0),
          groups: await withExamples(context, scope, groups.slice(0, quarantineGroupsMax)),
        };
      },
    );
  };
}

/** One after another, so that one page of quarantine never takes the whole pool. */
async function withExamples(
  { store, directory }: ApiContext,
  scope: Scope,
  groups: readonly QuarantineGroup[],
): Promise<QuarantineJson["groups"]> {
  const tenants = await directory.list();
  const told: QuarantineJson["groups"] = [];
  for (const { reason, type, count, oldest, exampleId } of groups) {
    const example = await store.reader.event(scope, exampleId);
    if (example === undefined) continue;
    const json = toEventJson(example, tenants);
    told.push({ reason, type, count, oldest: formatInstant(oldest), example: json });
  }
  return told;
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
