import type { EventJson } from "../../api/contract.ts";
import type { TenantJson } from "../../api/tenancy-contract.ts";
import type { LaneItem } from "../timeline/lane-item.ts";
import type { LaneName } from "../timeline/lane-order.ts";
import { stormOf } from "./storm.ts";
import type { Grouping } from "./view.ts";

/** Names of domains and projects by id, as far as the session knows them. */
export interface TenantNames {
  readonly domains: ReadonlyMap<string, string>;
  readonly projects: ReadonlyMap<string, string>;
}

export function nameTenants(tenants: readonly TenantJson[]): TenantNames {
  const domains = new Map<string, string>();
  const projects = new Map<string, string>();
  for (const tenant of tenants) {
    if (tenant.domain_id !== undefined && tenant.domain_name !== undefined)
      domains.set(tenant.domain_id, tenant.domain_name);
    if (tenant.project_id !== undefined && tenant.project_name !== undefined)
      projects.set(tenant.project_id, tenant.project_name);
  }
  return { domains, projects };
}

/** The first eight characters of an id that is longer than a name; what is short stays whole. */
export function shortId(id: string): string {
  return /^[0-9a-f]{8}-?[0-9a-f]{4}/i.test(id) ? id.slice(0, 8) : id;
}

const components: Readonly<Record<string, string>> = {
  compute: "Compute",
  instance: "Compute",
  servergroup: "Compute",
  server_group: "Compute",
  scheduler: "Scheduler",
  flavor: "Compute",
  aggregate: "Compute",
  keypair: "Compute",
  libvirt: "Compute",
  service: "Compute services",
  hypervisor: "Compute services",
  network: "Network",
  subnet: "Network",
  port: "Network",
  router: "Network",
  floatingip: "Network",
  floating_ip: "Network",
  security_group: "Network",
  security_group_rule: "Network",
  agent: "Network",
  volume: "Block storage",
  snapshot: "Block storage",
  backup: "Block storage",
  transfer: "Block storage",
  volume_type: "Block storage",
  image: "Images",
  orchestration: "Orchestration",
  stack: "Orchestration",
  identity: "Identity",
  audit: "API calls",
  alert: "Monitoring",
  metrics: "Metrics",
};

/** The service or part of the estate that an event is about. */
export function componentOf(event: EventJson): LaneName {
  const component = [event.subject, ...event.related].find((entity) => entity.kind === "component");
  if (component !== undefined) {
    const label = component.name ?? component.id;
    return { key: label.toLowerCase(), label };
  }
  const word = event.type.split(".")[0] ?? event.category;
  const label = components[word] ?? sentenceCase(event.category);
  return { key: label.toLowerCase(), label };
}

export function sentenceCase(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1).replaceAll(/[_-]/g, " ");
}

/** Whose an event is, in a word or two. */
export function ownerName(event: EventJson, names: TenantNames, withProject = true): LaneName {
  const { attribution } = event;
  if (attribution.status === "owned" || attribution.status === "affected") {
    const { domain_id: domain, project_id: project } = attribution;
    const domainName =
      domain === null ? undefined : (attribution.domain_name ?? names.domains.get(domain) ?? shortId(domain));
    if (withProject && project !== null) {
      const projectName = attribution.project_name ?? names.projects.get(project) ?? shortId(project);
      return {
        key: `p:${project}`,
        label: domainName === undefined ? projectName : `${domainName} / ${projectName}`,
      };
    }
    if (domain !== null) return { key: `d:${domain}`, label: domainName ?? domain };
    if (project !== null)
      return { key: `p:${project}`, label: names.projects.get(project) ?? shortId(project) };
    return { key: "own", label: "Yours" };
  }
  const count = attribution.affected.length;
  if (attribution.status === "shared") {
    return withProject
      ? { key: "~shared", label: `Shared, ${count} affected` }
      : { key: "~shared", label: "Shared infrastructure" };
  }
  const words = { provider: "Provider", ambiguous: "Ambiguous owner", unresolved: "Owner unknown" } as const;
  return { key: `~${attribution.status}`, label: words[attribution.status] };
}

/** The customer that the owner counts to; what belongs to no tenant keeps the lanes that tenants have, too. */
function customerOf(event: EventJson, names: TenantNames): LaneName {
  const { attribution } = event;
  if (attribution.status !== "owned") return ownerName(event, names, false);
  const { customer_id: id, customer_name: name } = attribution;
  return id === undefined
    ? { key: "~customer", label: "No customer" }
    : { key: `c:${id}`, label: name ?? id };
}

function hostOf(event: EventJson): LaneName {
  const host = [event.subject, ...event.related].find((entity) => entity.kind === "host");
  if (host === undefined) return { key: "~none", label: "No host named" };
  return { key: host.id, label: host.name ?? host.id, href: resourcePath(host) };
}

export function resourcePath(entity: { readonly kind: string; readonly id: string }): string {
  return `/r/${encodeURIComponent(entity.kind)}/${encodeURIComponent(entity.id)}`;
}

/** A sentence with the ids of known domains and projects replaced by their names. */
export function nameIds(sentence: string, names: TenantNames): string {
  return sentence.replaceAll(/\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, (id) => {
    const name = names.projects.get(id) ?? names.domains.get(id);
    return name === undefined ? shortId(id) : `“${name}”`;
  });
}

/** The lane of an event under a grouping. */
export function laneOf(
  event: EventJson,
  group: Grouping,
  names: TenantNames,
  nameOf: (entity: EventJson["subject"]) => string,
): LaneName {
  switch (group) {
    case "component":
      return componentOf(event);
    case "tenant":
      return ownerName(event, names, false);
    case "customer":
      return customerOf(event, names);
    case "project": {
      const owner = ownerName(event, names);
      return owner.key === "~shared" ? { ...owner, label: "Shared infrastructure" } : owner;
    }
    case "host":
      return hostOf(event);
    case "resource":
      return {
        key: `${event.subject.kind}:${event.subject.id}`,
        label: nameOf(event.subject),
        hint: event.subject.kind.replaceAll("_", " "),
        href: resourcePath(event.subject),
      };
    case "source":
      return event.connection === undefined
        ? { key: "~none", label: "Your cloud" }
        : { key: event.connection, label: event.connection };
  }
}

/** The part of an event that the canvas draws. */
export function laneItem(event: EventJson): LaneItem {
  const operation = event.operation?.request_id ?? event.operation?.workflow_id;
  const storm = stormOf(event);
  return {
    id: event.id,
    at: Date.parse(event.occurred_at),
    kind: event.kind,
    severity: event.severity,
    precisionMs: event.precision_ms,
    label: event.summary,
    subject: `${event.subject.kind}:${event.subject.id}`,
    ...(operation === undefined
      ? {}
      : { operation: `${operation} ${event.type.replace(/\.(start|end|error)$/, "")}` }),
    ...(event.phase === undefined ? {} : { phase: event.phase }),
    ...(event.connection === undefined ? {} : { connection: event.connection }),
    ...(storm === undefined ? {} : { fold: { count: storm.count, first: storm.first, last: storm.last } }),
  };
}
