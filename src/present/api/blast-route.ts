import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import type { z } from "zod";
import { entityKey, type EntityRef } from "../../model/entity.ts";
import { duration, formatInstant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import type { ApiContext } from "./api-context.ts";
import { blastQuerySchema, blastSchema, type BlastItemJson, type BlastJson } from "./blast-contract.ts";
import type { BlastAnswer, BlastQuery } from "./blast-parts.ts";
import { parseResource, parseTime } from "./event-filter.ts";
import { formatOptional, toCoverageJson, toEntityJson, toEventJson } from "./event-json.ts";
import { notFound } from "./problem.ts";
import { queryInvalid } from "./query-validator.ts";
import { readingScope } from "./sign-in.ts";
import type { TenantList } from "./tenant-directory.ts";

/** What a failure reaches: the provider by its topology, a tenant by its own events. */
export function blastRoute({ store, directory, blast }: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/blast",
      {
        schema: {
          summary: "Blast radius: what a failure reaches, what of it shows symptoms, and what is predicted",
          querystring: blastQuerySchema,
          response: { 200: blastSchema },
        },
      },
      async (request): Promise<BlastJson> => {
        const { scope } = readingScope(request);
        const answer = await blast?.(scope, toQuery(request.query, scope));
        if (answer === undefined) throw notFound();
        const [coverage, tenants] = await Promise.all([store.reader.coverage(scope), directory.list()]);
        return { ...toBlastJson(answer, tenants), coverage: toCoverageJson(coverage, scope.kind) };
      },
    );
  };
}

function toQuery(query: z.output<typeof blastQuerySchema>, scope: Scope): BlastQuery {
  const { at, control_plane: controlPlane } = query;
  if (controlPlane !== undefined && scope.kind === "tenant")
    throw queryInvalid("`control_plane` is not known here.");
  return {
    events: [...new Set(query.event)],
    resources: (query.resource ?? []).map(parseResource),
    ...(at === undefined ? {} : { at: parseTime(at) }),
    ...(controlPlane === undefined ? {} : { controlPlane }),
    windowMs: duration(query.window_minutes * 60_000),
    hops: query.hops,
    limit: query.limit,
  };
}

function toBlastJson(answer: BlastAnswer, tenants: TenantList): Omit<BlastJson, "coverage"> {
  const { target, window } = answer;
  const names = namesIn(answer);
  return {
    target: {
      events: target.events.map((event) => toEventJson(event, tenants)),
      failed: target.failed.map((ref) => toEntityJson(ref, names.get(entityKey(ref)))),
      at: formatInstant(target.at),
    },
    window: { from: formatInstant(window.from), to: formatInstant(window.to) },
    items: answer.items.map((item) => toItemJson(item, names, tenants)),
    counts: { ...answer.counts },
    by_kind: answer.byKind.map(({ kind, reached, confirmed }) => ({ kind, reached, confirmed })),
    by_tenant: answer.byTenant.map(({ tenant, reached, confirmed }) => {
      return { tenant: tenants.toProviderJson(tenant), reached, confirmed };
    }),
    unknown: [...answer.unknown],
    truncated: answer.truncated,
  };
}

function toItemJson(
  item: BlastAnswer["items"][number],
  names: ReadonlyMap<string, string>,
  tenants: TenantList,
): BlastItemJson {
  const named = (ref: EntityRef) => toEntityJson(ref, names.get(entityKey(ref)));
  return {
    entity: named(item.ref),
    ...(item.tenant === undefined ? {} : { tenant: tenants.toProviderJson(item.tenant) }),
    state: item.state,
    probability: item.probability,
    likelihood: item.likelihood,
    depth: item.depth,
    way: item.way.map(({ failed, harmed, edge, harm }) => {
      return { failed: named(failed), harmed: named(harmed), relation: edge.relation, says: harm.says };
    }),
    last_seen_at: formatOptional(item.lastSeenAt) ?? null,
    stale: item.isStale,
    symptoms: {
      count: item.symptoms.count,
      first: item.symptoms.first.map((event) => toEventJson(event, tenants)),
    },
  };
}

function namesIn({ items, target }: BlastAnswer): ReadonlyMap<string, string> {
  const told = target.events.map(({ event }) => [event.subject, event.subjectName] as const);
  const all = [...told, ...items.map(({ ref, name }) => [ref, name] as const)];
  return new Map(all.flatMap(([ref, name]) => (name === undefined ? [] : [[entityKey(ref), name]])));
}
