import type { EntityKind, EntityRef } from "../../model/entity.ts";
import type { JsonObject } from "../../model/json.ts";
import type { OsloMessage } from "./envelope.ts";
import { operationOf } from "./envelope.ts";
import { asList, asObject, text } from "./fields.ts";
import type { FactDraft, Reading } from "./reading.ts";
import { fact, kindOf, ref, related, severityOf, summarise } from "./reading.ts";

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
  const kind = kinds[match?.[1] ?? ""];
  if (match === null || kind === undefined) return undefined;
  const [, family = "", action = "", ended] = match;
  const phase = ended === "start" || ended === "end" ? ended : undefined;
  const body = asObject(message.payload[family]);
  // A binding's id is the host's name, which names no port.
  const id =
    kind === "binding"
      ? undefined
      : (text(body, "id") ?? text(message.payload, "id") ?? text(message.payload, `${family}_id`));
  const request = operationOf(message)?.requestId ?? message.messageId;
  const subject = id === undefined ? ref("request", request) : ref(kind, id);
  const owner = text(body, "project_id") ?? text(body, "tenant_id");
  const ownerField = text(body, "project_id") === undefined ? "tenant_id" : "project_id";
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
    ...(owner === undefined
      ? {}
      : { stated: { owner: { kind: "project", id: owner }, path: `payload.${family}.${ownerField}` } }),
    ...(kind === "agent" ? { platform: true } : {}),
    summary: summarise(kind.replaceAll("_", " "), name ?? text(body, "floating_ip_address"), action, phase),
    facts:
      id === undefined || body === undefined
        ? []
        : neutronFacts(subject, body, owner, action === "delete" && phase === "end"),
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

function neutronFacts(
  subject: EntityRef,
  body: JsonObject,
  owner: string | undefined,
  gone: boolean,
): readonly FactDraft[] {
  const facts: FactDraft[] = [];
  const name = text(body, "name");
  const network = text(body, "network_id") ?? text(body, "floating_network_id");
  if (owner !== undefined) facts.push(fact(subject, "owned_by", ref("project", owner)));
  if (name !== undefined) facts.push(fact(subject, "named", ref("name", name)));
  if (network !== undefined) facts.push(fact(subject, "on_network", ref("network", network), !gone));
  if (subject.kind === "port") facts.push(...portFacts(subject, body, gone));
  if (subject.kind === "floating_ip") {
    const port = text(body, "port_id");
    const address = text(body, "floating_ip_address");
    if (port !== undefined) facts.push(fact(subject, "bound_to", ref("port", port), !gone));
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
  const mac = text(body, "mac_address");
  if (mac !== undefined) facts.push(fact(port, "has_address", ref("mac", mac), !gone));
  for (const item of asList(body["fixed_ips"])) {
    const address = text(asObject(item), "ip_address");
    if (address !== undefined) facts.push(fact(port, "has_address", ref("ip", address), !gone));
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
  const owner = text(body, "project_id") ?? text(body, "tenant_id");
  const field = text(body, "project_id") === undefined ? "tenant_id" : "project_id";
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
    ...(owner === undefined
      ? {}
      : { stated: { owner: { kind: "project", id: owner }, path: `payload.router_interface.${field}` } }),
    summary: `Router: interface ${gone ? "removed" : "added"}`,
    facts: [
      fact(ref("port", port), "routed_by", ref("router", router), !gone),
      ...(owner === undefined ? [] : [fact(ref("port", port), "owned_by", ref("project", owner))]),
    ],
  };
}
