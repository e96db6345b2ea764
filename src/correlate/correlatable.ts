import type { EntityRef, Related } from "../model/entity.ts";
import type { Category, EventKind, OperationKey, Phase, Severity } from "../model/event.ts";
import type { Duration, Instant } from "../model/instant.ts";

/** What correlation needs to know of an event; the provider's events and a tenant's editions both have it. */
export interface Correlatable {
  readonly id: string;
  readonly occurredAt: Instant;
  readonly precision: Duration;
  readonly type: string;
  readonly kind: EventKind;
  readonly category: Category;
  readonly phase?: Phase | undefined;
  readonly severity: Severity;
  readonly subject: EntityRef;
  readonly related: readonly Related[];
  readonly operation?: OperationKey | undefined;
  readonly summary: string;
}
