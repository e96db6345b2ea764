import { entityKey, type EntityRef } from "../../model/entity.ts";
import { formatInstant, type Instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import { domainKey, exceptKey, projectKey } from "../../model/tenant.ts";
import type { KnownFact } from "../../model/topology.ts";
import { toEntityJson, formatOptional } from "./event-json.ts";
import type { AliasIntervalJson, OwnershipIntervalJson } from "./ownership-contract.ts";
import { intervalsOut, type HeldRelation } from "./resource-state.ts";
import type { TenantList } from "./tenant-directory.ts";

/** A stretch in which a resource was one owner's, within one domain of that owner. */
export interface OwnedInterval {
  readonly owner: EntityRef;
  readonly domainId?: string;
  readonly from: Instant;
  readonly until?: Instant;
  /** The fact that began it: the resource's new owner, or the owner's new domain. */
  readonly fact: KnownFact;
}

/** Whose the resource was, oldest first; `factsOf` holds by entity key what is known of each owning project. */
export function ownedIntervals(
  resource: EntityRef,
  facts: readonly KnownFact[],
  factsOf: ReadonlyMap<string, readonly KnownFact[]>,
): readonly OwnedInterval[] {
  return intervalsOut(resource, ["owned_by"], facts).flatMap((held): OwnedInterval[] => {
    const owner = held.entity;
    const whole = { owner, from: held.validFrom, ...untilOf(held.validUntil), fact: held.fact };
    if (owner.kind !== "project") return [{ ...whole, domainId: owner.id }];
    const placed = intervalsOut(owner, ["part_of"], factsOf.get(entityKey(owner)) ?? []).filter(
      ({ entity }) => entity.kind === "domain",
    );
    if (placed.length === 0) return [whole];
    return placed.flatMap((domain, index) => {
      // Where a project was before it was first heard of is taken to be where it was then, as the resolver takes it.
      const since = index === 0 ? Number.NEGATIVE_INFINITY : domain.validFrom;
      const span = overlap(held, since, domain.validUntil);
      if (span === undefined) return [];
      const fact = span.from === held.validFrom ? held.fact : domain.fact;
      return [{ owner, domainId: domain.entity.id, ...span, fact }];
    });
  });
}

function overlap(
  { validFrom, validUntil }: Pick<HeldRelation, "validFrom" | "validUntil">,
  since: number,
  until: Instant | undefined,
): { from: Instant; until?: Instant } | undefined {
  const from = since > validFrom ? (since as Instant) : validFrom;
  const ends = [validUntil, until].filter((end) => end !== undefined).toSorted((a, b) => a - b);
  const [end] = ends;
  return end !== undefined && end <= from ? undefined : { from, ...untilOf(end) };
}

function untilOf(until: Instant | undefined): { until?: Instant } {
  return until === undefined ? {} : { until };
}

/** Those stretches in which the resource was the scope's own. */
export function ownIntervals(
  scope: Scope,
  controlPlane: string,
  intervals: readonly OwnedInterval[],
): readonly OwnedInterval[] {
  if (scope.kind === "provider") return intervals;
  const keys = new Set<string>(scope.keys);
  return intervals.filter(({ owner, domainId }) => {
    const domain = domainId !== undefined && keys.has(domainKey(controlPlane, domainId));
    if (owner.kind !== "project") return domain;
    const project = projectKey(controlPlane, owner.id);
    return keys.has(project) || (domain && !keys.has(exceptKey(project)));
  });
}

/** The stretch that the moment lies within. */
export function ownedAt(intervals: readonly OwnedInterval[], at: Instant): OwnedInterval | undefined {
  return intervals.find(({ from, until }) => from <= at && (until === undefined || at < until));
}

/** For the provider with who said so and since when we know; for a tenant the stretch alone. */
export function toOwnershipJson(
  scope: Scope,
  controlPlane: string,
  tenants: TenantList,
  { owner, domainId, from, until, fact }: OwnedInterval,
): OwnershipIntervalJson {
  const ref = { controlPlane, ...(domainId === undefined ? {} : { domainId }) };
  const tenant = owner.kind === "project" ? { ...ref, projectId: owner.id } : ref;
  const named = scope.kind === "provider" ? tenants.toJson(tenant) : tenants.toTenantJson(tenant);
  return {
    owner: toEntityJson(owner, owner.kind === "project" ? named.project_name : named.domain_name),
    ...(domainId === undefined || owner.kind !== "project"
      ? {}
      : { domain: toEntityJson({ kind: "domain", id: domainId }, named.domain_name) }),
    valid_from: formatInstant(from),
    valid_until: formatOptional(until) ?? null,
    ...(scope.kind === "provider" ? statedBy(fact) : {}),
  };
}

export function statedBy(fact: KnownFact): Pick<AliasIntervalJson, "known_since" | "stated_by"> {
  return {
    known_since: formatInstant(fact.recordedAt),
    stated_by: { connection: fact.connection, source_id: fact.sourceId },
  };
}

/** What else the resource was called, oldest first. */
export function aliasesForProvider(
  resource: EntityRef,
  facts: readonly KnownFact[],
): readonly AliasIntervalJson[] {
  return intervalsOut(resource, ["named", "known_as", "has_address"], facts).map((held) => ({
    relation: held.relation as AliasIntervalJson["relation"],
    alias: toEntityJson(held.entity),
    valid_from: formatInstant(held.validFrom),
    valid_until: formatOptional(held.validUntil) ?? null,
    ...statedBy(held.fact),
  }));
}

/**
 * A tenant learns the names and addresses of its own stretches, cut to them: not since when another gave one. What
 * hypervisors call a thing is the provider's.
 */
export function aliasesForTenant(
  resource: EntityRef,
  facts: readonly KnownFact[],
  own: readonly OwnedInterval[],
): readonly AliasIntervalJson[] {
  return intervalsOut(resource, ["named", "has_address"], facts).flatMap((held) =>
    own.flatMap((stretch) => {
      const span = overlap(held, stretch.from, stretch.until);
      if (span === undefined) return [];
      return [
        {
          relation: held.relation as AliasIntervalJson["relation"],
          alias: toEntityJson(held.entity),
          valid_from: formatInstant(span.from),
          valid_until: formatOptional(span.until) ?? null,
        },
      ];
    }),
  );
}
