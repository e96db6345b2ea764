import type { BlastReport } from "../../correlate/blast-report.ts";
import type { OverRepresented } from "../../correlate/over-represented.ts";
import type { EntityRef } from "../../model/entity.ts";
import type { Duration, Instant } from "../../model/instant.ts";
import type { Scope } from "../../model/scope.ts";
import type { EventFilter, Span, VisibleEvent } from "../../store/event-reader.ts";

/** Tells what a failure reaches; undefined when an event or resource is unknown in the scope. */
export type FindBlast = (scope: Scope, query: BlastQuery) => Promise<BlastAnswer | undefined>;

export interface BlastQuery {
  readonly events: readonly string[];
  readonly resources: readonly EntityRef[];
  readonly at?: Instant;
  readonly controlPlane?: string;
  readonly windowMs: Duration;
  readonly hops: number;
  readonly limit: number;
}

export interface BlastAnswer extends BlastReport<VisibleEvent> {
  readonly target: {
    readonly events: readonly VisibleEvent[];
    readonly failed: readonly EntityRef[];
    readonly at: Instant;
  };
  readonly window: Span;
  readonly truncated: boolean;
}

/** Tells what stands out of a selection, within the scope. */
export type CompareEvents = (scope: Scope, query: CompareQuery) => Promise<CompareAnswer>;

export interface CompareQuery {
  readonly selection: EventFilter & Span;
  readonly baseline:
    | { readonly kind: "same-hours" }
    | { readonly kind: "rest" }
    | { readonly kind: "given"; readonly filter: EventFilter };
  readonly falseDiscoveryRate: number;
  readonly limit: number;
}

export interface CompareAnswer {
  readonly selection: Span & { readonly events: number };
  readonly baseline: {
    readonly kind: CompareQuery["baseline"]["kind"];
    readonly spans: readonly (Span & { readonly events: number })[];
    readonly events: number;
  };
  readonly findings: readonly OverRepresented[];
  readonly found: number;
  readonly tested: number;
  readonly falseDiscoveryRate: number;
  readonly truncated: boolean;
}
