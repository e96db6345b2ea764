import { describe, expect, it } from "vitest";
import { readNotification as read } from "../../../test/read-notification.ts";
import type { JsonObject } from "../../model/json.ts";
import type { OsloMessage } from "./envelope.ts";
import { ownerRowOf, readOwnerPath } from "./owner-path.ts";
import { ownerRows } from "./owner-paths.ts";

/** Fields that look like an owner's and belong to somebody else, in every payload of these tests. */
const decoys: JsonObject = {
  user_id: "user-x",
  project_id: "project-x",
  tenant_id: "project-x",
  owner: "project-x",
  member_id: "project-x",
  target_tenant_id: "project-x",
  receiver_tenant_id: "project-x",
  action_initiator_project: "project-x",
  initiator: { id: "user-x", user_id: "user-x", project_id: "project-x" },
};

/** One event type for each alternative that a row's pattern allows. */
function examplesOf(types: string): readonly string[] {
  const list = /^(.*?)\{([^}]+)\}(.*)$/.exec(types);
  if (list === null) return [types.replace(/^\*/, "thing.update").replaceAll("*", "update.end")];
  return list[2]!.split(",").flatMap((one) => examplesOf(`${list[1]}${one}${list[3]}`));
}

/** A payload whose field at the path holds the value, among what was in it before. */
function fill(into: JsonObject, path: string, value: string): JsonObject {
  const [step = "", ...rest] = path.split(".");
  if (step.endsWith("[]")) return { ...into, [step.slice(0, -2)]: [fill({}, rest.join("."), value)] };
  if (rest.length === 0) return { ...into, [step]: value };
  const inner = into[step];
  const before = typeof inner === "object" && inner !== null ? (inner as JsonObject) : {};
  return { ...into, [step]: fill(before, rest.join("."), value) };
}

const spelled: Readonly<Record<string, (id: string) => string>> = {
  arn: (id) => `arn:openstack:heat::${id}:stacks/web/7f1c`,
  account: (id) => `/v1/AUTH_${id}/photos/cat.jpg`,
};

/** What the tests below put where the table says that the owner is. */
const ownerId = "0123456789abcdef0123456789abcdef";

describe("the table of owner paths", () => {
  const cases = ownerRows.flatMap((row) => examplesOf(row.types).map((eventType) => ({ eventType, row })));

  it.each(cases)("has one row that counts for $eventType", ({ eventType, row }) => {
    expect(ownerRowOf(eventType)).toBe(row);
  });

  const stating = cases.filter(({ row }) => row.owner !== "-");
  it.each(stating)(
    "finds the owner of $eventType in the field of its row, whatever stands beside it",
    (one) => {
      const thing = one.eventType.split(".")[0]!;
      for (const field of one.row.owner.split(" | ")) {
        const [, domain, path = "", form] = /^(domain:)?([^()]+)(?:\((\w+)\))?$/.exec(field)!;
        const own = path.replace("<thing>", thing);
        // The decoys would come before a later alternative of the same row.
        const base = Object.fromEntries(
          Object.entries(decoys).filter(([name]) => !one.row.owner.split(" | ").includes(name)),
        );
        const payload = fill(base, own, form === undefined ? ownerId : spelled[form]!(ownerId));
        expect(readStated(one.eventType, payload)).toEqual({
          owner: { kind: domain === undefined ? "project" : "domain", id: ownerId },
          path: `payload.${own}`,
        });
      }
    },
  );

  const silent = cases.filter(({ row }) => row.owner === "-");
  it.each(silent)("finds no owner of $eventType, whatever looks like one", ({ eventType }) => {
    expect(readStated(eventType, decoys)).toBeUndefined();
  });
});

function readStated(eventType: string, payload: JsonObject) {
  return readOwnerPath({ eventType, payload } as OsloMessage);
}

const project = (path: string) => ({ owner: { kind: "project", id: ownerId }, path: `payload.${path}` });

