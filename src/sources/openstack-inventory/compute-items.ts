import type { EventDraft, Observation } from "../../model/event.ts";
import type { TopologyFact } from "../../model/topology.ts";
import type { Instant } from "../../model/instant.ts";
import type { JsonObject } from "../../model/json.ts";
import type { Decoders } from "../source.ts";
import { serviceHealth, serviceName, unpackHealth } from "./health.ts";
import { readHealth, readRemoval } from "./health-events.ts";
import { hostNames } from "./host-names.ts";
import type { InventoryRecord } from "./inventory-record.ts";
import {
  asObject,
  fact,
  needText,
  objects,
  ref,
  related,
  stamp,
  statedProject,
  text,
  texts,
} from "./item.ts";

/** Nova API v2.1 servers; `tenant_id` is the server's own project. */
export function readServer(record: InventoryRecord, decode: Decoders): Observation {
  const { item, seenAt } = record;
  const id = needText(item, "id");
  const server = ref("server", id);
  const host = text(item, "OS-EXT-SRV-ATTR:host");
  const always = [
    ...fact(server, "owned_by", "project", text(item, "tenant_id"), seenAt),
    ...fact(server, "named", "name", text(item, "name"), seenAt),
  ];
  const aliases = (at: Instant, holds: boolean) => [
    ...fact(server, "known_as", "hostname", text(item, "OS-EXT-SRV-ATTR:hostname")?.toLowerCase(), at, holds),
    ...fact(server, "known_as", "libvirt_domain", text(item, "OS-EXT-SRV-ATTR:instance_name"), at, holds),
  ];
  if (text(item, "status") === "DELETED") {
    const deleted = stamp(item, "OS-SRV-USG:terminated_at", decode) ?? stamp(item, "updated", decode);
    const goneAt = deleted?.at ?? seenAt;
    return {
      events: [],
      facts: [
        ...always,
        ...fact(server, "runs_on", "host", host, goneAt, false),
        ...fact(server, "removed_from", "component", "compute", goneAt),
        ...aliases(goneAt, false),
      ],
    };
  }
  return {
    events: readServerError(record, decode),
    facts: [
      ...always,
      ...aliases(seenAt, true),
      ...fact(server, "runs_on", "host", host, seenAt),
      ...fact(server, "made_from", "image", text(asObject(item["image"]), "id"), seenAt),
      // From 2.47 on a flavor is embedded without its id, and its name joins nothing.
      ...fact(server, "sized_by", "flavor", text(asObject(item["flavor"]), "id"), seenAt),
      ...texts(item["server_groups"]).flatMap((group) =>
        fact(server, "member_of", "server_group", group, seenAt),
      ),
      ...addressFacts(id, item, seenAt),
    ],
  };
}

function addressFacts(id: string, item: JsonObject, seenAt: Instant): readonly TopologyFact[] {
  const server = ref("server", id);
  // A floating IP comes and goes by itself, and has a listing of its own.
  const addresses = Object.values(asObject(item["addresses"]) ?? {})
    .flatMap(objects)
    .filter((address) => text(address, "OS-EXT-IPS:type") !== "floating");
  const macs = new Set(
    addresses.flatMap((address) => text(address, "OS-EXT-IPS-MAC:mac_addr")?.toLowerCase() ?? []),
  );
  return [
    ...addresses.flatMap((address) =>
      fact(server, "has_address", "ip", text(address, "addr")?.toLowerCase(), seenAt),
    ),
    ...[...macs].flatMap((mac) => fact(server, "has_address", "mac", mac, seenAt)),
  ];
}

/** The traceback in `fault.details` is left out: it names the provider's files and hosts. */
function readServerError(record: InventoryRecord, decode: Decoders): readonly EventDraft[] {
  const { item } = record;
  if (text(item, "status") !== "ERROR") return [];
  const id = needText(item, "id");
  const name = text(item, "name");
  const fault = asObject(item["fault"]);
  const when = stamp(fault, "created", decode) ?? stamp(item, "updated", decode);
  const stated = statedProject(item, "tenant_id");
  const message = text(fault, "message");
  const key = `server:${id}:error:${when?.at ?? record.seenAt}`;
  const draft: EventDraft = {
    key,
    sourceIds: [key],
    occurredAt: when?.at ?? record.seenAt,
    precision: when?.precision ?? (0 as EventDraft["precision"]),
    type: "compute.server.error",
    kind: "symptom",
    category: "lifecycle",
    phase: "error",
    severity: "error",
    visibility: "operational",
    subject: ref("server", id),
    ...(name === undefined ? {} : { subjectName: name }),
    related: related("host", "host", text(item, "OS-EXT-SRV-ATTR:host")),
    ...(stated === undefined ? {} : { stated }),
    summary: `Server ${name ?? id} is in error${message === undefined ? "" : `: ${message}`}`,
    details: {
      seen_by: "polling",
      vm_state: text(item, "OS-EXT-STS:vm_state") ?? null,
      task_state: text(item, "OS-EXT-STS:task_state") ?? null,
      fault_code: fault?.["code"] ?? null,
      fault_message: message ?? null,
    },
  };
  return [draft];
}

