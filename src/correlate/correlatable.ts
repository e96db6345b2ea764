import type { EntityRef, Related } from "../model/entity.ts";
import type {
  Actor,
  Category,
  EventKind,
  FieldChange,
  OperationKey,
  Phase,
  Severity,
} from "../model/event.ts";
import type { Duration, Instant } from "../model/instant.ts";
import type { JsonObject } from "../model/json.ts";

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
  readonly subjectName?: string | undefined;
  readonly details: JsonObject;
  readonly changes?: readonly FieldChange[] | undefined;
  /** The provider's events alone have these. */
  readonly actor?: Actor | undefined;
  readonly connection?: string | undefined;
  readonly controlPlane?: string | undefined;
}
