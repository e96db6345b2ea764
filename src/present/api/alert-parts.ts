import type { Correlatable } from "../../correlate/correlatable.ts";
import type { JudgedGroup } from "../../correlate/alerts.ts";
import type { Instant } from "../../model/instant.ts";
import type { WorkWindow } from "../../model/maintenance.ts";
import type { Scope } from "../../model/scope.ts";
import type { AlertSplit } from "../../store/alert-split-store.ts";
import type { Coverage, VisibleEvent } from "../../store/event-reader.ts";

/** Judges the alerts of a window within a scope. */
export type FindAlerts = (scope: Scope, query: AlertQuery) => Promise<AlertAnswer>;

export interface AlertQuery {
  readonly from: Instant;
  /** Not part of it. */
  readonly to: Instant;
  readonly limit: number;
}

/** An event as alerts are judged by, with the event as its reader may see it. */
export type AlertEvent = Correlatable & { readonly visible: VisibleEvent };

export interface AlertAnswer {
  readonly window: { readonly from: Instant; readonly to: Instant };
  readonly groups: readonly JudgedGroup<AlertEvent>[];
  readonly windows: readonly WorkWindow[];
  readonly splits: readonly AlertSplit[];
  readonly checked: { readonly events: number; readonly truncated: boolean; readonly since: Instant };
  readonly coverage: Coverage;
}