/** Nova's services. Its `updated_at` moves with every heartbeat and with every operator's write. */
export function readComputeService(record: InventoryRecord, decode: Decoders): Observation {
  const { item, seenAt } = record;
  const id = needText(item, "id");
  const base = { stem: "compute.service", id, category: "platform", writesMoveHeartbeat: true } as const;
  if (record.gone === true) {
    const wasCompute = record.previous === undefined ? "" : ` (last ${unpackHealth(record.previous).state})`;
    const label = `Compute service ${id}${wasCompute}`;
    const bearer = {
      ...base,
      label,
      subject: ref("service", id),
      related: [],
      downSeverity: "error",
      details: {},
    } as const;
    return { events: readRemoval(record, bearer), facts: [] };
  }
  const host = needText(item, "host");
  const binary = needText(item, "binary");
  const name = serviceName(item) ?? id;
  const bearer = {
    ...base,
    label: `${binary} on ${host}`,
    subject: ref("host", host),
    subjectName: host,
    related: related("service", "service", name, `${binary} on ${host}`),
    health: serviceHealth(item),
    // A controller's service has replicas; a compute host has one, and its servers are out of reach without it.
    downSeverity: binary === "nova-compute" ? "critical" : "error",
    details: { binary, host, service_id: id, zone: text(item, "zone") ?? null },
  } as const;
  return {
    events: readHealth(record, bearer, decode),
    facts: [...fact(ref("service", name), "serves", "host", host, seenAt), ...hostNames(host, host, seenAt)],
  };
}

/** A hypervisor's host is its service's host; `hypervisor_hostname` is a node's name and may differ from it. */
export function readHypervisor(record: InventoryRecord, decode: Decoders): Observation {
  const { item } = record;
  const id = needText(item, "id");
  const host = text(asObject(item["service"]), "host") ?? needText(item, "hypervisor_hostname");
  const bearer = {
    stem: "compute.hypervisor",
    id,
    category: "platform",
    writesMoveHeartbeat: false,
    label: `Hypervisor ${host}`,
    subject: ref("host", host),
    subjectName: host,
    related: related("service", "service", `nova-compute@${host}`),
    health: serviceHealth(item),
    downSeverity: "critical",
    details: { hypervisor_id: id, hypervisor_type: text(item, "hypervisor_type") ?? null },
  } as const;
  const machine = ref("host", host);
  return {
    events: readHealth(record, bearer, decode),
    facts: [
      ...fact(machine, "has_address", "ip", addressOf(item), record.seenAt),
      ...hostNames(host, text(item, "hypervisor_hostname"), record.seenAt),
    ],
  };
}

/** Where a hypervisor names only itself, its address says nothing to others. */
function addressOf(item: JsonObject): string | undefined {
  const address = text(item, "host_ip")?.toLowerCase();
  return address === undefined || /^(?:127\.|0\.0\.0\.0$|::1?$)/.test(address) ? undefined : address;
}

export function readAggregate({ item, seenAt }: InventoryRecord): Observation {
  const id = needText(item, "id");
  return {
    events: [],
    facts: [
      ...fact(ref("aggregate", id), "named", "name", text(item, "name"), seenAt),
      ...texts(item["hosts"]).flatMap((host) =>
        fact(ref("host", host), "member_of", "aggregate", id, seenAt),
      ),
    ],
  };
}

export function readServerGroup({ item, seenAt }: InventoryRecord): Observation {
  const id = needText(item, "id");
  const group = ref("server_group", id);
  return {
    events: [],
    facts: [
      ...fact(group, "owned_by", "project", text(item, "project_id"), seenAt),
      ...fact(group, "named", "name", text(item, "name"), seenAt),
      ...texts(item["members"]).flatMap((server) =>
        fact(ref("server", server), "member_of", "server_group", id, seenAt),
      ),
    ],
  };
}
