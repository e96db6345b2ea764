import type { Attribution, EventDraft, TenantEdition } from "../src/model/event.ts";
import type { EntityRef } from "../src/model/entity.ts";
import { parseEntityKey } from "../src/model/entity.ts";
import { duration, instant } from "../src/model/instant.ts";
import type { TenantRef } from "../src/model/tenant.ts";
import type { Relation } from "../src/model/topology.ts";
import type { ResolvedPage, StatedFact, StorableEvent } from "../src/store/event-store.ts";

/** A Thursday; tests count minutes from here. */
export const startOfDay = instant(Date.UTC(2026, 10, 19));
export const controlPlane = "default";

export function minute(n: number) {
  return instant(startOfDay + n * 60_000);
}

/** A draft named `name` (its key and its only source id), at `minute(at)`. */
export function draft(name: string, at: number, fields: Partial<EventDraft> = {}): EventDraft {
  return {
    key: name,
    sourceIds: [name],
    occurredAt: minute(at),
    precision: duration(0),
    type: "compute.instance.create.end",
    kind: "change",
    category: "provisioning",
    severity: "info",
    visibility: "operational",
    subject: { kind: "server", id: `server-of-${name}` },
    related: [],
    summary: `Server ${name} was created`,
    details: {},
    ...fields,
  };
}

export function project(id: string, domainId = "domain-1"): TenantRef {
  return { controlPlane, domainId, projectId: id };
}

export function ownedBy(tenant: TenantRef): Attribution {
  return { status: "owned", tenant, evidence: [] };
}

export const unresolved: Attribution = { status: "unresolved", evidence: [] };

/** What a tenant is told of a draft when all of it is its own. */
export function edition(
  of: EventDraft,
  tenant: TenantRef,
  fields: Partial<TenantEdition> = {},
): TenantEdition {
  const { type, kind, category, severity, visibility, subject, related, summary, details } = of;
  const own = { type, kind, category, severity, visibility, subject, related, summary, details };
  return { tenant, notice: false, ...own, because: "It is yours.", ...fields };
}

/** An event owned by `tenant` with its edition, or without any owner. */
export function event(
  of: EventDraft,
  tenant?: TenantRef,
  fields: Partial<StorableEvent> = {},
): StorableEvent {
  return {
    draft: of,
    attribution: tenant === undefined ? unresolved : ownedBy(tenant),
    dependsOn: [],
    editions: tenant === undefined ? [] : [edition(of, tenant)],
    ...fields,
  };
}

/** `server:a` `runs_on` `host:h`, seen at `minute(at)` by the record `sourceId`. */
export function fact(
  from: string | EntityRef,
  relation: Relation,
  to: string | EntityRef,
  at: number,
  fields: Partial<StatedFact> = {},
): StatedFact {
  const ref = (entity: string | EntityRef) => (typeof entity === "string" ? parseEntityKey(entity) : entity);
  return {
    from: ref(from),
    relation,
    to: ref(to),
    at: minute(at),
    holds: true,
    sourceId: `record-${at}`,
    ...fields,
  };
}

export const connection = {
  name: "nova",
  source: "openstack-notifications",
  controlPlane,
  config: {},
} as const;

export function page(events: readonly StorableEvent[], fields: Partial<ResolvedPage> = {}): ResolvedPage {
  return {
    connection: connection.name,
    stream: "main",
    controlPlane,
    events,
    facts: [],
    rejects: [],
    ...fields,
  };
}
