import type { EntityKind, EntityRef } from "../../model/entity.ts";
import type { JsonObject } from "../../model/json.ts";
import type { OsloMessage } from "./envelope.ts";
import { operationOf } from "./envelope.ts";
import { asList, asObject, text } from "./fields.ts";
import { readOwnerPath } from "./owner-path.ts";
import type { FactDraft, Reading } from "./reading.ts";
import { fact, kindOf, namedFacts, ownedFacts, ref, related, severityOf, summarise } from "./reading.ts";

const kinds: Readonly<Record<string, EntityKind>> = {
  network: "network",
  subnet: "subnet",
  subnetpool: "subnetpool",
  port: "port",
  router: "router",
  floatingip: "floating_ip",
  security_group: "security_group",
  security_group_rule: "security_group_rule",
  rbac_policy: "rbac_policy",
  trunk: "trunk",
  binding: "binding",
  agent: "agent",
  qos_policy: "qos_policy",
  address_scope: "address_scope",
};

/**
 * Neutron's API notifications. `.end` carries the whole resource with its owner; `.start` only the
 * request's body, with the id beside it on update and delete, and without any id on create.
 */
export function readNeutron(message: OsloMessage): Reading | undefined {
  const routed = readRouterInterface(message);
  if (routed !== undefined) return routed;
  const match = /^([a-z_]+)\.(create|update|delete|exists)(?:\.(start|end))?$/.exec(message.eventType);
  if (match === null) return undefined;
  const [, family = "", action = "", ended] = match;
  const phase = ended === "start" || ended === "end" ? ended : undefined;
  const body = asObject(message.payload[family]);
  // Extensions bring resources of their own, all of them in the same shape.
  const kind = Object.hasOwn(kinds, family) ? kinds[family]! : family;
  if (
    body === undefined &&
    !Object.hasOwn(kinds, family) &&
    text(message.payload, `${family}_id`) === undefined
  )
    return undefined;
  // A binding's id is the host's name, which names no port.
  const id =
    kind === "binding"
      ? undefined
      : (text(body, "id") ?? text(message.payload, "id") ?? text(message.payload, `${family}_id`));
  const request = operationOf(message)?.requestId ?? message.messageId;
  const subject = id === undefined ? ref("request", request) : ref(kind, id);
  const stated = readOwnerPath(message);
  const gone = action === "delete" && phase === "end";
  const severity = severityOf(message, phase);
  const name = text(body, "name");
  return {
    type: message.eventType,
    kind: action === "exists" ? "activity" : kindOf(severity, phase),
    category: action === "exists" ? "usage" : "network",
    ...(phase === undefined ? {} : { phase }),
    severity,
    visibility:
      action === "exists" ? "billing" : kind === "binding" || kind === "agent" ? "provider" : "operational",
    subject,
    ...(name === undefined ? {} : { subjectName: name }),
    related: neutronRelated(kind, body),
    ...(stated === undefined ? {} : { stated }),
    ...(kind === "agent" ? { platform: true } : {}),
    summary: summarise(kind.replaceAll("_", " "), name ?? text(body, "floating_ip_address"), action, phase),
    // The body of a `.start` is a wish that nobody has checked.
    facts:
      id === undefined || body === undefined || phase === "start"
        ? []
        : [...ownedFacts(subject, stated), ...neutronFacts(subject, body, gone)],
    ...(gone && id !== undefined ? { removedFrom: "network" } : {}),
  };
}

function neutronRelated(kind: EntityKind, body: JsonObject | undefined): NonNullable<Reading["related"]> {
  const device = text(body, "device_id");
  const owner = text(body, "device_owner") ?? "";
  return [
    ...related("network", "network", text(body, "network_id") ?? text(body, "floating_network_id")),
    ...(owner.startsWith("compute:") ? related("server", "server", device) : []),
    ...(owner.startsWith("network:router") ? related("router", "router", device) : []),
    ...related("port", "port", text(body, "port_id")),
    ...related("security_group", "security_group", text(body, "security_group_id")),
    ...(kind === "rbac_policy" ? related("object", "network", text(body, "object_id")) : []),
    ...(kind === "rbac_policy" ? related("target_project", "project", text(body, "target_tenant")) : []),
    ...related(
      "host",
      "host",
      text(body, "binding:host_id") ?? (kind === "binding" ? text(body, "host") : undefined),
    ),
  ];
}

