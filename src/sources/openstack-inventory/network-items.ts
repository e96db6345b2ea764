import type { EntityKind, EntityRef } from "../../model/entity.ts";
import type { Observation } from "../../model/event.ts";
import type { TopologyFact } from "../../model/topology.ts";
import type { Decoders } from "../source.ts";
import { agentHealth, serviceName } from "./health.ts";
import { readHealth, readRemoval } from "./health-events.ts";
import { hostNames } from "./host-names.ts";
import type { InventoryRecord } from "./inventory-record.ts";
import { addressesOfPort, addressRef } from "./port-addresses.ts";
import { lostAddresses } from "./vanished-items.ts";
import { fact, firstText, needText, objects, ref, related, stamp, text } from "./item.ts";

/** Neutron API v2.0. `project_id` is the resource's own; a port that the network itself made has none. */
function ownedFacts(
  kind: EntityKind,
  record: InventoryRecord,
): { subject: EntityRef; facts: readonly TopologyFact[] } {
  const { item, seenAt } = record;
  const subject = ref(kind, needText(item, "id"));
  return {
    subject,
    facts: [
      ...fact(subject, "owned_by", "project", firstText(item, "project_id", "tenant_id"), seenAt),
      ...fact(subject, "named", "name", text(item, "name"), seenAt),
    ],
  };
}

export function readNetwork(record: InventoryRecord): Observation {
  const { subject, facts } = ownedFacts("network", record);
  // What others may use tells nothing by who uses it.
  const isShared = record.item["shared"] === true || record.item["router:external"] === true;
  return {
    events: [],
    facts: [...facts, ...(isShared ? fact(subject, "member_of", "component", "shared", record.seenAt) : [])],
  };
}

export function readRouter(record: InventoryRecord): Observation {
  return { events: [], facts: ownedFacts("router", record).facts };
}

export function readSubnet(record: InventoryRecord): Observation {
  const { subject, facts } = ownedFacts("subnet", record);
  return {
    events: [],
    facts: [
      ...facts,
      ...fact(subject, "on_network", "network", text(record.item, "network_id"), record.seenAt),
    ],
  };
}

/** How a router's own legs are marked: plain, distributed and highly available ones. */
const routerInterfaces: ReadonlySet<string> = new Set([
  "network:router_interface",
  "network:router_interface_distributed",
  "network:ha_router_replicated_interface",
]);

export function readPort(record: InventoryRecord): Observation {
  const { item, seenAt } = record;
  const { subject: port, facts } = ownedFacts("port", record);
  const device = text(item, "device_id");
  const owner = text(item, "device_owner") ?? "";
  const fixedIps = objects(item["fixed_ips"]);
  const addresses = addressesOfPort(item);
  const legs = routerInterfaces.has(owner)
    ? [
        ...fact(port, "routed_by", "router", device, seenAt),
        ...fixedIps.flatMap((ip) => {
          const subnet = text(ip, "subnet_id");
          return subnet === undefined
            ? []
            : fact(ref("subnet", subnet), "routed_by", "router", device, seenAt);
        }),
      ]
    : [];
  return {
    events: [],
    facts: [
      ...facts,
      ...fact(port, "on_network", "network", text(item, "network_id"), seenAt),
      ...addresses.flatMap((address) => {
        const { kind, id } = addressRef(address);
        return fact(port, "has_address", kind, id, seenAt);
      }),
      ...lostAddresses(record, "port", addresses),
      // Neutron's own port of a floating IP has no owner; its device is the floating IP.
      ...(owner === "network:floatingip" ? fact(port, "part_of", "floating_ip", device, seenAt) : []),
      ...(owner.startsWith("compute:") ? fact(port, "attached_to", "server", device, seenAt) : []),
      ...legs,
    ],
  };
}

export function readFloatingIp(record: InventoryRecord): Observation {
  const { item, seenAt } = record;
  const { subject, facts } = ownedFacts("floating_ip", record);
  return {
    events: [],
    facts: [
      ...facts,
      ...fact(subject, "on_network", "network", text(item, "floating_network_id"), seenAt),
      ...fact(subject, "has_address", "ip", text(item, "floating_ip_address")?.toLowerCase(), seenAt),
      ...fact(subject, "bound_to", "port", text(item, "port_id"), seenAt),
      ...(item["port_id"] === null ? fact(subject, "bound_to", "port", "none", seenAt, false) : []),
    ],
  };
}

/** Neutron announces nothing when an agent falls silent; its heartbeat is all there is. */
export function readAgent(record: InventoryRecord, decode: Decoders): Observation {
  const { item, seenAt } = record;
  const id = needText(item, "id");
  const base = {
    stem: "network.agent",
    id,
    category: "platform",
    downSeverity: "error",
    writesMoveHeartbeat: false,
  } as const;
  if (record.gone === true) {
    const bearer = {
      ...base,
      label: `Network agent ${id}`,
      subject: ref("service", id),
      related: [],
      details: {},
    };
    return { events: readRemoval(record, bearer), facts: [] };
  }
  const host = needText(item, "host");
  const name = serviceName(item) ?? id;
  const binary = text(item, "binary") ?? "agent";
  const started = stamp(item, "started_at", decode)?.at;
  const bearer = {
    ...base,
    label: `${binary} on ${host}`,
    subject: ref("host", host),
    subjectName: host,
    related: related("service", "service", name, `${binary} on ${host}`),
    health: agentHealth(item),
    ...(started === undefined ? {} : { startedAt: started }),
    details: { binary, host, agent_id: id, agent_type: text(item, "agent_type") ?? null },
  };
  return {
    events: readHealth(record, bearer, decode),
    facts: [...fact(ref("service", name), "serves", "host", host, seenAt), ...hostNames(host, host, seenAt)],
  };
}
