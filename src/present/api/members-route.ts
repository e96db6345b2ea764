import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import type { ApiContext } from "./api-context.ts";
import { membersPageSchema, membersQuerySchema } from "./contract.ts";
import { toEventJson } from "./event-json.ts";
import { eventParams } from "./event-routes.ts";
import { readCursor, writeCursor } from "./page-cursor.ts";
import { notFound } from "./problem.ts";
import { readingScope } from "./sign-in.ts";

/** Unfolds a storm: the single events behind one that stands for many. */
export function membersRoute({ store, directory, secret }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/events/:id/members",
      {
        schema: {
          summary: "What the event of a storm stands for, as single events",
          params: eventParams,
          querystring: membersQuerySchema,
          response: { 200: membersPageSchema },
        },
      },
      async (request) => {
        const { principal, scope } = readingScope(request);
        const { id } = request.params;
        const { limit, order, cursor } = request.query;
        const binding = `${principal.binding}\nmembers\n${order}\n${id}`;
        const after = cursor === undefined ? undefined : readCursor(cursor, binding, secret);
        const visible = await store.reader.event(scope, id);
        if (visible === undefined) throw notFound();
        const [page, tenants] = await Promise.all([
          store.reader.members(scope, id, { limit, order, ...(after === undefined ? {} : { after }) }),
          directory.list(),
        ]);
        const last = page.events.at(-1)?.event;
        return {
          events: page.events.map((member) => toEventJson(member, tenants)),
          next_cursor: page.more && last !== undefined ? writeCursor(last, binding, secret) : null,
        };
      },
    );
  };
}
