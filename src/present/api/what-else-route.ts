import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { entityKey, type EntityRef } from "../../model/entity.ts";
import { duration, formatInstant } from "../../model/instant.ts";
import type { VisibleEvent } from "../../store/event-reader.ts";
import type { ApiContext } from "./api-context.ts";
import type { WhatElseAnswer, WhatElseCandidate, WhatElseQuery } from "./api-parts.ts";
import { whatElseQuerySchema, whatElseSchema, type CandidateJson, type WhatElseJson } from "./contract.ts";
import { mentions, parseResource, parseTime } from "./event-filter.ts";
import { toCoverageJson, toEntityJson, toEventJson } from "./event-json.ts";
import { notFound } from "./problem.ts";
import { readingScope } from "./sign-in.ts";
import type { TenantList } from "./tenant-directory.ts";

export function whatElseRoute({ store, directory, whatElse }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/what-else",
      {
        schema: {
          summary:
            "What else changed before an event, around a resource, or before a moment; ranked, with reasons",
          querystring: whatElseQuerySchema,
          response: { 200: whatElseSchema },
        },
      },
      async (request): Promise<WhatElseJson> => {
        const { scope } = readingScope(request);
        const { event, resource, at, window_minutes: windowMinutes, limit } = request.query;
        const query: WhatElseQuery = {
          ...(event === undefined ? {} : { event }),
          ...(resource === undefined ? {} : { resource: parseResource(resource) }),
          ...(at === undefined ? {} : { at: parseTime(at) }),
          windowMs: duration(windowMinutes * 60_000),
          limit,
        };
        const answer = await whatElse(scope, query);
        if (answer === undefined) throw notFound();
        const [coverage, tenants] = await Promise.all([store.reader.coverage(scope), directory.list()]);
        return { ...toAnswerJson(answer, tenants), coverage: toCoverageJson(coverage, scope.kind) };
      },
    );
  };
}

function toAnswerJson(answer: WhatElseAnswer, tenants: TenantList): Omit<WhatElseJson, "coverage"> {
  const { target, window, candidates, checked } = answer;
  return {
    target: {
      event: target.event === undefined ? undefined : toEventJson(target.event, tenants),
      resource: target.resource === undefined ? undefined : toEntityJson(target.resource),
      at: formatInstant(target.at),
    },
    window: { from: formatInstant(window.from), to: formatInstant(window.to) },
    candidates: candidates.map((candidate, index) => ({
      rank: index + 1,
      ...toCandidateJson(candidate, target.event, tenants),
    })),
    checked: {
      events: checked.events,
      nothing_on: checked.nothingOn.map((ref) => toEntityJson(ref)),
      truncated: checked.truncated,
    },
  };
}

function toCandidateJson(
  candidate: WhatElseCandidate,
  target: VisibleEvent | undefined,
  tenants: TenantList,
): Omit<CandidateJson, "rank"> {
  return {
    event: toEventJson(candidate.event, tenants),
    before_ms: candidate.beforeMs,
    score: candidate.score,
    direction: candidate.direction,
    path: visiblePath(candidate, target).map(({ from, relation, to }) => ({
      from: toEntityJson(from),
      relation,
      to: toEntityJson(to),
    })),
    addends: candidate.addends.map(({ name, value, says }) => ({ name, value, says })),
    reason: candidate.reason,
    also: candidate.also,
  };
}

/** A tenant is shown a path only where its own editions already name every entity on it. */
function visiblePath(
  candidate: WhatElseCandidate,
  target: VisibleEvent | undefined,
): WhatElseCandidate["path"] {
  if (candidate.event.audience === "provider") return candidate.path;
  const named: EntityRef[] = [
    ...mentions(candidate.event),
    ...(target === undefined ? [] : mentions(target)),
  ];
  const keys = new Set(named.map(entityKey));
  const known = candidate.path.every(({ from, to }) => keys.has(entityKey(from)) && keys.has(entityKey(to)));
  return known ? candidate.path : [];
}
