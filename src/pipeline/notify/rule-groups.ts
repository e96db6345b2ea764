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

/** The states of an incident that an event of our own tells of: by its type's last word, or its details. */
export function statesOfIncident({ event }: VisibleEvent): readonly IncidentState[] {
  if (!/(^|\.)incident\./.test(event.type)) return [];
  const told = [event.type.split(".").at(-1), event.details["state"]];
  return incidentStates.filter((state) => told.includes(state));
}
