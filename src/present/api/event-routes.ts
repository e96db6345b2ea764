import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Attribution } from "../../model/event.ts";
import type { ApiContext } from "./api-context.ts";
import { eventSchema, ownershipSchema } from "./contract.ts";
import { toAttributionJson, toEventJson } from "./event-json.ts";
import { tellHistory } from "./ownership-history.ts";
import { notFound } from "./problem.ts";
import { readingScope } from "./sign-in.ts";
import type { TenantList } from "./tenant-directory.ts";

const noQuery = z.strictObject({});
/** Ids that no event can have are answered without a question to the store. */
export const eventParams = z.object({ id: z.string().regex(/^[A-Za-z0-9_.:-]{1,100}$/) });

/** One event, and why it belongs to its tenant. */
export function eventRoutes({ store, directory }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/events/:id",
      {
        schema: {
          summary: "One event",
          params: eventParams,
          querystring: noQuery,
          response: { 200: eventSchema },
        },
      },
      async (request) => {
        const { scope } = readingScope(request);
        const visible = await store.reader.event(scope, request.params.id);
        if (visible === undefined) throw notFound();
        return toEventJson(visible, await directory.list());
      },
    );

    app.get(
      "/events/:id/ownership",
      {
        schema: {
          summary: "Why this tenant: the chain of evidence",
          params: eventParams,
          querystring: noQuery,
          response: { 200: ownershipSchema },
        },
      },
      async (request) => {
        const { scope } = readingScope(request);
        const visible = await store.reader.event(scope, request.params.id);
        if (visible === undefined) throw notFound();
        const tenants = await directory.list();
        if (visible.audience === "tenant") {
          const { attribution } = toEventJson(visible, tenants);
          return { event_id: visible.event.id, attribution, summary: visible.event.because, history: [] };
        }
        const { id, attribution, controlPlane } = visible.event;
        const earlier = await store.reader.attributionHistory(scope, id);
        return {
          event_id: id,
          attribution: toAttributionJson(attribution, controlPlane, tenants),
          summary: tellOwner(attribution, tenants),
          ...tellHistory(visible.event, earlier, tenants),
        };
      },
    );
  };
}

/** One line for the provider: whose it is, why, and who may see it. */
export function tellOwner(attribution: Attribution, tenants: TenantList): string {
  const accepted = attribution.evidence.filter((step) => step.verdict === "accepted");
  // In which domain the project is does not tell why it is the owner.
  const why = (accepted.findLast(({ rule }) => !rule.startsWith("project-domain/")) ?? accepted.at(-1))?.says;
  const because =
    why === undefined ? "" : ` because ${why.charAt(0).toLowerCase()}${why.slice(1).replace(/\.$/, "")}`;
  switch (attribution.status) {
    case "owned": {
      const { domain_id, domain_name, project_id, project_name } = tenants.toJson(attribution.tenant);
      const domain = domain_name ?? domain_id ?? "not known";
      return project_id === undefined
        ? `owned by domain ${domain}${because}`
        : `owned by project ${project_name ?? project_id} (domain ${domain})${because}`;
    }
    case "shared":
      return `the provider's, shared by ${attribution.affected.length} tenants who are told of its effect${because}`;
    case "provider":
      return `the provider's own; no tenant sees it${because}`;
    case "ambiguous":
      return `not attributed: ${attribution.candidates.length} tenants are possible; only the provider sees it${because}`;
    case "unresolved":
      return "not attributed: nothing says whose it is; only the provider sees it";
  }
}
