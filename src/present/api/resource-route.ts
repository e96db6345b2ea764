import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { entityKey, type EntityRef } from "../../model/entity.ts";
import { formatInstant, instant, type Instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import type { KnownFact } from "../../model/topology.ts";
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
import {
  aliasesForProvider,
  aliasesForTenant,
  ownedIntervals,
  ownIntervals,
  ownedAt,
  statedBy,
  toOwnershipJson,
  type OwnedInterval,
} from "./resource-history.ts";
import { intervalsOut, relationsAt, targetAt, type HeldRelation } from "./resource-state.ts";
import { readingScope } from "./sign-in.ts";
import type { TenantJson } from "./tenancy-contract.ts";
import type { TenantList } from "./tenant-directory.ts";

const eventsMax = 100;

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
        const { at: asked, known_at: known, control_plane: plane } = request.query;
        if (known !== undefined && scope.kind === "tenant")
          throw queryInvalid("`known_at` is not known here.");
        const at = asked === undefined ? context.clock() : parseTime(asked);
        const knownAt = known === undefined ? undefined : parseTime(known);
        const resource = { kind: request.params.kind, id: request.params.id };
        const [described, coverage] = await Promise.all([
          scope.kind === "provider"
            ? describeForProvider(context, scope, resource, { at, knownAt, plane })
            : describeForTenant(context, scope, resource, at),
          context.store.reader.coverage(scope),
        ]);
        return { ...described, coverage: toCoverageJson(coverage, scope.kind) };
      },
    );
  };
}

/** A tenant's own events tell that there is something to know, and what it is told lies within its own stretches. */
async function describeForTenant(
  context: ApiContext,
  scope: Scope & { kind: "tenant" },
  resource: EntityRef,
  at: Instant,
): Promise<DescribedResource> {
  const { first, recent } = await readEvents(context, scope, resource, at);
  if (first?.audience !== "tenant") throw notFound();
  const tenants = await context.directory.list();
  const { controlPlane } = first.event.tenant;
  const facts = await context.store.topology.history(controlPlane, resource);
  const all = ownedIntervals(resource, facts, await readOwners(context, controlPlane, resource, facts));
  const own = ownIntervals(scope, controlPlane, all);
  return {
    resource: toEntityJson(resource, nameIn([...recent, first], resource)),
    at: formatInstant(at),
    owner: ownerForTenant(controlPlane, tenants, ownedAt(own, at)),
    relations: [],
    ownership: own.map((interval) => toOwnershipJson(scope, controlPlane, tenants, interval)),
    aliases: [...aliasesForTenant(resource, facts, own)],
    events: recent.map((visible) => toEventJson(visible, tenants)),
    known_since: formatInstant(first.event.occurredAt),
  };
}

interface AsOf {
  readonly at: Instant;
  /** By what was known at this moment; by all that is known, when absent. */
  readonly knownAt: Instant | undefined;
  readonly plane: string | undefined;
}

async function describeForProvider(
  context: ApiContext,
  scope: Scope,
  resource: EntityRef,
  { at, knownAt, plane }: AsOf,
): Promise<DescribedResource> {
  const [{ first, recent }, { controlPlane, facts }] = await Promise.all([
    readEvents(context, scope, resource, at, knownAt),
    readFacts(context, scope, resource, plane, knownAt),
  ]);
  if (first === undefined && facts.length === 0) throw notFound();
  const tenants = await context.directory.list();
  const owners =
    controlPlane === undefined
      ? new Map<string, readonly KnownFact[]>()
      : await readOwners(context, controlPlane, resource, facts, knownAt);
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
    ...(knownAt === undefined ? {} : { known_at: formatInstant(knownAt) }),
    owner:
      controlPlane === undefined ? null : ownerAt(controlPlane, resource, { facts, owners, tenants }, at),
    relations: relationsAt(resource, facts, at).map(toRelationJson),
    ownership:
      controlPlane === undefined
        ? []
        : ownedIntervals(resource, facts, owners).map((interval) =>
            toOwnershipJson(scope, controlPlane, tenants, interval),
          ),
    aliases: [...aliasesForProvider(resource, facts)],
    events: recent
      .filter(
        ({ event }) => plane === undefined || !("controlPlane" in event) || event.controlPlane === plane,
      )
      .map((visible) => toEventJson(visible, tenants)),
    known_since: formatOptional(earliest(since)) ?? null,
  };
}

function toRelationJson(held: HeldRelation): ResourceJson["relations"][number] {
  return {
    relation: held.relation,
    direction: held.direction,
    entity: toEntityJson(held.entity),
    valid_from: formatInstant(held.validFrom),
    valid_until: formatOptional(held.validUntil) ?? null,
    ...statedBy(held.fact),
  };
}

