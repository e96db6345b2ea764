import type { EntityRef } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";
import type { TenantKey } from "../model/tenant.ts";
import type { KnownFact, Relation } from "../model/topology.ts";

/** Reads the topology. Provider's knowledge: callers hand out only what the scope may know. */
export interface TopologyReader {
  /** Where the topology stands now; taken before a view is loaded, and handed on with the page that it served. */
  mark(): Promise<string>;
  /**
   * The facts within `hops` of the keys, as change points (the first observation of each run): forward from every key,
   * and backward into every host, and from the keys themselves into requests and whatever bears an address or a name.
   */
  neighbourhood(controlPlane: string, keys: readonly string[], hops: number): Promise<readonly KnownFact[]>;
  /** The same for the resolver's view: of hosts and backends only those are walked backward that `start` names as places. */
  surroundings(controlPlane: string, start: Start, hops: number): Promise<Surroundings>;
  /** All change points that mention the entity, for the resource page. */
  about(scope: Scope, controlPlane: string, entity: EntityRef): Promise<readonly KnownFact[]>;
  /**
   * All change points of the entity, of what points at it and, along single relations, of where that points else, by
   * what had been recorded up to `knownAt` (all, when absent); not who used it.
   */
  history(controlPlane: string, entity: EntityRef, knownAt?: Instant): Promise<readonly KnownFact[]>;
  /**
   * The change points along the ways, with where those that point at a thing point else; of those that pointed at one
   * thing before the moment, at most `eachMax`, the last to come first.
   */
  adjoining(controlPlane: string, ways: readonly Way[], at: Instant, eachMax: number): Promise<Adjoining>;
  /** Every project and domain known, with names, for scopes, lanes and lists. */
  tenants(): Promise<readonly KnownTenant[]>;
}

/** One relation of a thing: those that it has itself, or those that others have to it. */
export interface Way {
  readonly entity: EntityRef;
  readonly relation: Relation;
  readonly side: "from" | "to";
  /** With `to`: of what kind those others are; any where absent. */
  readonly otherKind?: string;
}

export interface Adjoining {
  readonly facts: readonly KnownFact[];
  /** `KEY|relation` where more pointed at the thing than are given. */
  readonly cut: ReadonlySet<string>;
}

/** Where a walk begins: `resource:ID` stands for whatever bears that id, of any kind. */
export interface Start {
  readonly keys: readonly string[];
  /**
   * Of the keys those that are, serve or name a place of which the residents are asked for: a host's servers are many,
   * and who asks for one of them does not ask for the others.
   */
  readonly places: ReadonlySet<string>;
}

export interface Surroundings {
  readonly facts: readonly KnownFact[];
  /**
   * `KEY|relation` where more things stand in that relation to the entity than are loaded: who bears a name that
   * everybody uses, who ever used a thing that all use. None of them prove anything, so a view must give none of them.
   */
  readonly crowded: ReadonlySet<string>;
  /**
   * `KEY|relation` where more things stand so to a place than are loaded, with the keys of those that are taken: a view
   * must give these only, whatever else is at hand, and say that there are more.
   */
  readonly cut: ReadonlyMap<string, ReadonlySet<string>>;
}

export interface KnownTenant {
  readonly key: TenantKey;
  readonly controlPlane: string;
  readonly domainId?: string;
  readonly projectId?: string;
  readonly name?: string;
  readonly domainName?: string;
  /** Of a domain that is observed to be part of one region. */
  readonly regionId?: string;
}
