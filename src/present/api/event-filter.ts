import type { z } from "zod";
import type { EntityRef } from "../../model/entity.ts";
import { severities } from "../../model/event.ts";
import { instant, type Instant } from "../../model/instant.ts";
import { opensTenant, type TenantRef } from "../../model/tenant.ts";
import type { EventFilter, VisibleEvent } from "../../store/event-reader.ts";
import type { filterQuerySchema } from "./contract.ts";
import { queryInvalid } from "./query-validator.ts";
import type { TenantList } from "./tenant-directory.ts";

export type FilterQuery = z.output<typeof filterQuerySchema>;

/** A checked time of a query. */
export function parseTime(text: string): Instant {
  return instant(Date.parse(text));
}

/** `kind/id` or `kind:id`, whichever separator comes first; the id may hold either. */
export function parseResource(text: string): EntityRef {
  const cut = text.search(/[/:]/);
  return { kind: text.slice(0, cut), id: text.slice(cut + 1) };
}

/** Throws `query-invalid` when a tenant asks by what only the provider knows, or anybody by a customer that is none. */
export function toEventFilter(
  query: FilterQuery,
  audience: "provider" | "tenant",
  tenants: Pick<TenantList, "customers" | "customer" | "claimOfCustomer">,
): EventFilter {
  if (audience === "tenant") {
    const foreign = (["source", "attribution", "customer"] as const).filter(
      (name) => query[name] !== undefined,
    );
    if (foreign.length > 0) {
      throw queryInvalid(foreign.map((name) => `\`${name}\` is not known here`).join("; ") + ".");
    }
  }
  return {
    ...(query.from === undefined ? {} : { from: parseTime(query.from) }),
    ...(query.to === undefined ? {} : { to: parseTime(query.to) }),
    ...(query.tenant === undefined ? {} : { domainId: query.tenant }),
    ...(query.project === undefined ? {} : { projectId: query.project }),
    ...(query.customer === undefined ? {} : { customer: findCustomer(query.customer, tenants) }),
    ...(query.resource === undefined ? {} : { resource: parseResource(query.resource) }),
    ...(query.kind === undefined ? {} : { kinds: query.kind }),
    ...(query.category === undefined ? {} : { categories: query.category }),
    ...(query.type === undefined ? {} : { types: query.type }),
    ...(query.severity === undefined ? {} : { severity: query.severity }),
    ...(query.source === undefined ? {} : { connections: query.source }),
    ...(query.attribution === undefined ? {} : { attribution: query.attribution }),
    ...(query.q === undefined || query.q === "" ? {} : { text: query.q }),
  };
}

function findCustomer(
  id: string,
  tenants: Pick<TenantList, "customers" | "customer" | "claimOfCustomer">,
): NonNullable<EventFilter["customer"]> {
  if (tenants.customer(id) !== undefined) return { id, keys: tenants.claimOfCustomer(id) };
  const known = tenants.customers.map((customer) => customer.id).join(", ");
  throw queryInvalid(`\`customer\` is none of the configured (${known === "" ? "there are none" : known}).`);
}

/** One spelling for filters that mean the same, to bind a cursor to. */
export function canonicalFilter(filter: EventFilter): string {
  const { customer, ...others } = filter;
  const named = customer === undefined ? others : { ...others, customer: customer.id };
  const entries = Object.entries(named).map(([name, value]: [string, unknown]) => [
    name,
    Array.isArray(value) ? [...new Set(value.map(String))].toSorted() : value,
  ]);
  return JSON.stringify(entries.toSorted(([left], [right]) => (String(left) < String(right) ? -1 : 1)));
}

/** Whether an event that has just arrived passes the filter: the same answer as the store gives for a page. */
export function passesFilter(visible: VisibleEvent, filter: EventFilter): boolean {
  const { event } = visible;
  if (filter.from !== undefined && event.occurredAt < filter.from) return false;
  if (filter.to !== undefined && event.occurredAt >= filter.to) return false;
  if (filter.kinds !== undefined && !filter.kinds.includes(event.kind)) return false;
  if (filter.categories !== undefined && !filter.categories.includes(event.category)) return false;
  if (filter.types !== undefined && !filter.types.some((pattern) => matchesType(event.type, pattern)))
    return false;
  if (
    filter.severity !== undefined &&
    severities.indexOf(event.severity) < severities.indexOf(filter.severity)
  ) {
    return false;
  }
  const { resource } = filter;
  if (resource !== undefined && !mentions(visible).some((ref) => isSame(ref, resource))) return false;
  if (filter.text !== undefined && !holdsText(visible, filter.text)) return false;
  return passesOwner(visible, filter);
}

/** Whether another attribution of the same event may have passed: what else the filter looks at stays as it is. */
export function mayHavePassed(visible: VisibleEvent, filter: EventFilter): boolean {
  const {
    domainId: _d,
    projectId: _p,
    customer: _c,
    resource: _r,
    text: _t,
    attribution: _a,
    ...fixed
  } = filter;
  return passesFilter(visible, fixed);
}

function passesOwner(visible: VisibleEvent, filter: EventFilter): boolean {
  const owners = ownersOf(visible);
  if (filter.domainId !== undefined && !owners.some((owner) => owner.domainId === filter.domainId))
    return false;
  if (filter.projectId !== undefined && !owners.some((owner) => owner.projectId === filter.projectId))
    return false;
  const { customer } = filter;
  if (customer !== undefined) {
    const keys = new Set(customer.keys);
    if (visible.audience === "tenant" || !owners.some((owner) => opensTenant(keys, owner))) return false;
  }
  if (visible.audience === "tenant") return true;
  const { connection, attribution } = visible.event;
  if (filter.connections !== undefined && !filter.connections.includes(connection)) return false;
  return filter.attribution === undefined || filter.attribution.includes(attribution.status);
}

function ownersOf(visible: VisibleEvent): readonly TenantRef[] {
  if (visible.audience === "tenant") return [visible.event.tenant];
  const { attribution } = visible.event;
  if (attribution.status === "owned") return [attribution.tenant];
  if (attribution.status === "shared") return attribution.affected.map((affected) => affected.tenant);
  return attribution.status === "provider" && attribution.own !== undefined ? [attribution.own] : [];
}

/** The subject, all that is related, and the requests of the operation. */
export function mentions({ event }: VisibleEvent): readonly EntityRef[] {
  const { requestId, globalRequestId } = event.operation ?? {};
  const requests = [requestId, globalRequestId].filter((id) => id !== undefined);
  return [
    event.subject,
    ...event.related.map((related) => related.ref),
    ...requests.map((id) => ({ kind: "request", id })),
  ];
}

export function isSame(left: EntityRef, right: EntityRef): boolean {
  return left.kind === right.kind && left.id === right.id;
}

function matchesType(type: string, pattern: string): boolean {
  return pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}

function holdsText(visible: VisibleEvent, text: string): boolean {
  const { event } = visible;
  const words = [event.summary, event.type, event.subject.id, event.subjectName];
  for (const { ref, name } of event.related) words.push(ref.id, name);
  words.push(...Object.values(event.operation ?? {}));
  if (visible.audience === "provider") {
    const { attribution } = visible.event;
    const owner = attribution.status === "owned" ? attribution.tenant : undefined;
    words.push(...visible.event.sourceIds, ...Object.values(visible.event.actor ?? {}));
    words.push(owner?.projectId, owner?.domainId);
  }
  const sought = text.toLowerCase();
  return words.some((word) => word?.toLowerCase().includes(sought));
}
