import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { IsochronError } from "../../errors.ts";
import { ownConnection } from "../../model/own-connection.ts";
import type { ApiContext } from "./api-context.ts";
import { parseTime } from "./event-filter.ts";
import {
  cancelMaintenanceSchema,
  maintenanceParamsSchema,
  maintenanceQuerySchema,
  maintenanceSchema,
  planMaintenanceSchema,
  workWindowSchema,
} from "./maintenance-contract.ts";
import { toWorkWindowJson } from "./maintenance-json.ts";
import { notFound } from "./problem.ts";
import { admit, admitting, decider } from "./provider-only.ts";
import { readingScope } from "./sign-in.ts";
import { z } from "zod";

const bodyLimit = 64 * 1024;
/** What a control plane is called where nobody calls it otherwise. */
const usualControlPlane = "default";
const description = "In a browser's session it needs the header `X-Isochron-CSRF: 1`.";

/** Planned work. To tenants these addresses are as any that is not there. */
export function maintenanceRoutes(context: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/maintenance",
      {
        onRequest: admitting("read-workbench"),
        schema: {
          summary: "Planned work, cancelled work too (providers)",
          querystring: maintenanceQuerySchema,
          response: { 200: maintenanceSchema },
        },
      },
      async (request) => {
        const { scope } = readingScope(request);
        const windows = await context.store.maintenance.list(scope, request.query.limit);
        return { windows: windows.map(toWorkWindowJson) };
      },
    );
    await app.register(planRoute(context));
    await app.register(cancelRoute(context));
  };
}

function planRoute(context: ApiContext): FastifyPluginAsyncZod {
  const { store, audit } = context;
  return async (app) => {
    app.addHook("onRequest", admitting("decide"));
    app.post(
      "/maintenance",
      {
        bodyLimit,
        schema: {
          summary: "Plan work: what happens to its things meanwhile is expected, and shown (providers)",
          description,
          querystring: z.strictObject({}),
          body: planMaintenanceSchema,
          response: { 201: workWindowSchema },
        },
      },
      async (request, reply) => {
        const principal = admit(request, "decide");
        const { title, from, to, on, why } = request.body;
        const controlPlane = await readControlPlane(context, request.body.control_plane);
        const window = await store.maintenance.plan({
          title,
          from: parseTime(from),
          to: parseTime(to),
          controlPlane,
          on,
          by: decider(request),
          why,
        });
        await audit.done(request, "maintenance", principal, {
          object: `maintenance:${window.id}`,
          why,
          details: { planned: true, from, to, control_plane: controlPlane, things: on.length },
        });
        return reply.code(201).send(toWorkWindowJson(window));
      },
    );
  };
}

function cancelRoute({ store, audit, clock }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.addHook("onRequest", admitting("decide"));
    app.delete(
      "/maintenance/:id",
      {
        schema: {
          summary: "Cancel planned work: nothing is expected of it any more (providers)",
          description,
          params: maintenanceParamsSchema,
          querystring: cancelMaintenanceSchema,
          response: { 200: workWindowSchema },
        },
      },
      async (request) => {
        const principal = admit(request, "decide");
        const { id } = request.params;
        const { why } = request.query;
        const { scope } = readingScope(request);
        if (!(await store.maintenance.cancel(id, decider(request), clock()))) throw notFound();
        await audit.done(request, "maintenance", principal, {
          object: `maintenance:${id}`,
          ...(why === undefined ? {} : { why }),
          details: { planned: false },
        });
        return toWorkWindowJson((await store.maintenance.find(scope, id))!);
      },
    );
  };
}

/** Ids are unique on one control plane only, and work on one that nobody knows would never be noticed. */
async function readControlPlane({ store }: ApiContext, given: string | undefined): Promise<string> {
  const { connections } = await store.reader.coverage({ kind: "provider" });
  const planes = new Set(connections.map(({ controlPlane }) => controlPlane));
  planes.delete(ownConnection.controlPlane);
  const known = [...planes].toSorted();
  const meant = given ?? (known.length === 1 ? known[0]! : usualControlPlane);
  if (planes.has(meant)) return meant;
  throw new IsochronError(
    "body-invalid",
    given === undefined
      ? "`control_plane` is missing, and not one alone is known."
      : `No connection is of the control plane ${given}.`,
    known.length === 0 ? "Connect a source of it first." : `Give one of ${known.join(", ")}.`,
  );
}
