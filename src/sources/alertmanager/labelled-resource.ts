import { isIP } from "node:net";
import { entityKey } from "../../model/entity.ts";
import type { EntityKind, EntityRef, Related } from "../../model/entity.ts";
import { isCloudHost, type CloudHosts } from "./cloud-hosts.ts";

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
/** Labels whose value is an id of something whose kind they do not tell. */
const anyIdLabels = ["resource_id", "resource_uuid", "uuid"];
const hostLabels = ["host", "hypervisor", "hypervisor_hostname", "nodename", "node", "hostname"];
const projectLabels = ["project_id", "tenant_id"];
const nameLabels = ["instance_name", "server_name", "vm_name"];
const macLabels = ["mac", "mac_address", "hwaddr"];
const addressLabels = ["instance", "host", "ip", "address"];

/**
 * The resources that an alert's labels name. Only an id proves a server or a volume; a host goes by its name, as in
 * OpenStack. Where labels give no id but a name, an address or a path, that is the subject, and the thing is whatever
 * bore it then, on the host and in the project that the labels name. A project's label is what whoever configured the
 * monitor believed: it narrows an alias down, is kept as `labelled_project`, and states no owner.
 */
export function resourcesOfLabels(
  labels: Labels,
  alertName: string,
  hosts: CloudHosts = "scraped",
): LabelledResources {
  const ids = idsOf(labels);
  const labelled = hostLabels.map((label) => withoutPort(labels[label])).filter(isHostName);
  const host = labelled.find((name) => isCloudHost(name, true, hosts));
  const alias = ids.length > 0 ? undefined : aliasOf(labels);
  const found: Related[] = alias === undefined ? ids : [{ role: alias.role, ref: alias.ref }];
  if (host !== undefined) found.push(hostOf(host));
  const service = labels["service"]?.trim();
  if (service) found.push({ role: "service", ref: { kind: "service", id: service } });
  // The scraped target is the host itself only where nothing else is named: an exporter often tells of others.
  const target = withoutPort(labels["instance"]);
  if (isHostName(target)) {
    if (found.length > 0) found.push({ role: "scrape_target", ref: { kind: "host", id: target } });
    else
      found.push(
        isCloudHost(target, isScraped(labels["instance"]), hosts) ? hostOf(target) : aliasOfName(target),
      );
  }
  const [other] = labelled;
  if (host === undefined && other !== undefined)
    found.push(found.length > 0 ? { ...hostOf(other), role: "labelled_host" } : aliasOfName(other));
  if (found.length === 0) found.push(...addressesOf(labels).map((ref) => ({ role: "alias", ref })));
  const [first, ...rest] = unique(found);
  const subject = first?.ref ?? { kind: "component", id: labels["job"]?.trim() || alertName };
  const isAlias = first?.role.startsWith("alias") === true;
  const within = isAlias ? placesOf(labels, host) : [];
  const subjectName = subject.kind === "server" ? nameOf(labels) : undefined;
  return {
    subject,
    ...(subjectName !== undefined && { subjectName }),
    related: [...(isAlias ? [first] : []), ...unique([...rest, ...sideNotes(labels, subject)]), ...within],
  };
}

/** Prometheus writes what it scrapes with its port; a bare word is what somebody calls the thing, and may be a server's name. */
function isScraped(instance: string | undefined): boolean {
  return /:\d+$/.test(instance?.trim() ?? "");
}

function hostOf(name: string): Related {
  return { role: "host", ref: { kind: "host", id: name } };
}

function aliasOfName(name: string): Related {
  return { role: "alias", ref: { kind: "hostname", id: name.toLowerCase() } };
}

function idsOf(labels: Labels): Related[] {
  const found: Related[] = [];
  for (const [kind, names] of idLabels) {
    const named = names.map((name) => labels[name]);
    // Libvirt's exporter calls the server's id `uuid`, a label that elsewhere may mean anything.
    if (kind === "server" && libvirtName(labels) !== undefined) named.push(labels["uuid"]);
    const id = named.find(isId);
    if (id !== undefined) found.push({ role: kind, ref: { kind, id: id.toLowerCase() } });
  }
  if (found.length > 0) return found;
  const any = anyIdLabels.map((label) => labels[label]).find(isId);
  return any === undefined ? [] : [{ role: "resource", ref: { kind: "resource", id: any.toLowerCase() } }];
}

/** The most telling of the names that stand for a thing where no label gives an id. */
function aliasOf(labels: Labels): { readonly role: string; readonly ref: EntityRef } | undefined {
  const domain = libvirtName(labels);
  if (domain !== undefined) return { role: "alias:server", ref: { kind: "libvirt_domain", id: domain } };
  const disk = Object.values(labels)
    .map((value) => diskPattern.exec(value)?.[0])
    .find((name) => name !== undefined);
  if (disk !== undefined) return { role: "alias:volume", ref: { kind: "path", id: disk.toLowerCase() } };
  const mac = macLabels
    .map((label) => labels[label]?.trim().toLowerCase())
    .find((one) => macPattern.test(one ?? ""));
  if (mac !== undefined) return { role: "alias", ref: { kind: "mac", id: mac } };
  const name = nameOf(labels);
  return name === undefined ? undefined : { role: "alias:server", ref: { kind: "name", id: name } };
}

/** Cinder's name of a disk, as it ends up in device paths, targets and images' names. */
const diskPattern = /\bvolume-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/i;
const macPattern = /^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/;

function addressesOf(labels: Labels): readonly EntityRef[] {
  return addressLabels
    .map((label) => withoutPort(labels[label]))
    .filter((address) => isIP(address) !== 0 && !isLoopback(address))
    .map((address) => ({ kind: "ip", id: address.toLowerCase() }));
}

/** Where the alias is meant, as labels of their own say. */
function placesOf(labels: Labels, host: string | undefined): readonly Related[] {
  const project = projectLabels.map((label) => labels[label]).find(isId);
  return [
    ...(host === undefined ? [] : [{ role: "within", ref: { kind: "host", id: host } }]),
    ...(project === undefined ? [] : [{ role: "within", ref: { kind: "project", id: project } }]),
  ];
}

/** What the labels tell besides, in roles that prove nothing about an owner. */
function sideNotes(labels: Labels, subject: EntityRef): readonly Related[] {
  const notes: Related[] = addressesOf(labels)
    .filter((address) => entityKey(address) !== entityKey(subject))
    .map((ref) => ({ role: "labelled_address", ref }));
  for (const label of projectLabels) {
    const id = labels[label];
    if (isId(id)) notes.push({ role: "labelled_project", ref: { kind: "project", id } });
  }
  // Libvirt's own name of a server that an id names already: people search for it.
  const domain = libvirtName(labels);
  if (domain !== undefined && subject.kind !== "libvirt_domain")
    notes.push({ role: "libvirt_domain", ref: { kind: "libvirt_domain", id: domain } });
  return notes;
}

function libvirtName(labels: Labels): string | undefined {
  return [labels["domain"], labels["libvirt_domain"], labels["instance_name"]].find(
    (name) => name !== undefined && /^instance-[0-9a-f]{8}$/.test(name),
  );
}

function nameOf(labels: Labels): string | undefined {
  return nameLabels
    .map((label) => labels[label]?.trim())
    .find((name) => name !== undefined && name !== "" && name !== libvirtName(labels));
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
