import swagger from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from "fastify-type-provider-zod";
import { z } from "zod";
import * as alerts from "./alert-contract.ts";
import * as blast from "./blast-contract.ts";
import * as compare from "./compare-contract.ts";
import * as contract from "./contract.ts";
import * as maintenance from "./maintenance-contract.ts";
import * as operations from "./operation-contract.ts";
import * as quarantine from "./quarantine-contract.ts";
import * as tenancy from "./tenancy-contract.ts";
import * as whatElse from "./what-else-contract.ts";
import * as tokens from "./token-contract.ts";

/** The names under which the document's components are known. */
const components = {
  Alert: alerts.alertSchema,
  AlertGroup: alerts.alertGroupSchema,
  AlertMember: alerts.alertMemberSchema,
  Alerts: alerts.alertsSchema,
  AlertSplit: alerts.alertSplitSchema,
  Attribution: contract.attributionSchema,
  Blast: blast.blastSchema,
  BlastItem: blast.blastItemSchema,
  Candidate: whatElse.candidateSchema,
  Compare: compare.compareSchema,
  CompareFinding: compare.findingSchema,
  Connection: contract.connectionSchema,
  Coverage: contract.coverageSchema,
  Entity: contract.entitySchema,
  Event: contract.eventSchema,
  EventsPage: contract.eventsPageSchema,
  Evidence: contract.evidenceSchema,
  Health: contract.healthSchema,
  Maintenance: maintenance.maintenanceSchema,
  WorkWindow: maintenance.workWindowSchema,
  NoticeTemplate: tenancy.noticeTemplateSchema,
  NoticeTemplateHistory: tenancy.noticeTemplateHistorySchema,
  NoticeTemplates: tenancy.noticeTemplatesSchema,
  Histogram: contract.histogramSchema,
  Ingested: contract.ingestedSchema,
  Ownership: contract.ownershipSchema,
  Problem: contract.problemSchema,
  DryRun: quarantine.dryRunSchema,
  Operation: operations.operationSchema,
  OperationAnswer: operations.operationAnswerSchema,
  OperationPart: operations.operationPartSchema,
  OperationStep: operations.operationStepSchema,
  OperationSummary: operations.operationSummarySchema,
  Operations: operations.operationsSchema,
  Quarantine: quarantine.quarantineSchema,
  QuarantineGroup: quarantine.quarantineGroupSchema,
  Ruling: quarantine.rulingSchema,
  Rulings: quarantine.rulingsSchema,
  Resource: contract.resourceSchema,
  Session: contract.sessionSchema,
  Sources: contract.sourcesSchema,
  TemplatePreview: tenancy.templatePreviewSchema,
  Tenant: tenancy.tenantSchema,
  Tenants: tenancy.tenantsSchema,
  TenantTree: tenancy.tenantTreeSchema,
  NewToken: tokens.newTokenSchema,
  Token: tokens.tokenSchema,
  Tokens: tokens.tokensSchema,
  WhatElse: whatElse.whatElseSchema,
};

/** The parts of the document that are looked at here. */
interface Document {
  paths?: Record<
    string,
    Partial<Record<(typeof methods)[number], { responses?: Record<string, unknown>; requestBody?: unknown }>>
  >;
  components?: { schemas?: Record<string, unknown> };
}

const methods = ["get", "post", "put", "delete"] as const;

/** Collects the routes registered after it into an OpenAPI 3.1 document, given by `app.swagger()`. */
export async function describeApi(app: FastifyInstance, version: string): Promise<void> {
  const schemaRegistry = z.registry<{ id?: string | undefined }>();
  for (const [id, schema] of Object.entries(components)) schemaRegistry.add(schema, { id });
  const transformObject = createJsonSchemaTransformObject({ schemaRegistry });
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.1",
      info: {
        title: "Isochron",
        version,
        description:
          "The unified operational timeline for multi-tenant clouds: what else changed around the same time, " +
          "whose is it, and how do we know?",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      servers: [{ url: "/" }],
      security: [{ token: [] }, { keystone: [] }, { session: [] }],
      components: {
        securitySchemes: {
          token: {
            type: "http",
            scheme: "bearer",
            description: "A token made with `isochron token create`.",
          },
          keystone: {
            type: "apiKey",
            in: "header",
            name: "X-Auth-Token",
            description:
              "A token of the configured Keystone; of several, `X-Isochron-Identity-Provider` names one.",
          },
          session: {
            type: "apiKey",
            in: "cookie",
            name: "isochron_session",
            description: "Over TLS the cookie is called `__Host-isochron_session`.",
          },
        },
      },
    },
    transform: createJsonSchemaTransform({ schemaRegistry }),
    transformObject: (document) => {
      const whole = transformObject(document);
      finish(whole as Document);
      return whole;
    },
  });
}

/** Every operation can be refused; and components that nothing refers to would only be noise. */
function finish(document: Document): void {
  const problem = {
    description: "A problem: what was wrong, and what to do (RFC 9457).",
    content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
  };
  for (const [name, path] of Object.entries(document.paths ?? {})) {
    for (const method of methods) {
      const operation = path[method];
      if (operation !== undefined) operation.responses = { ...operation.responses, default: problem };
      // Bodies of push sources are handed on as bytes, so the route itself has no schema for them.
      if (operation !== undefined && name.endsWith("/ingest/{connection}")) {
        operation.requestBody = { required: true, content: { "*/*": { schema: {} } } };
      }
    }
  }
  const schemas = document.components?.schemas ?? {};
  for (const id of Object.keys(schemas)) if (!(id in components)) delete schemas[id];
}
