import type { Instant } from "../model/instant.ts";
import type { MaintenanceWindow } from "../model/maintenance.ts";
import type { Scope } from "../model/scope.ts";

export type { MaintenanceWindow } from "../model/maintenance.ts";

/** Planned work. The provider's: a tenant is told by notices, and never which host. */
export interface MaintenanceStore {
  plan(window: Omit<MaintenanceWindow, "id" | "cancelledAt">): Promise<MaintenanceWindow>;
  /** False where there is none of that id, or it is cancelled. */
  cancel(id: string, by: string, at: Instant): Promise<boolean>;
  /** Those that reach into from ≤ t < to and are not cancelled. A tenant's scope gets none. */
  covering(scope: Scope, from: Instant, to: Instant): Promise<readonly MaintenanceWindow[]>;
  /** Undefined where there is none of that id, or the scope is a tenant's. */
  find(scope: Scope, id: string): Promise<MaintenanceWindow | undefined>;
  /** The latest first, cancelled ones too. A tenant's scope gets none. */
  list(scope: Scope, limit: number): Promise<readonly MaintenanceWindow[]>;
}
