import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import type { ApiContext } from "./api-context.ts";
import { eventsPageSchema, eventsQuerySchema } from "./contract.ts";
import { canonicalFilter, toEventFilter } from "./event-filter.ts";
import { toCoverageJson, toEventJson } from "./event-json.ts";
import { readCursor, writeCursor } from "./page-cursor.ts";
import { readingScope } from "./sign-in.ts";

export function eventsRoute({ store, secret, directory }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/events",
      {
        schema: {
          summary: "A page of the timeline",
          querystring: eventsQuerySchema,
          response: { 200: eventsPageSchema },
        },
      },
      async (request) => {
        const { principal, scope } = readingScope(request);
        const { limit, order, cursor, ...query } = request.query;
        const tenants = await directory.list();
        const filter = toEventFilter(query, scope.kind, tenants);
        const binding = `${principal.binding}\n${order}\n${canonicalFilter(filter)}`;
        const after = cursor === undefined ? undefined : readCursor(cursor, binding, secret);
        const [page, coverage] = await Promise.all([
          store.reader.timeline(scope, filter, { limit, order, ...(after === undefined ? {} : { after }) }),
          store.reader.coverage(scope),
        ]);
        const last = page.events.at(-1)?.event;
        return {
          events: page.events.map((visible) => toEventJson(visible, tenants)),
          next_cursor: page.more && last !== undefined ? writeCursor(last, binding, secret) : null,
          coverage: toCoverageJson(coverage, scope.kind),
        };
      },
    );
  };
}
