import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { operationStates, type Operation, type OperationStep } from "../../correlate/operation-shape.ts";
import { templateNames } from "../../correlate/operation-template.ts";
import { withParts } from "../../correlate/operation.ts";
import { formatInstant, instant, type Instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import type { ApiContext } from "./api-context.ts";
import { parseResource, parseTime } from "./event-filter.ts";
import { toCoverageJson, toEntityJson } from "./event-json.ts";
import {
  operationAnswerSchema,
  operationsQuerySchema,
  operationsSchema,
  type OperationAnswerJson,
  type OperationJson,
  type OperationPartJson,
  type OperationsJson,
  type OperationStepJson,
  type OperationSummaryJson,
} from "./operation-contract.ts";
import { notFound } from "./problem.ts";
import { queryInvalid } from "./query-validator.ts";
import { readingScope } from "./sign-in.ts";

const noQuery = z.strictObject({});
const usualSpanMs = 24 * 3_600_000;
const spanMsMax = 7 * usualSpanMs;

/** Ids that no operation can have are answered without a question to the store. */
const params = z.object({ id: z.string().regex(/^[A-Za-z0-9_-]{1,1200}$/) });

/** Long operations, made of what the reader may see of their steps. */
export function operationRoutes({ store, operations, clock }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/operations",
      {
        schema: {
          summary: "Long operations as spans, the latest first",
          querystring: operationsQuerySchema,
          response: { 200: operationsSchema },
        },
      },
      async (request): Promise<OperationsJson> => {
        const { scope } = readingScope(request);
        if (operations === undefined) throw notFound();
        const { limit } = request.query;
        const [found, coverage] = await Promise.all([
          operations.list(scope, toQuery(request.query, clock())),
          store.reader.coverage(scope),
        ]);
        return {
          operations: found.operations
            .slice(0, limit)
            .map((operation) => toSummaryJson(operation, scope.kind)),
          truncated: found.truncated || found.operations.length > limit,
          coverage: toCoverageJson(coverage, scope.kind),
        };
      },
    );

    app.get(
      "/operations/:id",
      {
        schema: {
          summary: "One operation with its steps and parts",
          params,
          querystring: noQuery,
          response: { 200: operationAnswerSchema },
        },
      },
      async (request): Promise<OperationAnswerJson> => {
        const { scope } = readingScope(request);
        const operation = await operations?.find(scope, request.params.id);
        if (operation === undefined) throw notFound();
        const coverage = await store.reader.coverage(scope);
        return {
          operation: toOperationJson(operation, scope.kind),
          parts: toPartsJson(operation, scope.kind),
          coverage: toCoverageJson(coverage, scope.kind),
        };
      },
    );
  };
}

function toQuery(query: z.output<typeof operationsQuerySchema>, now: Instant) {
  const to = query.to === undefined ? now : parseTime(query.to);
  const from = query.from === undefined ? instant(Math.max(0, to - usualSpanMs)) : parseTime(query.from);
  if (from >= to) throw queryInvalid("`from` is not before `to`.");
  if (to - from > spanMsMax) throw queryInvalid("From `from` to `to` there are more than 7 days.");
  const { resource, tenant, stuck } = query;
  return {
    from,
    to,
    events: {
      ...(resource === undefined ? {} : { resource: parseResource(resource) }),
      ...(tenant === undefined ? {} : { projectId: tenant }),
    },
    ...(query.state === undefined ? {} : { states: choose("state", query.state, operationStates) }),
    ...(query.template === undefined ? {} : { templates: choose("template", query.template, templateNames) }),
    ...(stuck === undefined ? {} : { stuck: stuck === "true" }),
  };
}

function choose<Word extends string>(
  name: string,
  given: readonly string[],
  known: readonly Word[],
): readonly Word[] {
  return given.map((word) => {
    const found = known.find((one) => one === word);
    if (found === undefined) throw queryInvalid(`\`${name}\` is one of ${known.join(", ")}.`);
    return found;
  });
}

type Reader = Scope["kind"];

/** How long things usually take is learnt over all tenants: when one is overdue says it, so the provider alone is told. */
function toSummaryJson(operation: Operation, reader: Reader): OperationSummaryJson {
  const { requestId, startedAt, endedAt, overdueAt } = operation;
  return {
    id: operation.id,
    template: operation.template,
    title: operation.title,
    entity: toEntityJson(operation.subject, operation.subjectName),
    ...(requestId === undefined ? {} : { request_id: requestId }),
    state: operation.state,
    says: operation.says,
    stuck: operation.stuck,
    first_seen_at: formatInstant(operation.firstSeenAt),
    last_seen_at: formatInstant(operation.lastSeenAt),
    ...(startedAt === undefined ? {} : { started_at: formatInstant(startedAt) }),
    ...(endedAt === undefined ? {} : { ended_at: formatInstant(endedAt) }),
    ...(overdueAt === undefined || reader === "tenant" ? {} : { overdue_at: formatInstant(overdueAt) }),
    attempts: operation.attempts,
    progress: { done: operation.progress.done, total: operation.progress.total },
    missing: [...operation.missing],
    parts: withParts(operation).length - 1,
  };
}

function toOperationJson(operation: Operation, reader: Reader): OperationJson {
  return {
    ...toSummaryJson(operation, reader),
    follows: [...operation.follows],
    steps: operation.steps.flatMap((step) => toStepsJson(step, 0)),
  };
}

function toPartsJson(operation: Operation, reader: Reader): OperationPartJson[] {
  return operation.children.flatMap((child) => [
    { ...toOperationJson(child, reader), within: operation.id },
    ...toPartsJson(child, reader),
  ]);
}

function toStepsJson(step: OperationStep, depth: number): OperationStepJson[] {
  const { startedAt, endedAt } = step;
  const own = {
    name: step.name,
    depth,
    entity: toEntityJson(step.subject, step.subjectName),
    state: step.state,
    first_seen_at: formatInstant(step.firstSeenAt),
    last_seen_at: formatInstant(step.lastSeenAt),
    ...(startedAt === undefined ? {} : { started_at: formatInstant(startedAt) }),
    ...(endedAt === undefined ? {} : { ended_at: formatInstant(endedAt) }),
    attempts: step.attempts,
    events: [...step.events],
  };
  return [own, ...step.steps.flatMap((inner) => toStepsJson(inner, depth + 1))];
}
