import type { Attribution, Category, EventKind, Phase, Severity, StoredEvent } from "../model/event.ts";
import type { EntityRef } from "../model/entity.ts";
import type { Duration, Instant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";
import type { Hole } from "../model/source-health.ts";
import type { Scope } from "../model/scope.ts";
import type { TenantKey, TenantRef } from "../model/tenant.ts";
import type { ConnectionState } from "./event-store.ts";

/** A filter over events; every field narrows. Times are half-open: from ≤ occurredAt < to. */
export interface EventFilter {
  readonly from?: Instant;
  readonly to?: Instant;
  readonly domainId?: string;
  readonly projectId?: string;
  /** What is of one customer: the keys as in a customer's scope, and which customer that is, for comparing filters. */
  readonly customer?: { readonly id: string; readonly keys: readonly TenantKey[] };
  readonly resource?: EntityRef;
  readonly kinds?: readonly EventKind[];
  readonly categories?: readonly Category[];
  readonly phases?: readonly Phase[];
  /** Exact, or a prefix ended by `*`: `compute.instance.*`. */
  readonly types?: readonly string[];
  /** This severity and above. */
  readonly severity?: Severity;
  readonly connections?: readonly string[];
  /** Literal text, found anywhere in summary, names and ids, without regard to case. */
  readonly text?: string;
  readonly attribution?: readonly StoredEvent["attribution"]["status"][];
}

/** A place in the order (occurredAt, id). */
export interface Keyset {
  readonly occurredAt: Instant;
  readonly id: string;
}

export interface PageRequest {
  readonly limit: number;
  readonly order: "newest" | "oldest";
  /** Strictly beyond this place, in the order asked for. */
  readonly after?: Keyset;
}

/** What a tenant sees of an event: its own edition, made when the event was stored. */
export interface TenantEvent {
  readonly id: string;
  /** True where the edition tells of a shared cause: the tenant is affected by it and does not own it. */
  readonly notice: boolean;
  readonly occurredAt: Instant;
  readonly recordedAt: Instant;
  readonly precision: Duration;
  readonly type: string;
  readonly kind: EventKind;
  readonly category: Category;
  readonly phase?: StoredEvent["phase"];
  readonly severity: Severity;
  readonly subject: EntityRef;
  readonly subjectName?: string;
  readonly related: StoredEvent["related"];
  readonly operation?: StoredEvent["operation"];
  readonly tenant: TenantRef;
  /** One plain line: why this is shown. */
  readonly because: string;
  readonly summary: string;
  readonly details: JsonObject;
}

export type VisibleEvent =
  | { readonly audience: "provider"; readonly event: StoredEvent }
  | { readonly audience: "tenant"; readonly event: TenantEvent };

export interface EventPage {
  readonly events: readonly VisibleEvent[];
  readonly more: boolean;
}

export interface HistogramBin {
  readonly at: Instant;
  readonly counts: Readonly<Record<EventKind, number>>;
}

/**
 * How far each connection in scope is known to be complete; what is decided here is among them, and says nothing of how
 * far the clouds are. Tenants get one merged answer without names.
 */
export interface Coverage {
  readonly connections: readonly ConnectionState[];
  readonly completeTo?: Instant;
  /** Open holes of the connections in scope: for a tenant merged spans alone, without reason or name. */
  readonly holes: readonly Pick<Hole, "from" | "to">[];
}

/** Events that wait for the same reason, of one type and connection. */
export interface QuarantineGroup {
  /** As `unprovenReason` words it. */
  readonly reason: string;
  readonly type: string;
  readonly connection: string;
  readonly controlPlane: string;
  /** The members of storms each count. */
  readonly count: number;
  /** True where there are more than were counted. */
  readonly atLeast: boolean;
  readonly oldest: Instant;
  readonly newest: Instant;
  /** The newest event. */
  readonly exampleId: string;
  /** Answers of the newest events, a bounded number. */
  readonly sampled: readonly Attribution[];
}

export interface Quarantine {
  /** The largest first. */
  readonly groups: readonly QuarantineGroup[];
  /** True where there are more groups than were looked at. */
  readonly more: boolean;
}

/** How often each type occurred for a baseline: per type, events in the span, and the span's length. */
export interface TypeRate {
  readonly type: string;
  readonly count: number;
}

/** Reads. No scope, no call; each runs in one read-only transaction on the scope's own login. */
export interface EventReader {
  timeline(scope: Scope, filter: EventFilter, page: PageRequest): Promise<EventPage>;
  event(scope: Scope, id: string): Promise<VisibleEvent | undefined>;
  /**
   * A page of what an event of a storm stands for, each member as the event that it would have been, in scope; empty
   * for an event that stands for itself. `event` knows members by their own ids too.
   */
  members(scope: Scope, eventId: string, page: PageRequest): Promise<EventPage>;
  /** At most `bins` equal bins over [from, to). */
  histogram(
    scope: Scope,
    filter: EventFilter & { from: Instant; to: Instant },
    bins: number,
  ): Promise<readonly HistogramBin[]>;
  /** How often each type occurred in [from, to), in scope. */
  typeRates(scope: Scope, types: readonly string[], from: Instant, to: Instant): Promise<readonly TypeRate[]>;
  /**
   * Of each of the entities what went wrong about it in the span, in scope; those without are left out. What a notice
   * tells of was not seen on the tenant's own resource, and is no symptom of it.
   */
  symptoms(scope: Scope, question: SymptomQuestion): Promise<readonly EntitySymptoms[]>;
  /** How often each value of each attribute stands in the events of a selection and of its baseline, in scope. */
  attributeCounts(scope: Scope, question: AttributeQuestion): Promise<AttributeCounts>;
  /** First and last occurrence in scope, for fitting a window; undefined when there is none. */
  extent(scope: Scope): Promise<{ readonly first: Instant; readonly last: Instant } | undefined>;
  coverage(scope: Scope): Promise<Coverage>;
  /** At most `limit` groups, of one reason where it is given. Provider only; a tenant's scope gets none. */
  quarantine(scope: Scope, limit: number, reason?: string): Promise<Quarantine>;
  /** What each tenant is shown of the event, in the order of the tenants' keys. Provider only; a tenant's scope gets none. */
  editions(scope: Scope, event: Pick<StoredEvent, "id" | "occurredAt">, limit: number): Promise<EditionPage>;
  /** Earlier attributions of an event, oldest first. Provider only. */
  attributionHistory(scope: Scope, id: string): Promise<readonly EarlierAttribution[]>;
  /** Set-aside records as they are listed: without bytes beyond the first 4 KiB. Provider only. */
  setAside(scope: Scope, limit: number): Promise<readonly SetAsideListing[]>;
  /** Events recorded after the one with id `after` (or from now on), in an order that never skips a late commit. */
  feed(scope: Scope, after: FeedPosition | undefined, limit: number): Promise<FeedPage>;
  /** Whether the event can be resumed after: it is in scope, or was. */
  standsInFeed(scope: Scope, id: string): Promise<boolean>;
  /** Resolves when something new may have been stored, or after `waitMs`. */
  woken(waitMs: number, signal: AbortSignal): Promise<void>;
}

export interface SymptomQuestion {
  readonly entities: readonly EntityRef[];
  readonly from: Instant;
  readonly to: Instant;
  /** Of each entity at most so many events are given. */
  readonly eachMax: number;
  /** Events that do not count. */
  readonly except: readonly string[];
}

export interface EntitySymptoms {
  readonly entity: EntityRef;
  /** The members of storms each count. */
  readonly count: number;
  /** The earliest; of what was folded, the folds. */
  readonly first: readonly VisibleEvent[];
}

export interface Span {
  readonly from: Instant;
  readonly to: Instant;
}

/** Two sets of events; what is in the selection is not in the baseline, whatever its filter says. */
export interface AttributeQuestion {
  readonly selection: EventFilter & Span;
  readonly baseline: { readonly filter: Omit<EventFilter, "from" | "to">; readonly spans: readonly Span[] };
}

export interface AttributeCounts {
  /** Events of the selection, and of each span of the baseline. */
  readonly inside: number;
  readonly outside: readonly number[];
  /** True where there are more events or values than were counted: then the newest, and the most frequent, were. */
  readonly truncated: boolean;
  /** Values that stand in two events or more, the most frequent first. */
  readonly values: readonly {
    readonly attribute: string;
    readonly value: string;
    readonly inside: number;
    readonly outside: number;
  }[];
}

export interface EditionPage {
  readonly editions: readonly TenantEvent[];
  readonly more: boolean;
}

/** What we took to be true from `recordedAt` until `recordedUntil`. */
export interface EarlierAttribution {
  readonly recordedAt: Instant;
  readonly recordedUntil: Instant;
  readonly attribution: StoredEvent["attribution"];
}

/** A place in the feed; `event` is the id of the last event seen. Opaque numbers never leave the server. */
export interface FeedPosition {
  readonly event?: string;
  readonly mark?: string;
}

export interface FeedPage {
  readonly events: readonly VisibleEvent[];
  /** Which of `events` stood in the feed before, written otherwise: a filter may no longer let them pass. */
  readonly repeated: readonly string[];
  /** Ids of what was to be seen in this scope and no longer is. None of them is among `events`. */
  readonly retracted: readonly string[];
  readonly position: FeedPosition;
}

export interface SetAsideListing {
  readonly id: string;
  readonly connection: string;
  readonly position: string;
  readonly code: string;
  readonly reason: string;
  readonly receivedAt: Instant;
  readonly attempts: number;
  readonly excerpt: string;
}