function neutronFacts(subject: EntityRef, body: JsonObject, gone: boolean): readonly FactDraft[] {
  const network = text(body, "network_id") ?? text(body, "floating_network_id");
  const facts: FactDraft[] = [...namedFacts(subject, text(body, "name"))];
  if (network !== undefined) facts.push(fact(subject, "on_network", ref("network", network), !gone));
  if (subject.kind === "port") facts.push(...portFacts(subject, body, gone));
  // What others may use tells nothing by who uses it.
  if (subject.kind === "network" && (body["shared"] === true || body["router:external"] === true))
    facts.push(fact(subject, "member_of", ref("component", "shared")));
  if (subject.kind === "floating_ip") {
    const port = text(body, "port_id");
    const address = text(body, "floating_ip_address")?.toLowerCase();
    if (port !== undefined) facts.push(fact(subject, "bound_to", ref("port", port), !gone));
    // Without a port it is bound to none, whatever it was bound to before.
    else if (body["port_id"] === null) facts.push(fact(subject, "bound_to", ref("port", "none"), false));
    if (address !== undefined) facts.push(fact(subject, "has_address", ref("ip", address), !gone));
  }
  return facts;
}

function portFacts(port: EntityRef, body: JsonObject, gone: boolean): readonly FactDraft[] {
  const facts: FactDraft[] = [];
  const device = text(body, "device_id");
  const owner = text(body, "device_owner") ?? "";
  if (device !== undefined && owner.startsWith("compute:")) {
    facts.push(fact(port, "attached_to", ref("server", device), !gone));
  }
  if (device !== undefined && owner.startsWith("network:router")) {
    facts.push(fact(port, "routed_by", ref("router", device), !gone));
  }
  // Neutron's own port of a floating IP has no owner; its device is the floating IP.
  if (device !== undefined && owner === "network:floatingip") {
    facts.push(fact(port, "part_of", ref("floating_ip", device)));
  }
  const mac = text(body, "mac_address")?.toLowerCase();
  if (mac !== undefined) facts.push(fact(port, "has_address", ref("mac", mac), !gone));
  for (const item of asList(body["fixed_ips"])) {
    const address = text(asObject(item), "ip_address")?.toLowerCase();
    if (address === undefined) continue;
    facts.push(fact(port, "has_address", ref("ip", address), !gone));
    // With its port a server loses the address that it has by it.
    if (gone && device !== undefined && owner.startsWith("compute:"))
      facts.push(fact(ref("server", device), "has_address", ref("ip", address), false));
  }
  return facts;
}

/** `router.interface.*`: `id` is the router's, the stated owner is the port's; on a shared router they differ. */
function readRouterInterface(message: OsloMessage): Reading | undefined {
  const action = /^router\.interface\.(create|delete)$/.exec(message.eventType)?.[1];
  const body = asObject(message.payload["router_interface"]);
  const router = text(body, "id");
  const port = text(body, "port_id");
  if (action === undefined || router === undefined || port === undefined) return undefined;
  const stated = readOwnerPath(message);
  const gone = action === "delete";
  return {
    type: message.eventType,
    kind: "change",
    category: "network",
    subject: ref("port", port),
    related: [
      ...related("router", "router", router),
      ...related("network", "network", text(body, "network_id")),
      ...related("subnet", "subnet", text(body, "subnet_id")),
    ],
    ...(stated === undefined ? {} : { stated }),
    summary: `Router: interface ${gone ? "removed" : "added"}`,
    facts: [
      fact(ref("port", port), "routed_by", ref("router", router), !gone),
      ...ownedFacts(ref("port", port), stated),
    ],
  };
}
