import type { EntityRef } from "../model/entity.ts";
import type { Scope } from "../model/scope.ts";
import type { TenantKey } from "../model/tenant.ts";
import type { KnownFact } from "../model/topology.ts";

/** Reads the topology. Provider's knowledge: callers hand out only what the scope may know. */
export interface TopologyReader {
  /** Where the topology stands now; taken before a view is loaded, and handed on with the page that it served. */
  mark(): Promise<string>;
  /**
   * The facts within `hops` of the keys, as change points (the first observation of each run), for the
   * resolver's view: forward from every key, and backward into hosts, requests and addresses only.
   */
  neighbourhood(controlPlane: string, keys: readonly string[], hops: number): Promise<readonly KnownFact[]>;
  /** All change points that mention the entity, for the resource page. */
  about(scope: Scope, controlPlane: string, entity: EntityRef): Promise<readonly KnownFact[]>;
  /** Every project and domain known, with names, for scopes, lanes and lists. */
  tenants(): Promise<readonly KnownTenant[]>;
}

export interface KnownTenant {
  readonly key: TenantKey;
  readonly controlPlane: string;
  readonly domainId?: string;
  readonly projectId?: string;
  readonly name?: string;
  readonly domainName?: string;
}
