import type { FastifyReply } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { assembleDossier } from "../../correlate/incident-assembly.ts";
import { compareAudiences, type AudienceDifference } from "../../correlate/incident-difference.ts";
import type { IncidentDossier, ReportReader } from "../../correlate/incident-dossier.ts";
import { exportIncident } from "../../correlate/incident-export.ts";
import { composeReport, type IncidentReport } from "../../correlate/incident-report.ts";
import type { Scope } from "../../model/scope.ts";
import type { TenantKey } from "../../model/tenant.ts";
import type { ApiContext } from "./api-context.ts";
import { parseTime } from "./event-filter.ts";
import {
  incidentAnswerSchema,
  incidentExportQuerySchema,
  incidentHistorySchema,
  incidentRedactionQuerySchema,
  incidentRedactionSchema,
  incidentsQuerySchema,
  incidentsSchema,
  type IncidentAnswerJson,
  type IncidentRedactionJson,
  type IncidentsJson,
} from "./incident-contract.ts";
import { toDossierJson, toEditionHead, toEditionJson, toEntryJson, toSummaryJson } from "./incident-json.ts";
import { gatherMaterial, openScope, readTenantEditions } from "./incident-material.ts";
import { composeForTenant } from "./incident-publication.ts";
import { notFound } from "./problem.ts";
import { admit, admitting } from "./provider-only.ts";
import { queryInvalid } from "./query-validator.ts";
import { readingScope } from "./sign-in.ts";

const noQuery = z.strictObject({});
/** As wide as for events, so that an id of anything else is looked for like one of an incident. */
export const incidentParams = z.object({ id: z.string().regex(/^[A-Za-z0-9_.:-]{1,100}$/) });

/** Incidents: the provider's with all that is known of them, and of a tenant what it was told. */
export function incidentRoutes(context: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    await app.register(sharedRoutes(context));
    await app.register(insightRoutes(context));
    await app.register(exportRoutes(context));
  };
}

/** The two addresses that tenants have too. */
function sharedRoutes(context: ApiContext): FastifyPluginAsyncZod {
  const { store } = context;
  return async (app) => {
    app.get(
      "/incidents",
      {
        schema: {
          summary:
            "Incidents, the newest window first; for a tenant what it was told of those that are published",
          querystring: incidentsQuerySchema,
          response: { 200: incidentsSchema },
        },
      },
      async (request): Promise<IncidentsJson> => {
        const { scope } = readingScope(request);
        const { state, from, to, limit } = request.query;
        if (scope.kind === "tenant") {
          if (state !== undefined || from !== undefined || to !== undefined)
            throw queryInvalid("`state`, `from` and `to` are not known here.");
          const editions = await store.incidents.editions(scope, limit);
          return { incidents: [], editions: editions.map(toEditionHead) };
        }
        admit(request, "read-workbench");
        const filter = {
          ...(state === undefined ? {} : { states: state }),
          ...(from === undefined ? {} : { from: parseTime(from) }),
          ...(to === undefined ? {} : { to: parseTime(to) }),
        };
        const incidents = await store.incidents.list(scope, filter, limit);
        return { incidents: incidents.map(toSummaryJson), editions: [] };
      },
    );
    app.get(
      "/incidents/:id",
      {
        schema: {
          summary: "An incident with its pinned events, times and checks; for a tenant what it was told",
          params: incidentParams,
          querystring: noQuery,
          response: { 200: incidentAnswerSchema },
        },
      },
      async (request): Promise<IncidentAnswerJson> => {
        const { scope } = readingScope(request);
        const { id } = request.params;
        if (scope.kind === "tenant") {
          const [latest] = await store.incidents.edition(scope, id);
          if (latest === undefined) throw notFound();
          return toEditionJson(latest);
        }
        admit(request, "read-workbench");
        const dossier = await findDossier(context, scope, id);
        return toDossierJson(dossier, await isIntact(context, scope, dossier));
      },
    );
  };
}

function insightRoutes(context: ApiContext): FastifyPluginAsyncZod {
  const { store } = context;
  return async (app) => {
    app.addHook("onRequest", admitting("read-workbench"));
    app.get(
      "/incidents/:id/history",
      {
        schema: {
          summary: "All that was ever written into an incident (providers)",
          params: incidentParams,
          querystring: noQuery,
          response: { 200: incidentHistorySchema },
        },
      },
      async (request) => {
        const { scope } = readingScope(request);
        const entries = await store.incidents.history(scope, request.params.id);
        if (entries.length === 0) throw notFound();
        return { entries: entries.map(toEntryJson) };
      },
    );
    app.get(
      "/incidents/:id/redaction",
      {
        schema: {
          summary: "What an audience's document keeps, says otherwise or leaves out, and why (providers)",
          params: incidentParams,
          querystring: incidentRedactionQuerySchema,
          response: { 200: incidentRedactionSchema },
        },
      },
      async (request) => {
        // The documents that are set side by side are those that publication makes, whoever looks at them.
        const dossier = await findDossier(context, openScope, request.params.id);
        const { audience } = request.query;
        const reader = await readerOf(context, dossier, audience);
        return { audience, fields: compareAudiences(dossier, reader).map(toDifferenceJson) };
      },
    );
  };
}

