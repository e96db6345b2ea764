import type { EntityRef, Related } from "../../model/entity.ts";
import type { Actor, OperationKey } from "../../model/event.ts";
import type { Json, JsonObject } from "../../model/json.ts";

/** What a log record is about, as far as ids in its attributes prove it. */
export interface LogEntities {
  readonly subject: EntityRef;
  readonly subjectName?: string;
  readonly related: readonly Related[];
  readonly actor?: Actor;
  readonly operation?: OperationKey;
  /** Where the emitter is the provider's and the record names no tenant's resource. */
  readonly platform?: true;
}

/** Attributes of a record whose value is the immutable id of a resource, the most specific kind first. */
const idAttributes: readonly (readonly [kind: string, names: readonly string[]])[] = [
  ["server", ["openstack.server.id", "server_id", "server_uuid", "instance_uuid", "instance_id"]],
  ["volume", ["openstack.volume.id", "volume_id"]],
  ["port", ["openstack.port.id", "port_id"]],
  ["network", ["openstack.network.id", "network_id"]],
  ["image", ["openstack.image.id", "image_id"]],
  ["stack", ["openstack.stack.id", "stack_id"]],
];

/** Attributes whose value is an id of something whose kind they do not tell. */
const anyIdAttributes = ["resource_uuid", "resource_id", "resource.id"];

const idPattern = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

/**
 * Finds the subject: a resource that the record names by id, else the guest that the emitter itself is, else the
 * request of an account, else the emitting component. A log line of a host is not an event of the host: a warning there would be told to every
 * tenant on it, so the host is only related. Resource attributes follow OpenTelemetry's semantic conventions; what
 * oslo.log adds to a record is read by its own names.
 */
export function findLogEntities(
  resource: JsonObject,
  attributes: JsonObject,
  traceId: string | undefined,
): LogEntities {
  const named = idAttributes.flatMap(([kind, names]) => {
    const id = names.map((name) => text(attributes[name])).find(isId);
    return id === undefined ? [] : [{ kind, id: id.toLowerCase() }];
  });
  const any = named.length > 0 ? undefined : anyIdAttributes.map((name) => text(attributes[name])).find(isId);
  if (any !== undefined) named.push({ kind: "resource", id: any.toLowerCase() });
  const guest = guestOf(resource);
  const hostName = text(resource["host.name"]);
  const emitter = emitterOf(resource, hostName);
  const actor = actorOf(attributes);
  const operation = operationOf(attributes, traceId);
  const request = requestRecord(actor, operation);
  const [subject = guest ?? request ?? emitter, ...others] = named;
  const related: Related[] = others.map((ref) => ({ role: ref.kind, ref }));
  if (subject !== emitter) related.push({ role: "reported_by", ref: emitter });
  if (guest !== undefined && subject !== guest) related.push({ role: "guest", ref: guest });
  // A guest's own name says nothing about the provider's hosts.
  if (guest === undefined && hostName !== undefined) {
    related.push({ role: "host", ref: { kind: "host", id: hostName } });
  }
  if (actor?.userId !== undefined && subject === request) {
    related.push({ role: "caller", ref: { kind: "user", id: actor.userId } });
  }
  related.push(...kubernetesOf(resource), ...labelledProject(resource));
  return {
    subject,
    ...(subject === guest && hostName !== undefined && { subjectName: hostName }),
    related,
    ...(actor !== undefined && { actor }),
    ...(operation !== undefined && { operation }),
    ...(subject === emitter && { platform: true }),
  };
}

/** A record of a request that an account made, and that names nothing else: whose it is, the request tells. */
function requestRecord(actor: Actor | undefined, operation: OperationKey | undefined): EntityRef | undefined {
  if (actor?.userId === undefined || operation?.requestId === undefined) return undefined;
  return { kind: "request", id: operation.requestId };
}

/** OpenStack's resource detectors give a guest's own id as `host.id`, and say which cloud that id is of. */
function guestOf(resource: JsonObject): EntityRef | undefined {
  if (text(resource["cloud.provider"])?.toLowerCase() !== "openstack") return undefined;
  const id = [text(resource["cloud.resource_id"]), text(resource["host.id"])].find(isId);
  return id === undefined ? undefined : { kind: "server", id: id.toLowerCase() };
}

function emitterOf(resource: JsonObject, hostName: string | undefined): EntityRef {
  const service = text(resource["service.name"]);
  const namespace = text(resource["service.namespace"]);
  const name = service === undefined || namespace === undefined ? service : `${namespace}/${service}`;
  const parts = [name, hostName].filter((part) => part !== undefined);
  return { kind: "component", id: parts.join("@").slice(0, 255) || "otlp" };
}

function kubernetesOf(resource: JsonObject): readonly Related[] {
  const found: Related[] = [];
  const add = (kind: string, id: string | undefined, name?: string): void => {
    if (id !== undefined)
      found.push({ role: kind, ref: { kind: `k8s_${kind}`, id }, ...(name !== undefined && { name }) });
  };
  add("pod", text(resource["k8s.pod.uid"]), text(resource["k8s.pod.name"]));
  add("namespace", text(resource["k8s.namespace.name"]));
  add("node", text(resource["k8s.node.name"]));
  return found;
}

/** What whoever configured the collector believed: shown, and no owner. */
function labelledProject(resource: JsonObject): readonly Related[] {
  const id = text(resource["cloud.account.id"]);
  return isId(id) ? [{ role: "labelled_project", ref: { kind: "project", id } }] : [];
}

/** oslo.log writes who asked into each record of a request. */
function actorOf(attributes: JsonObject): Actor | undefined {
  const userId = text(attributes["user_id"]) ?? text(attributes["enduser.id"]);
  const projectId = text(attributes["project_id"]);
  if (userId === undefined && projectId === undefined) return undefined;
  return { ...(userId !== undefined && { userId }), ...(projectId !== undefined && { projectId }) };
}

function operationOf(attributes: JsonObject, traceId: string | undefined): OperationKey | undefined {
  const requestId = requestOf(attributes["request_id"]);
  const globalRequestId = requestOf(attributes["global_request_id"]);
  if (requestId === undefined && globalRequestId === undefined && traceId === undefined) return undefined;
  return {
    ...(requestId !== undefined && { requestId }),
    ...(globalRequestId !== undefined && { globalRequestId }),
    ...(traceId !== undefined && { workflowId: traceId }),
  };
}

function requestOf(value: Json | undefined): string | undefined {
  const id = text(value);
  return id !== undefined && /^req-[0-9a-f-]{36}$/.test(id) ? id : undefined;
}

/** Ids are short; a longer text is some other thing, and would only have the record refused. */
function text(value: Json | undefined): string | undefined {
  return typeof value === "string" && value.trim() !== "" && value.length <= 255 ? value : undefined;
}

function isId(value: string | undefined): value is string {
  return value !== undefined && idPattern.test(value);
}
