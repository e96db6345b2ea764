import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import type { Disclosure } from "../../model/disclosure.ts";
import type { ApiContext } from "./api-context.ts";
import { editionsQuerySchema, editionsSchema, type DisclosureJson } from "./editions-contract.ts";
import { toEventJson } from "./event-json.ts";
import { eventParams } from "./event-routes.ts";
import { notFound } from "./problem.ts";
import { admit } from "./provider-only.ts";
import { readingScope } from "./sign-in.ts";

/** Lays an event beside what each of its tenants is shown of it. What is withheld from them stands in the answer. */
export function editionsRoute({ store, directory, redaction }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/events/:id/editions",
      {
        schema: {
          summary: "What each tenant is shown of an event, and what is kept from it. Provider only.",
          params: eventParams,
          querystring: editionsQuerySchema,
          response: { 200: editionsSchema },
        },
        onRequest: async (request) => void admit(request, "read-workbench"),
      },
      async (request) => {
        const { scope } = readingScope(request);
        const visible = await store.reader.event(scope, request.params.id);
        if (visible?.audience !== "provider" || redaction === undefined) throw notFound();
        const { event } = visible;
        const [{ editions, more }, tenants] = await Promise.all([
          store.reader.editions(scope, event, request.query.limit),
          directory.list(),
        ]);
        return {
          event_id: event.id,
          editions: editions.map((edition) => ({
            tenant: tenants.toProviderJson(edition.tenant),
            edition: toEventJson({ audience: "tenant", event: edition }, tenants),
            fields: redaction.compare(event, edition).map(toDisclosureJson),
          })),
          more,
          classes: redaction.classes.map(({ name, policy, means }) => ({ name, policy, means })),
        };
      },
    );
  };
}

function toDisclosureJson({ field, class: name, outcome, value, shown }: Disclosure): DisclosureJson {
  return { field, class: name, outcome, value, ...(shown === undefined ? {} : { shown }) };
}
