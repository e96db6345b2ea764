import type { Json, JsonObject } from "../../model/json.ts";
import { text } from "./item.ts";

/**
 * What is remembered of a service, agent or hypervisor between two passes, as a short array to keep the cursor
 * small: state, status, forced down, when it last gave a sign (ISO 8601 as sent), why it is disabled, and the
 * sign that it had last given when it was first seen down.
 */
export interface Health {
  readonly state: "up" | "down";
  readonly status: "enabled" | "disabled";
  readonly forcedDown: boolean;
  readonly heartbeat?: string;
  readonly reason?: string;
  readonly downSince?: string;
}

/** What can be remembered of one field. */
export type Kept = string | boolean | null;

export type Remember = (item: JsonObject, previous: readonly Kept[] | undefined) => Remembered | undefined;

/** The part of an item that the next pass is told again as `previous`. */
export interface Remembered {
  readonly id: string;
  readonly state: readonly Kept[];
}

export function packHealth(health: Health): readonly Kept[] {
  return [
    health.state,
    health.status,
    health.forcedDown,
    health.heartbeat ?? null,
    health.reason ?? null,
    health.downSince ?? null,
  ];
}

export function unpackHealth(packed: readonly Json[]): Health {
  const [state, status, forcedDown, heartbeat, reason, downSince] = packed;
  return {
    state: state === "down" ? "down" : "up",
    status: status === "disabled" ? "disabled" : "enabled",
    forcedDown: forcedDown === true,
    ...(typeof heartbeat === "string" ? { heartbeat } : {}),
    ...(typeof reason === "string" ? { reason } : {}),
    ...(typeof downSince === "string" ? { downSince } : {}),
  };
}

/** Nova's and Cinder's services, and Nova's hypervisors, which carry no time. */
export function serviceHealth(item: JsonObject): Health {
  const service = item["service"];
  const reason =
    text(item, "disabled_reason") ??
    (typeof service === "object" ? text(service as JsonObject, "disabled_reason") : undefined);
  const heartbeat = text(item, "updated_at");
  return {
    state: text(item, "state") === "down" ? "down" : "up",
    status: text(item, "status") === "disabled" ? "disabled" : "enabled",
    forcedDown: item["forced_down"] === true,
    ...(heartbeat === undefined ? {} : { heartbeat }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Neutron's agents. */
export function agentHealth(item: JsonObject): Health {
  const heartbeat = text(item, "heartbeat_timestamp");
  return {
    state: item["alive"] === false ? "down" : "up",
    status: item["admin_state_up"] === false ? "disabled" : "enabled",
    forcedDown: false,
    ...(heartbeat === undefined ? {} : { heartbeat }),
  };
}

/** Remembers health under `id`, carrying on when the thing was first seen down. */
export function rememberHealth(
  read: (item: JsonObject) => Health,
  id: (item: JsonObject) => string | undefined,
): Remember {
  return (item, packed) => {
    const key = id(item);
    if (key === undefined) return undefined;
    const health = read(item);
    const previous = packed === undefined ? undefined : unpackHealth(packed);
    const downSince = previous?.state === "down" ? previous.downSince : health.heartbeat;
    const kept = health.state === "down" && downSince !== undefined ? { ...health, downSince } : health;
    return { id: key, state: packHealth(kept) };
  };
}

/** `nova-compute@compute-02`: how services are named where they have no id, and in other sources. */
export function serviceName(item: JsonObject): string | undefined {
  const binary = text(item, "binary");
  const host = text(item, "host");
  return binary === undefined || host === undefined ? undefined : `${binary}@${host}`;
}
