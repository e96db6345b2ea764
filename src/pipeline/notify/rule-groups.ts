import { entityKey } from "../../model/entity.ts";
import { incidentStates, type IncidentState } from "../../model/incident.ts";
import type { RuleGrouping } from "../../model/notification.ts";
import { tenantKey, type TenantRef } from "../../model/tenant.ts";
import type { VisibleEvent } from "../../store/event-reader.ts";

/** In words, one for each grouping, such as `server:4711 backup.end`; empty for the group of everything. */
export function groupKeyOf(groupBy: readonly RuleGrouping[], visible: VisibleEvent): string {
  return groupBy.map((grouping) => partOf(grouping, visible)).join(" ");
}

function partOf(grouping: RuleGrouping, visible: VisibleEvent): string {
  const { event } = visible;
  switch (grouping) {
    case "type":
      return event.type;
    case "resource":
      return entityKey(event.subject);
    case "tenant":
      return ownersOf(visible).map(nameOf).toSorted().join(",") || "no tenant";
    case "host": {
      const host = [event.subject, ...event.related.map(({ ref }) => ref)].find(
        ({ kind }) => kind === "host",
      );
      return host === undefined ? "no host" : entityKey(host);
    }
  }
}

function nameOf(tenant: TenantRef): string {
  return tenantKey(tenant);
}

function ownersOf(visible: VisibleEvent): readonly TenantRef[] {
  if (visible.audience === "tenant") return [visible.event.tenant];
  const { attribution } = visible.event;
  if (attribution.status === "owned") return [attribution.tenant];
  if (attribution.status === "shared") return attribution.affected.map(({ tenant }) => tenant);
  return attribution.status === "provider" && attribution.own !== undefined ? [attribution.own] : [];
}

/** Whether the event is the audit trail's word of what was done with an incident. */
export function tellsOfIncident({ event }: VisibleEvent): boolean {
  return event.type === "isochron.audit.incident";
}

/** The state that an incident came into by what the event tells of; none where it was in it before. */
export function stateReached(visible: VisibleEvent): IncidentState | undefined {
  if (!tellsOfIncident(visible)) return undefined;
  const { kinds, opened, state } = visible.event.details;
  const isReached = opened === true || (Array.isArray(kinds) && kinds.includes("state"));
  return isReached ? incidentStates.find((one) => one === state) : undefined;
}
