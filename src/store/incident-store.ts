import type {
  Incident,
  IncidentChange,
  IncidentEntry,
  IncidentOrigin,
  IncidentState,
} from "../model/incident.ts";
import type { Instant } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";
import type { TenantKey } from "../model/tenant.ts";

/** What a rule, a person, a selection or a document opens an incident with. */
export interface IncidentOpening {
  readonly origin: IncidentOrigin;
  readonly by: string;
  readonly at: Instant;
  /** Has at least a title and a window. */
  readonly changes: readonly IncidentChange[];
  /** Two openings with the same key are one incident: a rule that fires again finds what it opened. */
  readonly key?: string;
}

export interface IncidentFilter {
  readonly states?: readonly IncidentState[];
  /** Whose window reaches into from ≤ t < to. */
  readonly from?: Instant;
  readonly to?: Instant;
}

/** What one tenant is told of a published incident: written when it is published, and read by its login alone. */
export interface IncidentEdition {
  readonly incident: string;
  readonly tenant: TenantKey;
  readonly publishedAt: Instant;
  readonly title: string;
  /** The export for that tenant's audience, as Markdown. */
  readonly markdown: string;
  /** Lower-case hex SHA-256 of `markdown`. */
  readonly hash: string;
}

/** Incidents: append-only histories. The provider's, but for editions, which are their tenants'. */
export interface IncidentStore {
  /** The opened incident, or the one that the key had opened before. */
  open(opening: IncidentOpening): Promise<{ readonly incident: Incident; readonly fresh: boolean }>;
  /**
   * Appends entries in one transaction, with the editions that publication makes. Throws `incident-changed` where
   * `expectedVersion` is not the version, and `incident-published` for what a frozen one no longer takes; undefined where
   * there is none of that id.
   */
  append(
    id: string,
    entries: {
      readonly by: string;
      readonly at: Instant;
      readonly expectedVersion: number;
      readonly changes: readonly IncidentChange[];
      readonly editions?: readonly IncidentEdition[];
    },
  ): Promise<Incident | undefined>;
  find(scope: Scope, id: string): Promise<Incident | undefined>;
  /** Newest window first. Tenants' scopes get nothing: they read editions. */
  list(scope: Scope, filter: IncidentFilter, limit: number): Promise<readonly Incident[]>;
  history(scope: Scope, id: string): Promise<readonly IncidentEntry[]>;
  /** The editions that the scope may read, newest first. */
  editions(scope: Scope, limit: number): Promise<readonly IncidentEdition[]>;
}
