import type { JsonObject } from "../../model/json.ts";
import { objects, text } from "../openstack-inventory/item.ts";
import type { ObjectState } from "./events-cursor.ts";

/** What is to be remembered of an object of Octavia's; an amphora has one status, which is its provisioning status. */
export function stateOf(item: JsonObject, balancer: string | undefined): Omit<ObjectState, "ill"> {
  return {
    provisioning: text(item, "provisioning_status") ?? text(item, "status") ?? "",
    operating: text(item, "operating_status") ?? "",
    updated: text(item, "updated_at") ?? "",
    name: text(item, "name") ?? null,
    project_id: text(item, "project_id") ?? null,
    balancer: balancer ?? balancerOf(item) ?? null,
  };
}

/** The load balancer that an item itself names. */
export function balancerOf(item: JsonObject): string | undefined {
  return text(item, "loadbalancer_id") ?? text(objects(item["loadbalancers"])[0], "id");
}

/** What an operating status says of an object that is meant to work. */
const unwell: ReadonlySet<string> = new Set(["OFFLINE", "ERROR", "DEGRADED"]);

/** What says that it works again. */
const well: ReadonlySet<string> = new Set(["ONLINE", "NO_MONITOR", "DRAINING"]);

/** How a change of one status is to be told; undefined where it is not worth telling. */
export interface Turn {
  readonly field: "provisioning_status" | "operating_status";
  readonly before: string;
  readonly after: string;
  readonly kind: "symptom" | "recovery" | "change";
}

/**
 * The turns from what was remembered to what is seen. Octavia begins every object as OFFLINE and shows one that was
 * switched off as OFFLINE too: neither is a symptom. PENDING states are on the way to one that is told.
 */
export function turnsOf(
  item: JsonObject,
  now: Omit<ObjectState, "ill">,
  before: Omit<ObjectState, "ill"> & { readonly ill: boolean },
): readonly Turn[] {
  const turns: Turn[] = [];
  if (now.provisioning !== before.provisioning && !now.provisioning.startsWith("PENDING_")) {
    const kind =
      now.provisioning === "ERROR" ? "symptom" : before.provisioning === "ERROR" ? "recovery" : "change";
    turns.push({
      field: "provisioning_status",
      before: before.provisioning,
      after: now.provisioning,
      kind,
    });
  }
  if (now.operating !== before.operating && now.operating !== "") {
    const isMeant = item["admin_state_up"] === false && now.operating === "OFFLINE";
    const kind =
      unwell.has(now.operating) && !isMeant
        ? "symptom"
        : before.ill && well.has(now.operating)
          ? "recovery"
          : "change";
    turns.push({ field: "operating_status", before: before.operating, after: now.operating, kind });
  }
  return turns;
}

/** Whether a symptom of the operating status was told that is not over. */
export function isIll(
  item: JsonObject,
  now: Omit<ObjectState, "ill">,
  before: ObjectState | undefined,
): boolean {
  if (before === undefined) return now.operating === "ERROR" || now.operating === "DEGRADED";
  const turn = turnsOf(item, now, before).find(({ field }) => field === "operating_status");
  return turn === undefined ? before.ill : turn.kind === "symptom";
}
