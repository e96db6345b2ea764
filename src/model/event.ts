import type { EntityRef, Related } from "./entity.ts";
import type { Duration, Instant } from "./instant.ts";
import type { JsonObject, Json } from "./json.ts";
import type { TenantRef } from "./tenant.ts";
import type { TopologyFact } from "./topology.ts";

/** What the eye must tell apart. */
export const eventKinds = ["change", "symptom", "recovery", "human", "activity"] as const;
export type EventKind = (typeof eventKinds)[number];

export const severities = ["info", "warning", "error", "critical"] as const;
export type Severity = (typeof severities)[number];

export const categories = [
  "monitoring",
  "provisioning",
  "lifecycle",
  "backup",
  "restore",
  "snapshot",
  "migration",
  "network",
  "storage",
  "image",
  "auth",
  "tenancy",
  "ticket",
  "platform",
  "deployment",
  "api",
  "usage",
  "other",
] as const;
export type Category = (typeof categories)[number];

export const phases = ["start", "progress", "end", "error"] as const;
export type Phase = (typeof phases)[number];

export const visibilities = ["operational", "security", "billing", "provider"] as const;
export type Visibility = (typeof visibilities)[number];

/** Who did it; never the owner. */
export interface Actor {
  readonly userId?: string;
  readonly userName?: string;
  readonly projectId?: string;
  readonly domainId?: string;
  readonly address?: string;
}

/** What ties the steps of one operation together. */
export interface OperationKey {
  readonly requestId?: string;
  readonly globalRequestId?: string;
  readonly workflowId?: string;
}

export interface FieldChange {
  readonly field: string;
  readonly before: Json;
  readonly after: Json;
}

/**
 * What the record itself says about whose its subject is, and in which field. A statement, not an
 * attribution: the resolver decides. It is never read from the request's context.
 */
export interface StatedOwner {
  readonly owner: EntityRef & { readonly kind: "project" | "domain" };
  /** The field that says so, e.g. `payload.tenant_id`. */
  readonly path: string;
}

/**
 * Where one occurrence is reported twice under two names (Nova's `both` mode), the reports carry the
 * same group and different sides; the n-th of one side is the twin of the n-th of the other.
 */
export interface Twin {
  readonly group: string;
  readonly side: string;
  /** Twins lie no further apart than this; a lone report further away is an occurrence of its own. */
  readonly within: Duration;
}

/** What a source says happened. It has no tenant: a source reports, only the resolver attributes. */
export interface EventDraft {
  /** Unique in its connection and stream; names an occurrence that can no longer change. */
  readonly key: string;
  /** The ids that the source itself gave to the record, e.g. an oslo `message_id`. Never empty. */
  readonly sourceIds: readonly string[];
  readonly occurredAt: Instant;
  /** How well the source knows the time: a post-mortem's minute is 60,000 ms wide, a message 0. */
  readonly precision: Duration;
  /** Dotted, the source's own vocabulary made regular: `compute.instance.create.end`. */
  readonly type: string;
  readonly kind: EventKind;
  readonly category: Category;
  readonly phase?: Phase;
  readonly severity: Severity;
  readonly visibility: Visibility;
  readonly subject: EntityRef;
  readonly subjectName?: string;
  readonly related: readonly Related[];
  readonly actor?: Actor;
  readonly operation?: OperationKey;
  readonly stated?: StatedOwner;
  /** True where the record is about the provider's own estate whoever triggered it (a host, a flavor). */
  readonly platform?: boolean;
  readonly twin?: Twin;
  readonly summary: string;
  readonly details: JsonObject;
  readonly changes?: readonly FieldChange[];
}

export interface Observation {
  readonly events: readonly EventDraft[];
  readonly facts: readonly TopologyFact[];
}

/** How much a step of the evidence can be relied on. */
export type Confidence = "exact" | "derived" | "assumed";

/** One hop of the chain that led from the record to its owner, or a candidate that was rejected. */
export interface Evidence {
  /** Name and version, e.g. `stated-owner/1`. */
  readonly rule: string;
  readonly verdict: "accepted" | "rejected";
  readonly confidence: Confidence;
  /** One sentence for an operator. */
  readonly says: string;
  readonly from?: EntityRef;
  readonly to?: EntityRef;
  /** The record that states the hop: connection and source id. */
  readonly source?: { readonly connection: string; readonly sourceId: string };
  /** Since when, and until when, the hop is known to hold; open ends are absent. */
  readonly validFrom?: Instant;
  readonly validUntil?: Instant;
}

export type AttributionStatus = "owned" | "shared" | "provider" | "ambiguous" | "unresolved";

/** Whose an event is. Ambiguity is an answer, and is never shown to a tenant. */
export type Attribution =
  | { readonly status: "owned"; readonly tenant: TenantRef; readonly evidence: readonly Evidence[] }
  /** Shared infrastructure: the provider's event, with the tenants on it at that moment. */
  | {
      readonly status: "shared";
      readonly affected: readonly AffectedTenant[];
      readonly evidence: readonly Evidence[];
    }
  /** The provider's own; `own` where the owner is one of the provider's projects or domains. */
  | { readonly status: "provider"; readonly own?: TenantRef; readonly evidence: readonly Evidence[] }
  | {
      readonly status: "ambiguous";
      readonly candidates: readonly TenantRef[];
      readonly evidence: readonly Evidence[];
    }
  | { readonly status: "unresolved"; readonly evidence: readonly Evidence[] };

export interface AffectedTenant {
  readonly tenant: TenantRef;
  /** The tenant's own resources that stand on the shared one. */
  readonly resources: readonly EntityRef[];
}

/** An event with its attribution, ready to be stored. */
export interface ResolvedEvent {
  readonly draft: EventDraft;
  readonly attribution: Attribution;
  /** Entity keys whose later facts could change the answer, or what the owner is shown; empty when the record itself is all. */
  readonly dependsOn: readonly string[];
}

/**
 * What one tenant may know of an event, decided once by `normalise/redact.ts` and stored beside it.
 * A tenant's login can read editions only, never the event itself.
 */
export interface TenantEdition {
  readonly tenant: TenantRef;
  /** An owner's edition keeps the event's id; a notice of a shared cause gets an id of its own. */
  readonly notice: boolean;
  readonly type: string;
  readonly kind: EventKind;
  readonly category: Category;
  readonly phase?: Phase;
  readonly severity: Severity;
  readonly visibility: Visibility;
  readonly subject: EntityRef;
  readonly subjectName?: string;
  readonly related: readonly Related[];
  readonly operation?: OperationKey;
  /** One plain line: why this is shown. */
  readonly because: string;
  readonly summary: string;
  readonly details: JsonObject;
}

/** An event as the store gives it back to the provider. */
export interface StoredEvent extends Omit<EventDraft, "twin"> {
  readonly id: string;
  readonly connection: string;
  readonly source: string;
  readonly controlPlane: string;
  readonly recordedAt: Instant;
  readonly attribution: Attribution;
}
