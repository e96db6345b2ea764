import { IsochronError } from "../../errors.ts";
import type { EntityKind, EntityRef, Related } from "../../model/entity.ts";
import type { EventDraft, EventKind, Observation, Phase } from "../../model/event.ts";
import { fact, needText, ref, regular, related, stamp, text, words } from "../openstack-inventory/item.ts";
import type { Decoders } from "../source.ts";
import type { StackEventRecord } from "./event-record.ts";

/** What Heat's resource types are to other sources; the ids that Heat keeps of these are the things' own. */
const kinds: Readonly<Record<string, EntityKind>> = {
  "OS::Cinder::Volume": "volume",
  "OS::Glance::WebImage": "image",
  "OS::Heat::AutoScalingGroup": "stack",
  "OS::Heat::ResourceChain": "stack",
  "OS::Heat::ResourceGroup": "stack",
  "OS::Heat::Stack": "stack",
  "OS::Keystone::Domain": "domain",
  "OS::Keystone::Group": "group",
  "OS::Keystone::Project": "project",
  "OS::Keystone::User": "user",
  "OS::Neutron::FloatingIP": "floating_ip",
  "OS::Neutron::Net": "network",
  "OS::Neutron::Port": "port",
  "OS::Neutron::ProviderNet": "network",
  "OS::Neutron::Router": "router",
  "OS::Neutron::SecurityGroup": "security_group",
  "OS::Neutron::Subnet": "subnet",
  "OS::Nova::Flavor": "flavor",
  "OS::Nova::Server": "server",
  "OS::Nova::ServerGroup": "server_group",
  "OS::Octavia::HealthMonitor": "health_monitor",
  "OS::Octavia::Listener": "listener",
  "OS::Octavia::LoadBalancer": "load_balancer",
  "OS::Octavia::Pool": "pool",
  "OS::Octavia::PoolMember": "member",
};

/** A resource whose type is a template is a stack of its own. */
const templateType = /\.(yaml|yml|template|json)$/i;

/** A thing's id; while it is being made, Heat keeps the name that it will get in the same field. */
const thingId = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;

const phases: Readonly<Record<string, Phase>> = {
  IN_PROGRESS: "start",
  COMPLETE: "end",
  FAILED: "error",
};

/** What only looks, and alters nothing. */
const lookingActions: ReadonlySet<string> = new Set(["CHECK", "SNAPSHOT"]);

/** Reads one event of a stack or of one of its resources. The owner is the stack's, never who asked. */
export function readStackEvent(record: StackEventRecord, decode: Decoders): Observation {
  const { item, stack, type, seenAt } = record;
  const id = needText(item, "id");
  const at = stamp(item, "event_time", decode);
  if (at === undefined)
    throw new IsochronError("record-invalid", "The event has no event_time.", "Check Heat's version.");
  const status = needText(item, "resource_status");
  const [, action = status, state] = /^(.+)_(IN_PROGRESS|COMPLETE|FAILED)$/.exec(status) ?? [];
  const phase = state === undefined ? undefined : phases[state];
  const thing = text(item, "physical_resource_id");
  const resource = text(item, "resource_name") ?? text(item, "logical_resource_id");
  const isOwn = thing === stack.id;
  const reason = text(item, "resource_status_reason");
  const bearer = isOwn || resource === undefined ? "stack" : "stack.resource";
  const subject: EntityRef = ref("stack", stack.id);
  const stem = `orchestration.${bearer}.${regular(action) || "status"}`;
  const outcome = state === undefined ? words(status) : `${words(action)} ${words(state)}`;
  const failed = phase === "error";
  const draft: EventDraft = {
    key: id,
    sourceIds: [id],
    occurredAt: at.at,
    precision: at.precision,
    type: state === undefined ? stem : `${stem}.${regular(state)}`,
    kind: kindOf(action, phase),
    category: "provisioning",
    ...(phase !== undefined && { phase }),
    severity: failed ? "error" : "info",
    visibility: "operational",
    subject,
    ...(stack.name !== "" && { subjectName: stack.name }),
    related: relate(record, isOwn ? undefined : thing, resource),
    ...(stack.project !== undefined && {
      stated: { owner: { kind: "project" as const, id: stack.project }, path: "stack.project" },
    }),
    summary:
      (bearer === "stack" ? `Stack ${stack.name}` : `Stack ${stack.name}, resource ${resource}`) +
      `: ${outcome}` +
      (failed && reason !== undefined ? ` (${reason})` : ""),
    details: {
      resource_status: status,
      ...(reason !== undefined && { reason }),
      ...(resource !== undefined && bearer !== "stack" && { resource }),
      ...(type !== undefined && { resource_type: type }),
      ...(thing !== undefined && !isOwn && { physical_resource_id: thing }),
    },
  };
  return {
    events: [draft],
    facts: [
      ...fact(subject, "owned_by", "project", stack.project, seenAt),
      ...fact(subject, "named", "name", stack.name === "" ? undefined : stack.name, seenAt),
      ...(isOwn && status === "DELETE_COMPLETE"
        ? fact(subject, "removed_from", "component", "orchestration", at.at)
        : []),
    ],
  };
}

function kindOf(action: string, phase: Phase | undefined): EventKind {
  if (phase === "error") return "symptom";
  return phase === "end" && !lookingActions.has(action) ? "change" : "activity";
}

function kindOfThing(type: string): EntityKind | undefined {
  if (templateType.test(type)) return "stack";
  return Object.hasOwn(kinds, type) ? kinds[type] : undefined;
}

function relate(
  { stack, type }: StackEventRecord,
  thing: string | undefined,
  resource: string | undefined,
): readonly Related[] {
  const kind = type === undefined ? undefined : kindOfThing(type);
  const isThing = kind !== undefined && thing !== undefined && thingId.test(thing);
  return [
    ...(isThing ? related("resource", kind, thing, resource) : []),
    ...related("parent", "stack", stack.parent),
  ];
}