/** Payloads in the services' documented shapes, cut to what matters here. */
const documented: readonly (readonly [eventType: string, payload: JsonObject, path: string])[] = [
  ["compute.instance.update", { instance_id: "s", tenant_id: ownerId }, "tenant_id"],
  [
    "instance.live_migration_post.end",
    { "nova_object.data": { uuid: "s", tenant_id: ownerId } },
    "tenant_id",
  ],
  [
    "compute_task.build_instances.error",
    { instance_uuid: "s", request_spec: { "nova_object.data": { project_id: ownerId } } },
    "request_spec.project_id",
  ],
  [
    "scheduler.select_destinations.start",
    { request_spec: { instance_properties: { project_id: ownerId, uuid: "s" } } },
    "request_spec.instance_properties.project_id",
  ],
  ["server_group.create", { uuid: "g", project_id: ownerId }, "project_id"],
  ["volume.usage", { volume_id: "v", project_id: ownerId }, "project_id"],
  ["volume.retype", { volume_id: "v", tenant_id: ownerId }, "tenant_id"],
  ["snapshot.create.end", { snapshot_id: "n", volume_id: "v", tenant_id: ownerId }, "tenant_id"],
  ["backup.restore.end", { backup_id: "b", volume_id: "v", tenant_id: ownerId }, "tenant_id"],
  ["group_snapshot.create.end", { group_snapshot_id: "gs", tenant_id: ownerId }, "tenant_id"],
  ["consistencygroup.create.end", { group_id: "g", tenant_id: ownerId }, "tenant_id"],
  ["volume_type_project.access.add", { volume_type_id: "t", project_id: ownerId }, "project_id"],
  ["share.extend.end", { share_id: "sh", project_id: ownerId }, "project_id"],
  ["share.consumed.size", { share_id: "sh", project_id: ownerId }, "project_id"],
  ["port.create.end", { port: { id: "n", project_id: ownerId } }, "port.project_id"],
  ["subnet.delete.end", { subnet_id: "n", subnet: { id: "n", tenant_id: ownerId } }, "subnet.tenant_id"],
  [
    "firewall_group.update.end",
    { firewall_group: { id: "f", project_id: ownerId } },
    "firewall_group.project_id",
  ],
  [
    "router.interface.create",
    { router_interface: { id: "r", port_id: "n", project_id: ownerId } },
    "router_interface.project_id",
  ],
  ["identity.role_assignment.created", { user: "u", role: "r", project: ownerId }, "project"],
  ["image.update", { id: "i", owner: ownerId }, "owner"],
  ["image.send", { image_id: "i", owner_id: ownerId, receiver_tenant_id: "project-x" }, "owner_id"],
  ["task.success", { id: "t", owner: ownerId }, "owner"],
  ["metadef_namespace.create", { namespace: "OS::Compute", owner: ownerId }, "owner"],
  ["orchestration.stack.create.start", { stack_identity: "k", tenant_id: ownerId }, "tenant_id"],
  [
    "orchestration.stack.update.end",
    { stack_identity: `arn:openstack:heat::${ownerId}:stacks/web/k`, tenant_id: "project-x" },
    "stack_identity",
  ],
  ["octavia.loadbalancer.update.end", { loadbalancer_id: "l", project_id: ownerId }, "project_id"],
  ["dns.recordset.create", { id: "r", zone_id: "z", tenant_id: ownerId }, "tenant_id"],
  ["dns.zone_export.create", { id: "e", zone_id: "z", tenant_id: ownerId }, "tenant_id"],
  ["trove.instance.create", { instance_id: "d", nova_instance_id: "s", tenant_id: ownerId }, "tenant_id"],
  [
    "magnum.cluster.create",
    { outcome: "success", target: { id: "c", attachments: [{ content: { project_id: ownerId } }] } },
    "target.attachments[].content.project_id",
  ],
  ["baremetal.node.maintenance_set.end", { uuid: "n", lessee: ownerId, owner: "project-x" }, "lessee"],
  ["baremetal.node.update.end", { uuid: "n", lessee: null, owner: ownerId }, "owner"],
  [
    "alarm.state_transition",
    { alarm_id: "a", project_id: "project-x", on_behalf_of: ownerId },
    "on_behalf_of",
  ],
  [
    "objectstore.http.request",
    { initiator: { project_id: "project-x" }, target: { metadata: { path: `/v1/AUTH_${ownerId}/photos` } } },
    "target.metadata.path",
  ],
];

describe("a message in its service's shape", () => {
  it.each(documented)("of %s states the owner in %#", (eventType, payload, path) => {
    expect(read(eventType, payload).draft.stated).toEqual(project(path));
  });

  const silent: readonly (readonly [eventType: string, payload: JsonObject, kind: string])[] = [
    ["keypair.create.end", { ...decoys, key_name: "k" }, "keypair"],
    ["flavor.create", { ...decoys, flavorid: "f", projects: ["project-x"] }, "flavor"],
    ["service.update", { ...decoys, host: "h", binary: "nova-compute" }, "service"],
    ["aggregate.add_host.end", { ...decoys, id: 4, hosts: ["h"] }, "aggregate"],
    ["libvirt.connect.error", { ...decoys, ip: "10.0.0.1" }, "host"],
    ["compute.metrics.update", { ...decoys, host: "h" }, "host"],
    ["qos_specs.create", { ...decoys, id: "q" }, "qos_specs"],
    ["capacity.pool", { ...decoys, name_to_id: "h@lvm#pool" }, "backend"],
    ["shareType.create", { ...decoys, id: "t" }, "share_type"],
    ["image.member.create", { ...decoys, image_id: "i" }, "image"],
    ["identity.user.created", { ...decoys, resource_info: "u" }, "user"],
    ["identity.authenticate", { ...decoys, outcome: "failure" }, "user"],
    ["port.delete.start", { ...decoys, port_id: "n" }, "port"],
    ["network.create.start", { network: { name: "net", tenant_id: "project-x" } }, "request"],
    ["orchestration.stack.delete.end", { ...decoys, stack_identity: "k" }, "stack"],
    ["dns.pool.update", { ...decoys, id: "p" }, "pool"],
    ["dns.tld.create", { ...decoys, id: "t" }, "tld"],
    ["metadef_tag.create", { ...decoys, namespace: "OS::Compute", name: "t" }, "metadef"],
    ["segment.create.end", { ...decoys, uuid: "g" }, "failover_segment"],
    ["audit.create.end", { ...decoys, uuid: "a" }, "audit"],
    ["brand.new.thing", decoys, "request"],
  ];
  it.each(silent)("of %s states none", (eventType, payload, kind) => {
    const { draft } = read(eventType, payload);
    expect(draft.stated).toBeUndefined();
    expect(draft.subject.kind).toBe(kind);
  });
});
