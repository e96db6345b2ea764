import { isIP } from "node:net";
import { z } from "zod";
import type { EntityRef, Related } from "../../model/entity.ts";
import type { EventDraft, Severity } from "../../model/event.ts";
import type { Duration, Instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import { resourcesOfLabels } from "../alertmanager/labelled-resource.ts";

/** Zabbix's six severities, 0 (not classified) to 5 (disaster). */
const severities: readonly Severity[] = ["info", "info", "warning", "warning", "error", "critical"];

/** Whether Zabbix's hosts are the cloud's own, or anything that somebody monitors. */
export const hostsSetting = z.enum(["unknown", "cloud"]).default("unknown");
export type HostsSetting = z.output<typeof hostsSetting>;

/** One event of a trigger, from the API or from a webhook. */
export interface TriggerEvent {
  readonly eventId: string;
  /** A problem that began, or one that is over. */
  readonly state: "problem" | "ok";
  readonly at: Instant;
  readonly precision: Duration;
  readonly name: string;
  /** 0 to 5. */
  readonly severity: number;
  readonly triggerId: string | undefined;
  /** The event of the problem, where a recovery says it. */
  readonly problemIds: readonly string[];
  readonly hosts: readonly MonitoredHost[];
  readonly tags: readonly { readonly tag: string; readonly value: string }[];
}

export interface MonitoredHost {
  /** The technical name, unique in one Zabbix. */
  readonly name: string;
  readonly visibleName?: string;
  readonly addresses: readonly string[];
}

/** The same event for the same id, whichever way it came. */
export function draftTriggerEvent(event: TriggerEvent, hostsAre: HostsSetting): EventDraft {
  const isProblem = event.state === "problem";
  const { subject, subjectName, related } = resourcesOf(event, hostsAre);
  const [problemId] = isProblem ? [event.eventId] : event.problemIds;
  return {
    key: event.eventId,
    sourceIds: [event.eventId],
    occurredAt: event.at,
    precision: event.precision,
    type: isProblem ? "zabbix.problem.started" : "zabbix.problem.resolved",
    kind: isProblem ? "symptom" : "recovery",
    category: "monitoring",
    phase: isProblem ? "start" : "end",
    severity: isProblem ? (severities[event.severity] ?? "warning") : "info",
    visibility: "operational",
    subject,
    ...(subjectName !== undefined && { subjectName }),
    related,
    ...(problemId !== undefined && { operation: { workflowId: `zabbix-problem:${problemId}` } }),
    summary: `${isProblem ? "" : "Resolved: "}${event.name}`,
    details: detailsOf(event, problemId),
  };
}

/** Nothing that changes after the event: acknowledgements and suppressions would revise it again and again. */
function detailsOf(event: TriggerEvent, problemId: string | undefined): JsonObject {
  const tags = event.tags.map(({ tag, value }) => (value === "" ? tag : `${tag}: ${value}`));
  return {
    ...(event.triggerId !== undefined && { trigger_id: event.triggerId }),
    ...(problemId !== undefined && { problem_id: problemId }),
    ...(event.state === "problem" && { zabbix_severity: event.severity }),
    ...(tags.length > 0 && { tags }),
    ...(event.hosts.length > 0 && { hosts: event.hosts.map(({ name }) => name) }),
  };
}

/**
 * What the event is about. A tag may name a resource by its immutable id. A Zabbix host is whatever somebody
 * monitors, a customer's server too: only where the connection says that they are the cloud's own hosts does its
 * name stand for one. Else its name and its addresses are aliases, by which a server may be found.
 */
export function resourcesOf(
  { hosts, tags, name, triggerId }: Pick<TriggerEvent, "hosts" | "tags" | "name" | "triggerId">,
  hostsAre: HostsSetting,
): { readonly subject: EntityRef; readonly subjectName?: string; readonly related: readonly Related[] } {
  const labels = Object.fromEntries(tags.toReversed().map(({ tag, value }) => [tag, value]));
  const tagged = resourcesOfLabels(idLabelsOf(labels), name);
  const [host] = hosts;
  const isTagged = tagged.subject.kind !== "component";
  // Of whatever is monitored, its name and its addresses are all there is to find it by.
  const isAlias = hostsAre === "unknown" && !isTagged && hosts.length === 1;
  const related: Related[] = [
    ...tagged.related,
    ...hosts.map((one): Related => ({
      role: hostsAre === "cloud" ? "host" : "labelled_host",
      ref: { kind: "host", id: one.name },
      ...(one.visibleName !== undefined && { name: one.visibleName }),
    })),
    ...(isAlias ? aliasesOf(host!) : hosts.flatMap(addressesOf).map(labelled)),
  ];
  if (isTagged) return { ...tagged, related };
  if (host === undefined) {
    return {
      subject: { kind: "component", id: `zabbix-trigger:${triggerId ?? "unknown"}` },
      subjectName: name,
      related,
    };
  }
  const subjectName = host.visibleName ?? host.name;
  if (hostsAre === "unknown")
    return { subject: { kind: "monitored_host", id: host.name }, subjectName, related };
  const others = related.filter(({ ref }) => ref.kind !== "host" || ref.id !== host.name);
  return { subject: { kind: "host", id: host.name }, subjectName, related: others };
}

function aliasesOf(host: MonitoredHost): readonly Related[] {
  const hostName = host.name.toLowerCase();
  return [
    ...(hostNamePattern.test(hostName) ? [{ role: "alias", ref: { kind: "hostname", id: hostName } }] : []),
    ...addressesOf(host).map((ref) => ({ role: "alias", ref })),
  ];
}

const hostNamePattern = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/;

function addressesOf({ addresses }: MonitoredHost): readonly EntityRef[] {
  return addresses
    .filter((address) => isIP(address) !== 0 && !isNoAddress(address))
    .map((address) => ({ kind: "ip", id: address.toLowerCase() }));
}

function labelled(ref: EntityRef): Related {
  return { role: "labelled_address", ref };
}

/** Only labels whose value has the form of an id or of an alias; a tag such as `service` says anything. */
function idLabelsOf(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).filter(([name]) =>
      /_(id|uuid)$|^(uuid|domain|libvirt_domain|mac|mac_address|device)$/.test(name),
    ),
  );
}

/** Zabbix writes these where an interface has no address of its own. */
function isNoAddress(address: string): boolean {
  return address === "0.0.0.0" || address === "::" || address === "::1" || address.startsWith("127.");
}