const mediaTypes = {
  md: "text/markdown; charset=utf-8",
  html: "text/html; charset=utf-8",
  json: "application/json; charset=utf-8",
} as const;
const formats = { md: "markdown", html: "html", json: "json" } as const;

function exportRoutes(context: ApiContext): FastifyPluginAsyncZod {
  const { audit } = context;
  return async (app) => {
    app.addHook("onRequest", admitting("export"));
    app.get(
      "/incidents/:id/export",
      {
        exposeHeadRoute: false,
        schema: {
          summary: "An incident as a document for one audience (providers)",
          params: incidentParams,
          querystring: incidentExportQuerySchema,
          response: {
            200: {
              description: "The document.",
              content: {
                "text/markdown": { schema: z.string() },
                "text/html": { schema: z.string() },
                "application/json": { schema: z.string() },
              },
            },
          },
        },
      },
      async (request, reply) => {
        const { principal, scope } = readingScope(request);
        const { id } = request.params;
        const { format, audience } = request.query;
        // What leaves the house says nothing that only some of the provider's people may know.
        const dossier = await findDossier(context, audience === "provider" ? scope : openScope, id);
        const report = await reportFor(context, scope, dossier, audience);
        const text = exportIncident(report, formats[format]);
        await audit.done(request, "export", principal, {
          object: `incident:${id}`,
          details: { format, audience: audience.split(":", 1)[0] ?? "" },
        });
        return sendDocument(reply, text, { type: mediaTypes[format], name: `${id}.${format}` });
      },
    );
  };
}

function sendDocument(reply: FastifyReply, text: string, { type, name }: { type: string; name: string }) {
  void reply.header("content-type", type).header("content-disposition", `attachment; filename="${name}"`);
  // Answers of this address are no JSON of ours to spell.
  void reply.serializer((value: unknown) => value as string);
  return reply.send(text as never);
}

/** Throws the one 404 where there is none in the scope. */
export async function findDossier(context: ApiContext, scope: Scope, id: string): Promise<IncidentDossier> {
  const incident = await context.store.incidents.find(scope, id);
  if (incident === undefined) throw notFound();
  return assembleDossier(await gatherMaterial(context, scope, incident));
}

async function isIntact(
  { store }: ApiContext,
  scope: Scope,
  { incident }: IncidentDossier,
): Promise<boolean> {
  if (incident.published === undefined) return true;
  return (await store.incidents.frozen(scope, incident.id))?.intact ?? false;
}

async function reportFor(
  context: ApiContext,
  scope: Scope,
  dossier: IncidentDossier,
  audience: string,
): Promise<IncidentReport> {
  if (audience.startsWith("tenant:"))
    return composeForTenant(context, dossier, await tenantOf(context, audience));
  if (audience === "public") return composeReport(dossier, { kind: "public" });
  const report = composeReport(dossier, { kind: "provider" });
  const frozen = await context.store.incidents.frozen(scope, dossier.incident.id);
  // What is published is told as it was frozen, whatever became of its events since.
  return frozen === undefined
    ? report
    : { ...(JSON.parse(frozen.text) as IncidentReport), status: report.status };
}

async function readerOf(
  context: ApiContext,
  { incident }: IncidentDossier,
  audience: string,
): Promise<ReportReader> {
  if (audience === "provider" || audience === "public") return { kind: audience };
  const key = await tenantOf(context, audience);
  return {
    kind: "tenant",
    key,
    editions: { tenant: key, byPin: await readTenantEditions(context, incident, key) },
  };
}

async function tenantOf({ directory }: ApiContext, audience: string): Promise<TenantKey> {
  const key = audience.slice("tenant:".length) as TenantKey;
  if (!(await directory.list()).has(key)) throw queryInvalid("`audience` names a tenant that is not known.");
  return key;
}

function toDifferenceJson(difference: AudienceDifference): IncidentRedactionJson["fields"][number] {
  const { field, outcome, value, shown, why } = difference;
  return {
    field,
    class: difference.class,
    outcome,
    value: String(value),
    ...(shown === undefined ? {} : { shown: String(shown) }),
    why,
  };
}
