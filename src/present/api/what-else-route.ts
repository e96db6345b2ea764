import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { entityKey, type EntityRef } from "../../model/entity.ts";
import { duration, formatInstant, instant, type Instant } from "../../model/instant.ts";
import { mergeSpans } from "../../model/source-health.ts";
import type { Coverage, VisibleEvent } from "../../store/event-reader.ts";
import type { ApiContext } from "./api-context.ts";
import type { WhatElseAnswer, WhatElseCandidate, WhatElseQuery } from "./api-parts.ts";
import {
  whatElseQuerySchema,
  whatElseSchema,
  type CandidateJson,
  type WhatElseJson,
} from "./what-else-contract.ts";
import { mentions, parseResource, parseTime } from "./event-filter.ts";
import { toCoverageJson, toEntityJson, toEventJson } from "./event-json.ts";
import { notFound } from "./problem.ts";
import { readingScope } from "./sign-in.ts";
import type { TenantList } from "./tenant-directory.ts";

interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

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
          ...(event === undefined ? {} : { events: event }),
          ...(resource === undefined ? {} : { resource: parseResource(resource) }),
          ...(at === undefined ? {} : { at: parseTime(at) }),
          windowMs: duration(windowMinutes * 60_000),
          limit,
        };
        const answer = await whatElse(scope, query);
        if (answer === undefined) throw notFound();
        const [coverage, tenants] = await Promise.all([store.reader.coverage(scope), directory.list()]);
        const json = toAnswerJson(answer, tenants);
        const blind = blindSpans(coverage, answer.window).map(toSpanJson);
        return {
          ...json,
          checked: { ...json.checked, blind },
          coverage: toCoverageJson(coverage, scope.kind),
        };
      },
    );
  };
}

function toAnswerJson(answer: WhatElseAnswer, tenants: TenantList): Omit<WhatElseJson, "coverage"> {
  const { target, window, candidates, checked } = answer;
  return {
    target: {
      event: target.event === undefined ? undefined : toEventJson(target.event, tenants),
      selection: target.selection?.map((event) => toEventJson(event, tenants)),
      resource: target.resource === undefined ? undefined : toEntityJson(target.resource),
      at: formatInstant(target.at),
    },
    window: { from: formatInstant(window.from), to: formatInstant(window.to) },
    candidates: candidates.map((candidate, index) => ({
      rank: index + 1,
      ...toCandidateJson(candidate, target.event, tenants),
    })),
    followed: answer.followed?.map(({ event, afterMs, path }) => ({
      event: toEventJson(event, tenants),
      after_ms: afterMs,
      path: toPathJson(visiblePath({ event, path }, target.event)),
    })),
    cover:
      answer.cover === undefined
        ? undefined
        : {
            causes: answer.cover.causes.map(({ id, explains }) => ({ id, explains: [...explains] })),
            unexplained: [...answer.cover.unexplained],
          },
    checked: {
      events: checked.events,
      nothing_on: checked.nothingOn.map((ref) => toEntityJson(ref)),
      truncated: checked.truncated,
      since: checked.since === undefined ? undefined : formatInstant(checked.since),
      cut: checked.cut?.map(({ of, most }) => ({ of, most })),
    },
  };
}

/** Where in the window something may be missing: in a hole, or after the moment that every connection has reached. */
function blindSpans({ holes, completeTo }: Coverage, window: Span): readonly Span[] {
  const unread =
    completeTo === undefined || completeTo >= window.to
      ? []
      : [{ from: instant(Math.max(completeTo, window.from)), to: window.to }];
  const within = holes
    .filter(({ from, to }) => from < window.to && to > window.from)
    .map(({ from, to }) => ({
      from: instant(Math.max(from, window.from)),
      to: instant(Math.min(to, window.to)),
    }));
  return mergeSpans([...within, ...unread]);
}

function toSpanJson({ from, to }: Span): { readonly from: string; readonly to: string } {
  return { from: formatInstant(from), to: formatInstant(to) };
}

function toPathJson(path: WhatElseCandidate["path"]): CandidateJson["path"] {
  return path.map(({ from, relation, to }) => ({ from: toEntityJson(from), relation, to: toEntityJson(to) }));
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
    path: toPathJson(visiblePath(candidate, target)),
    addends: candidate.addends.map(({ name, value, says }) => ({ name, value, says })),
    reason: candidate.reason,
    also: candidate.also,
    explains: candidate.explains === undefined ? undefined : [...candidate.explains],
    verdict: candidate.verdict,
  };
}

/** A tenant is shown a path only where its own editions already name every entity on it. */
function visiblePath(
  candidate: Pick<WhatElseCandidate, "event" | "path">,
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
