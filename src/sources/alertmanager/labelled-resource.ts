import { isIP } from "node:net";
import { entityKey } from "../../model/entity.ts";
import type { EntityKind, EntityRef, Related } from "../../model/entity.ts";

type Labels = Readonly<Record<string, string>>;

export interface LabelledResources {
  readonly subject: EntityRef;
  readonly subjectName?: string;
  readonly related: readonly Related[];
}

/** Labels whose value names a resource by its immutable id, the most specific kind first. */
const idLabels: readonly (readonly [EntityKind, readonly string[]])[] = [
  ["server", ["server_id", "instance_uuid", "instance_id", "vm_id", "vm_uuid", "server_uuid"]],
  ["volume", ["volume_id", "volume_uuid"]],
  ["port", ["port_id"]],
  ["floating_ip", ["floating_ip_id"]],
  ["router", ["router_id"]],
  ["network", ["network_id"]],
  ["image", ["image_id"]],
  ["stack", ["stack_id"]],
];
const hostLabels = ["host", "hypervisor", "hypervisor_hostname", "nodename", "node", "hostname"];
const projectLabels = ["project_id", "tenant_id"];
const nameLabels = ["instance_name", "server_name", "vm_name"];

/**
 * The resources that an alert's labels name. Only an id proves a server or a volume; a host goes by its name, as in
 * OpenStack. A project's label is what whoever configured the monitor believed: it is kept beside the event as
 * `labelled_project` and states no owner, and so is an address, which several tenants may use at once.
 */
export function resourcesOfLabels(labels: Labels, alertName: string): LabelledResources {
  const found: Related[] = [];
  for (const [kind, names] of idLabels) {
    const named = names.map((name) => labels[name]);
    // Libvirt's exporter calls the server's id `uuid`, a label that elsewhere may mean anything.
    if (kind === "server" && libvirtName(labels) !== undefined) named.push(labels["uuid"]);
    const id = named.find(isId);
    if (id !== undefined) found.push({ role: kind, ref: { kind, id: id.toLowerCase() } });
  }
  const host = hostLabels.map((label) => withoutPort(labels[label])).find(isHostName);
  if (host !== undefined) found.push({ role: "host", ref: { kind: "host", id: host } });
  const service = labels["service"]?.trim();
  if (service) found.push({ role: "service", ref: { kind: "service", id: service } });
  // The scraped target is the host itself only where nothing else is named: an exporter often tells of others.
  const target = withoutPort(labels["instance"]);
  if (isHostName(target)) {
    const role = found.length === 0 ? "host" : "scrape_target";
    found.push({ role, ref: { kind: "host", id: target } });
  }
  const [first, ...rest] = unique(found);
  const subject = first?.ref ?? { kind: "component", id: labels["job"]?.trim() || alertName };
  const subjectName = subject.kind === "server" ? nameOf(labels) : undefined;
  return {
    subject,
    ...(subjectName !== undefined && { subjectName }),
    related: unique([...rest, ...sideNotes(labels)]),
  };
}

/** What the labels tell besides, in roles that prove nothing about an owner. */
function sideNotes(labels: Labels): readonly Related[] {
  const notes: Related[] = [];
  for (const label of ["instance", "host", "ip", "address"]) {
    const address = withoutPort(labels[label]);
    if (isIP(address) !== 0 && !isLoopback(address)) {
      notes.push({ role: "labelled_address", ref: { kind: "ip", id: address.toLowerCase() } });
    }
  }
  for (const label of projectLabels) {
    const id = labels[label];
    if (isId(id)) notes.push({ role: "labelled_project", ref: { kind: "project", id } });
  }
  // Libvirt's own name of a server, e.g. `instance-0000001f`: people search for it, nothing is joined by it.
  const alias = libvirtName(labels);
  if (alias !== undefined) notes.push({ role: "alias", ref: { kind: "name", id: alias } });
  return notes;
}

function libvirtName(labels: Labels): string | undefined {
  return [labels["domain"], labels["libvirt_domain"]].find(
    (name) => name !== undefined && /^instance-[0-9a-f]{8}$/.test(name),
  );
}

function nameOf(labels: Labels): string | undefined {
  return nameLabels.map((label) => labels[label]?.trim()).find((name) => name !== undefined && name !== "");
}

function unique(related: readonly Related[]): readonly Related[] {
  const first = new Map<string, Related>();
  for (const one of related) if (!first.has(entityKey(one.ref))) first.set(entityKey(one.ref), one);
  return [...first.values()];
}

/** OpenStack's ids: a UUID with or without its hyphens. */
const idPattern = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

function isId(text: string | undefined): text is string {
  return text !== undefined && idPattern.test(text);
}

/** The part of `host:port` before the port; an IPv6 address may stand in brackets. */
function withoutPort(text: string | undefined): string {
  const trimmed = text?.trim() ?? "";
  if (isIP(trimmed) !== 0) return trimmed;
  return /^\[(.+)\](:\d+)?$/.exec(trimmed)?.[1] ?? /^(.+):\d+$/.exec(trimmed)?.[1] ?? trimmed;
}

function isHostName(text: string): boolean {
  if (text.length > 253 || isIP(text) !== 0 || idPattern.test(text) || /^localhost(\.|$)/i.test(text))
    return false;
  return (
    /[a-z]/i.test(text) && text.split(".").every((part) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(part))
  );
}

function isLoopback(address: string): boolean {
  return address === "::1" || address === "0.0.0.0" || address === "::" || address.startsWith("127.");
}
