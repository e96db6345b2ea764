import type { EntityRef } from "../model/entity.ts";
import type { Instant } from "../model/instant.ts";
import type { Scope } from "../model/scope.ts";

/** A stretch of planned work on things: what happens to them and to what stands on them is expected. */
export interface MaintenanceWindow {
  /** `mnt_` and 26 letters and digits. */
  readonly id: string;
  readonly title: string;
  readonly from: Instant;
  /** Not part of it. */
  readonly to: Instant;
  readonly controlPlane: string;
  /** What is worked on: hosts, services, regions and the like. Never empty. */
  readonly on: readonly EntityRef[];
  readonly by: string;
  readonly why: string;
  readonly cancelledAt?: Instant;
}

/** Planned work. The provider's: a tenant is told by notices, and never which host. */
export interface MaintenanceStore {
  plan(window: Omit<MaintenanceWindow, "id" | "cancelledAt">): Promise<MaintenanceWindow>;
  /** False where there is none of that id, or it is cancelled. */
  cancel(id: string, by: string, at: Instant): Promise<boolean>;
  /** Those that reach into from ≤ t < to and are not cancelled. A tenant's scope gets none. */
  covering(scope: Scope, from: Instant, to: Instant): Promise<readonly MaintenanceWindow[]>;
  list(scope: Scope, limit: number): Promise<readonly MaintenanceWindow[]>;
}
