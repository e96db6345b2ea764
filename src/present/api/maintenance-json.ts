import { formatInstant } from "../../model/instant.ts";
import type { WorkWindow } from "../../model/maintenance.ts";
import { formatOptional } from "./event-json.ts";
import type { WorkWindowJson } from "./maintenance-contract.ts";

export function toWorkWindowJson(window: WorkWindow): WorkWindowJson {
  const shared = {
    title: window.title,
    from: formatInstant(window.from),
    to: formatOptional(window.to) ?? null,
    control_plane: window.controlPlane,
    on: window.on.map(({ kind, id }) => ({ kind, id })),
  };
  if ("told" in window) {
    const { by, connection, event } = window.told;
    return { ...shared, told: { by, connection, event }, cancelled_at: null };
  }
  return {
    id: window.id,
    ...shared,
    told: { by: "planned", person: window.by, why: window.why },
    cancelled_at: formatOptional(window.cancelledAt) ?? null,
  };
}
