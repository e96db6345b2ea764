import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { Scope } from "../../model/scope.ts";
import type { ApiContext } from "./api-context.ts";
import { readingScope } from "./sign-in.ts";
import { tenantsSchema, tenantTreeSchema } from "./tenancy-contract.ts";
import { TenantSight } from "./tenant-tree.ts";

const noQuery = z.strictObject({});

/** Which tenants there are, in a list and as a tree. */
export function tenantsRoute(context: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/tenants",
      {
        schema: {
          summary: "The tenants that the caller may see",
          querystring: noQuery,
          response: { 200: tenantsSchema },
        },
      },
      async (request) => {
        const { scope } = readingScope(request);
        return { tenants: [...(await sightOf(context, scope)).list()] };
      },
    );

    app.get(
      "/tenants/tree",
      {
        schema: {
          summary: "The same as a tree, by control plane, region and domain, and by customer",
          querystring: noQuery,
          response: { 200: tenantTreeSchema },
        },
      },
      async (request) => {
        const { scope } = readingScope(request);
        return (await sightOf(context, scope)).tree();
      },
    );
  };
}

export async function sightOf({ directory }: ApiContext, scope: Scope): Promise<TenantSight> {
  return new TenantSight(await directory.list(), scope);
}
