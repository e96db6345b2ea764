import { IsochronError } from "../errors.ts";
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
import type { AuditRecord } from "./audit-store.ts";

/** Somebody wrote into it since it was read. */
export function incidentChanged(version: number, expected: number): IsochronError {
  return new IsochronError(
    "incident-changed",
    `The incident is at version ${version}, and not at ${expected} any more.`,
    "Read it again, and write again what still holds.",
  );
}

/** What a rule, a person, a selection or a document opens an incident with. */
export interface IncidentOpening {
  readonly origin: IncidentOrigin;
  readonly by: string;
  readonly at: Instant;
  /** Has at least a title and a window. */
  readonly changes: readonly IncidentChange[];
  /** Two openings with the same key are one incident: a rule that fires again finds what it opened. */
  readonly key?: string;
  /** Tells the audit, in the same transaction, what was opened; nothing where the key had opened it before. */
  readonly audit?: (incident: Incident) => AuditRecord;
}

/** What a tenant is to be told of an incident that is being published, or amended. */
export interface IncidentEditionDraft {
  readonly tenant: TenantKey;
  /** The domain that a project is part of, where it is known: its readers are told too. */
  readonly domain?: TenantKey;
  readonly title: string;
  /** The export for that tenant's audience, as Markdown. */
  readonly markdown: string;
}

/** What one tenant is told of a published incident, as its login reads it. */
export interface IncidentEdition {
  /** `inc_` and 26 letters and digits: another for each tenant, so that two cannot tell that they were told of the same. */
  readonly id: string;
  readonly tenant: TenantKey;
  /** Counted from 1; an amendment makes the next. */
  readonly edition: number;
  readonly publishedAt: Instant;
  readonly title: string;
  readonly markdown: string;
  /** Lower-case hex SHA-256 of `markdown` as it was written. */
  readonly hash: string;
  /** False where words were erased from it since. */
  readonly intact: boolean;
}

/** What was frozen when an incident was published. */
export interface FrozenIncident {
  /** The canonical provider export. */
  readonly text: string;
  /** Lower-case hex SHA-256 of `text` as it was written. */
  readonly hash: string;
  /** False where words were erased from it since. */
  readonly intact: boolean;
}

export interface IncidentFilter {
  readonly states?: readonly IncidentState[];
  /** Whose window reaches into from ≤ t < to. */
  readonly from?: Instant;
  readonly to?: Instant;
}

export interface IncidentAppend {
  readonly by: string;
  readonly at: Instant;
  readonly expectedVersion: number;
  readonly changes: readonly IncidentChange[];
  /** With the step to `published`, or with an amendment. */
  readonly editions?: readonly IncidentEditionDraft[];
  /** With the step to `published`: what its hash is of. */
  readonly frozen?: string;
  /** Tells the audit, in the same transaction. */
  readonly audit?: (incident: Incident) => AuditRecord;
}

/** Incidents: append-only histories. The provider's, but for editions, which are their tenants'. */
export interface IncidentStore {
  /** The opened incident, or the one that the key had opened before. Throws `incident-invalid`. */
  open(opening: IncidentOpening): Promise<{ readonly incident: Incident; readonly fresh: boolean }>;
  /**
   * Appends entries in one transaction, with the editions that publication makes. Throws `incident-changed` where
   * `expectedVersion` is not the version, `incident-published` for what a frozen one no longer takes, and
   * `incident-invalid` for what does not fit; undefined where there is none of that id.
   */
  append(id: string, entries: IncidentAppend): Promise<Incident | undefined>;
  find(scope: Scope, id: string): Promise<Incident | undefined>;
  /** Newest window first. Tenants' scopes get nothing: they read editions. */
  list(scope: Scope, filter: IncidentFilter, limit: number): Promise<readonly Incident[]>;
  /** Oldest first; empty where there is none of that id. */
  history(scope: Scope, id: string): Promise<readonly IncidentEntry[]>;
  /** What was frozen; undefined until it is published. Provider only. */
  frozen(scope: Scope, id: string): Promise<FrozenIncident | undefined>;
  /** The latest edition of each incident that the scope may read, newest first. */
  editions(scope: Scope, limit: number): Promise<readonly IncidentEdition[]>;
  /** All editions under a tenant's own id of an incident, newest first; empty for what the scope may not read. */
  edition(scope: Scope, id: string): Promise<readonly IncidentEdition[]>;
  /** The id under which a tenant knows the incident. */
  editionId(incident: string, tenant: TenantKey): string;
}
