import type { EntityRef } from "./entity.ts";
import type { Instant } from "./instant.ts";

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

/** Work that a source tells of: read from its events whenever somebody asks, and stored nowhere. */
export interface ToldWindow {
  readonly title: string;
  readonly from: Instant;
  /** Not part of it; absent where the source has not told an end. */
  readonly to?: Instant;
  readonly controlPlane: string;
  readonly on: readonly EntityRef[];
  /** Only this series of alerts, as a silence is about alerts and not about things. */
  readonly series?: string;
  readonly told: {
    readonly by: "status-page" | "silence" | "disabled-service";
    readonly connection: string;
    /** The event that tells of it. */
    readonly event: string;
  };
}

/** Whatever makes an event expected. */
export type WorkWindow = MaintenanceWindow | ToldWindow;
