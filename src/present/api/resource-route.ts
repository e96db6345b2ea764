import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { entityKey, type EntityRef } from "../../model/entity.ts";
import { formatInstant, instant, type Instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import type { TenantRef } from "../../model/tenant.ts";
import { relations, type KnownFact } from "../../model/topology.ts";
import type { VisibleEvent } from "../../store/event-reader.ts";
import type { ApiContext } from "./api-context.ts";
import { resourceQuerySchema, resourceSchema, type EvidenceJson, type ResourceJson } from "./contract.ts";
import { isSame, parseTime } from "./event-filter.ts";
import {
  formatOptional,
  toCoverageJson,
  toEntityJson,
  toEventJson,
  type AttributionJson,
} from "./event-json.ts";
import { notFound } from "./problem.ts";
import { queryInvalid } from "./query-validator.ts";
import { relationsAt, targetAt } from "./resource-state.ts";
import { readingScope } from "./sign-in.ts";
import type { TenantList } from "./tenant-directory.ts";

const eventsMax = 100;
/** A host of a large cloud has some thousands of servers over the years; what is beyond is cut. */
const pointingMax = 2_000;

type DescribedResource = Omit<ResourceJson, "coverage">;

const resourceParams = z.object({
  kind: z.string().regex(/^[a-z_]{1,60}$/),
  id: z
    .string()
    .min(1)
    .max(500)
    .regex(/^[^\p{Cc}\p{Cs}]+$/u),
});

export function resourceRoute(context: ApiContext): FastifyPluginAsyncZod {
  return async (app) => {
    app.get(
      "/resources/:kind/:id",
      {
        schema: {
          summary: "A resource as of a moment: owner, relations, events",
          params: resourceParams,
          querystring: resourceQuerySchema,
          response: { 200: resourceSchema },
        },
      },
      async (request): Promise<ResourceJson> => {
        const { scope } = readingScope(request);
        const at = request.query.at === undefined ? context.clock() : parseTime(request.query.at);
        const resource = { kind: request.params.kind, id: request.params.id };
        const [described, coverage] = await Promise.all([
          scope.kind === "provider"
            ? describeForProvider(context, scope, resource, at, request.query.control_plane)
            : describeForTenant(context, scope, resource, at),
          context.store.reader.coverage(scope),
        ]);
        return { ...described, coverage: toCoverageJson(coverage, scope.kind) };
      },
    );
  };
}

/** A tenant's own events tell all that it may know of a resource. */
async function describeForTenant(
  context: ApiContext,
  scope: Scope,
  resource: EntityRef,
  at: Instant,
): Promise<DescribedResource> {
  const { first, recent } = await readEvents(context, scope, resource, at);
  if (first === undefined) throw notFound();
  const tenants = await context.directory.list();
  return {
    resource: toEntityJson(resource, nameIn([...recent, first], resource)),
    at: formatInstant(at),
    owner: null,
    relations: [],
    events: recent.map((visible) => toEventJson(visible, tenants)),
    known_since: formatInstant(first.event.occurredAt),
  };
}

async function describeForProvider(
  context: ApiContext,
  scope: Scope,
  resource: EntityRef,
  at: Instant,
  asked: string | undefined,
): Promise<DescribedResource> {
  const [{ first, recent }, { controlPlane, facts }] = await Promise.all([
    readEvents(context, scope, resource, at),
    readFacts(context, scope, resource, asked),
  ]);
  if (first === undefined && facts.length === 0) throw notFound();
  const tenants = await context.directory.list();
  const held = relationsAt(resource, facts, at);
  const since = [
    first?.event.occurredAt,
    ...facts.filter((fact) => touches(fact, resource)).map((fact) => fact.at),
  ];
  const name = targetAt(resource, "named", facts, at)?.held.entity.id;
  return {
    resource: toEntityJson(
      resource,
      name ?? nameIn(first === undefined ? recent : [...recent, first], resource),
    ),
    at: formatInstant(at),
    owner:
      controlPlane === undefined ? null : await findOwner(context, scope, controlPlane, resource, facts, at),
    relations: held.map(({ relation, direction, entity, validFrom, validUntil }) => ({
      relation,
      direction,
      entity: toEntityJson(entity),
      valid_from: formatInstant(validFrom),
      valid_until: formatOptional(validUntil) ?? null,
    })),
    events: recent
      .filter(
        ({ event }) => asked === undefined || !("controlPlane" in event) || event.controlPlane === asked,
      )
      .map((visible) => toEventJson(visible, tenants)),
    known_since: formatOptional(earliest(since)) ?? null,
  };
}

/** The first event that mentions the resource, whenever it was, and the newest ones up to the moment. */
async function readEvents(
  { store }: ApiContext,
  scope: Scope,
  resource: EntityRef,
  at: Instant,
): Promise<{ first: VisibleEvent | undefined; recent: readonly VisibleEvent[] }> {
  const [oldest, newest] = await Promise.all([
    store.reader.timeline(scope, { resource }, { limit: 1, order: "oldest" }),
    store.reader.timeline(scope, { resource, to: instant(at + 1) }, { limit: eventsMax, order: "newest" }),
  ]);
  return { first: oldest.events[0], recent: newest.events };
}

/** The change points around the resource in the one control plane that knows it. */
async function readFacts(
  context: ApiContext,
  scope: Scope,
  resource: EntityRef,
  asked: string | undefined,
): Promise<{ controlPlane: string | undefined; facts: readonly KnownFact[] }> {
  const { topology } = context.store;
  const candidates = asked === undefined ? await controlPlanes(context, scope) : [asked];
  const known: { controlPlane: string; facts: readonly KnownFact[] }[] = [];
  for (const controlPlane of candidates) {
    const facts = await topology.about(scope, controlPlane, resource);
    if (facts.length > 0) known.push({ controlPlane, facts });
  }
  if (known.length > 1) {
    const names = known.map(({ controlPlane }) => controlPlane).join(", ");
    throw queryInvalid(`Several control planes know this id; give \`control_plane\`, one of ${names}.`);
  }
  const [one] = known;
  if (one === undefined) return { controlPlane: undefined, facts: [] };
  const pointing = one.facts
    .filter((fact) => relations[fact.relation] === "single" && isSame(fact.to, resource))
    .map((fact) => entityKey(fact.from));
  const keys = [...new Set(pointing)].slice(0, pointingMax);
  if (keys.length === 0) return one;
  const theirs = await topology.neighbourhood(one.controlPlane, keys, 0);
  const wanted = new Set(keys);
  const moves = theirs.filter(
    (fact) =>
      relations[fact.relation] === "single" && wanted.has(entityKey(fact.from)) && !isSame(fact.to, resource),
  );
  return { controlPlane: one.controlPlane, facts: [...one.facts, ...moves] };
}

async function controlPlanes({ store, directory }: ApiContext, scope: Scope): Promise<readonly string[]> {
  const [coverage, tenants] = await Promise.all([store.reader.coverage(scope), directory.list()]);
  const named = [...coverage.connections, ...tenants.all].map(({ controlPlane }) => controlPlane);
  return [...new Set(named)].toSorted();
}

/** Follows `owned_by` to the project or domain as of the moment. */
async function findOwner(
  { store, directory }: ApiContext,
  scope: Scope,
  controlPlane: string,
  resource: EntityRef,
  facts: readonly KnownFact[],
  at: Instant,
): Promise<AttributionJson | null> {
  const owned = targetAt(resource, "owned_by", facts, at);
  if (owned === undefined) return null;
  const owner = owned.held.entity;
  if (owner.kind !== "project") {
    const tenant = { controlPlane, domainId: owner.id };
    return ownerJson(tenant, await directory.list(), [owned]);
  }
  const placed = targetAt(owner, "part_of", await store.topology.about(scope, controlPlane, owner), at);
  const tenant = { controlPlane, projectId: owner.id };
  return placed === undefined
    ? ownerJson(tenant, await directory.list(), [owned])
    : ownerJson({ ...tenant, domainId: placed.held.entity.id }, await directory.list(), [owned, placed]);
}

type Hop = NonNullable<ReturnType<typeof targetAt>>;

function ownerJson(tenant: TenantRef, tenants: TenantList, hops: readonly Hop[]): AttributionJson {
  const named = tenants.toJson(tenant);
  return {
    status: "owned",
    control_plane: named.control_plane,
    domain_id: named.domain_id ?? null,
    project_id: named.project_id ?? null,
    domain_name: named.domain_name,
    project_name: named.project_name,
    affected: [],
    evidence: hops.map(toHopJson),
  };
}

function toHopJson({ held: { relation, fact, validFrom, validUntil }, extended }: Hop): EvidenceJson {
  const words = `${entityKey(fact.from)} ${relation.replaceAll("_", " ")} ${entityKey(fact.to)}`;
  return {
    rule: "owner-as-of/1",
    verdict: "accepted",
    confidence: extended ? "derived" : "exact",
    says: extended ? `${fact.connection} first said later: ${words}.` : `${fact.connection} says: ${words}.`,
    from: toEntityJson(fact.from),
    to: toEntityJson(fact.to),
    source: { connection: fact.connection, source_id: fact.sourceId },
    valid_from: formatInstant(validFrom),
    valid_until: formatOptional(validUntil),
  };
}

function touches(fact: KnownFact, resource: EntityRef): boolean {
  return isSame(fact.from, resource) || isSame(fact.to, resource);
}

function earliest(times: readonly (Instant | undefined)[]): Instant | undefined {
  const known = times.filter((at) => at !== undefined);
  return known.length === 0 ? undefined : known.reduce((left, right) => (left < right ? left : right));
}

function nameIn(events: readonly VisibleEvent[], resource: EntityRef): string | undefined {
  for (const { event } of events) {
    if (isSame(event.subject, resource) && event.subjectName !== undefined) return event.subjectName;
    const related = event.related.find(({ ref, name }) => name !== undefined && isSame(ref, resource));
    if (related !== undefined) return related.name;
  }
  return undefined;
}