/** What is known of each project that ever owned the resource: which domain it was part of, and when. */
async function readOwners(
  { store }: ApiContext,
  controlPlane: string,
  resource: EntityRef,
  facts: readonly KnownFact[],
  knownAt?: Instant,
): Promise<ReadonlyMap<string, readonly KnownFact[]>> {
  const projects = new Map(
    intervalsOut(resource, ["owned_by"], facts)
      .filter(({ entity }) => entity.kind === "project")
      .map(({ entity }) => [entityKey(entity), entity]),
  );
  const known = new Map<string, readonly KnownFact[]>();
  for (const key of projects.keys()) {
    const around = await store.topology.neighbourhood(controlPlane, [key], 0);
    known.set(
      key,
      around.filter(({ recordedAt }) => knownAt === undefined || recordedAt <= knownAt),
    );
  }
  return known;
}

/** The first event that mentions the resource, whenever it was, and the newest ones up to the moment. */
async function readEvents(
  { store }: ApiContext,
  scope: Scope,
  resource: EntityRef,
  at: Instant,
  knownAt?: Instant,
): Promise<{ first: VisibleEvent | undefined; recent: readonly VisibleEvent[] }> {
  const [oldest, newest] = await Promise.all([
    store.reader.timeline(scope, { resource }, { limit: 1, order: "oldest" }),
    store.reader.timeline(scope, { resource, to: instant(at + 1) }, { limit: eventsMax, order: "newest" }),
  ]);
  const wasKnown = ({ event }: VisibleEvent) => knownAt === undefined || event.recordedAt <= knownAt;
  const recent = newest.events.filter(wasKnown);
  return { first: oldest.events.find(wasKnown) ?? recent.at(-1), recent };
}

/** The change points around the resource in the one control plane that knows it. */
async function readFacts(
  context: ApiContext,
  scope: Scope,
  resource: EntityRef,
  asked: string | undefined,
  knownAt: Instant | undefined,
): Promise<{ controlPlane: string | undefined; facts: readonly KnownFact[] }> {
  const { topology } = context.store;
  const candidates = asked === undefined ? await controlPlanes(context, scope) : [asked];
  const known: { controlPlane: string; facts: readonly KnownFact[] }[] = [];
  for (const controlPlane of candidates) {
    const facts = await topology.history(controlPlane, resource, knownAt);
    if (facts.length > 0) known.push({ controlPlane, facts });
  }
  if (known.length > 1) {
    const names = known.map(({ controlPlane }) => controlPlane).join(", ");
    throw queryInvalid(`Several control planes know this id; give \`control_plane\`, one of ${names}.`);
  }
  return known[0] ?? { controlPlane: undefined, facts: [] };
}

async function controlPlanes({ store, directory }: ApiContext, scope: Scope): Promise<readonly string[]> {
  const [coverage, tenants] = await Promise.all([store.reader.coverage(scope), directory.list()]);
  const named = [...coverage.connections, ...tenants.all].map(({ controlPlane }) => controlPlane);
  return [...new Set(named)].toSorted();
}

interface Ownership {
  readonly facts: readonly KnownFact[];
  /** By entity key, of each project that ever owned it. */
  readonly owners: ReadonlyMap<string, readonly KnownFact[]>;
  readonly tenants: TenantList;
}

/** Follows `owned_by` to the project or domain as of the moment. */
function ownerAt(
  controlPlane: string,
  resource: EntityRef,
  { facts, owners, tenants }: Ownership,
  at: Instant,
): AttributionJson | null {
  const owned = targetAt(resource, "owned_by", facts, at);
  if (owned === undefined) return null;
  const owner = owned.held.entity;
  if (owner.kind !== "project")
    return ownerJson(tenants.toJson({ controlPlane, domainId: owner.id }), [owned]);
  const placed = targetAt(owner, "part_of", owners.get(entityKey(owner)) ?? [], at);
  const tenant = { controlPlane, projectId: owner.id };
  return placed === undefined
    ? ownerJson(tenants.toJson(tenant), [owned])
    : ownerJson(tenants.toJson({ ...tenant, domainId: placed.held.entity.id }), [owned, placed]);
}

/** The tenant itself, within its own stretches; of any other moment it learns no owner. */
function ownerForTenant(
  controlPlane: string,
  tenants: TenantList,
  own: OwnedInterval | undefined,
): AttributionJson | null {
  if (own === undefined) return null;
  const { owner, domainId } = own;
  const domain = domainId === undefined ? {} : { domainId };
  const tenant = owner.kind === "project" ? { ...domain, projectId: owner.id } : { domainId: owner.id };
  const { control_plane: _, ...told } = ownerJson(tenants.toTenantJson({ controlPlane, ...tenant }), []);
  return told;
}

type Hop = NonNullable<ReturnType<typeof targetAt>>;

function ownerJson(named: TenantJson, hops: readonly Hop[]): AttributionJson {
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
