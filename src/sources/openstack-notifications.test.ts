import { describe, expect, it } from "vitest";
import { IsochronError } from "../errors.ts";
import { instant } from "../model/instant.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { decoders } from "../normalise/decode.ts";
import { openstackNotifications } from "./openstack-notifications.ts";

/** An oslo 2.0 body as the broker delivers it. */
function oslo(eventType: string, payload: Json, more: JsonObject = {}): Uint8Array {
  const message = {
    message_id: "11111111-1111-4111-8111-111111111111",
    publisher_id: "test.host",
    event_type: eventType,
    priority: "INFO",
    payload,
    timestamp: "2026-11-21 01:15:51.124000",
    _context_request_id: "req-1",
    _context_user_id: "actor",
    _context_project_id: "actors project",
    ...more,
  };
  return Buffer.from(JSON.stringify({ "oslo.version": "2.0", "oslo.message": JSON.stringify(message) }));
}

function read(eventType: string, payload: Json, more: JsonObject = {}) {
  const record = {
    bytes: oslo(eventType, payload, more),
    position: "delivery 1",
    receivedAt: instant(0),
    meta: {},
  };
  const observation = openstackNotifications.normalise(record, decoders);
  return { draft: observation.events[0]!, facts: observation.facts };
}

const versioned = (data: JsonObject): JsonObject => ({
  "nova_object.name": "Payload",
  "nova_object.data": data,
});
const facts = (found: ReturnType<typeof read>) =>
  found.facts.map(
    (fact) =>
      `${fact.holds ? "" : "!"}${fact.from.kind}:${fact.from.id} ${fact.relation} ${fact.to.kind}:${fact.to.id}`,
  );

describe("the owner that a notification states", () => {
  it.each([
    ["compute.instance.create.end", { instance_id: "s", tenant_id: "p" }, "payload.tenant_id"],
    [
      "instance.create.end",
      versioned({ uuid: "s", tenant_id: "p", action_initiator_project: "x" }),
      "payload.tenant_id",
    ],
    ["volume.create.end", { volume_id: "v", tenant_id: "p" }, "payload.tenant_id"],
    ["backup.restore.start", { backup_id: "b", volume_id: "v", tenant_id: "p" }, "payload.tenant_id"],
    ["port.create.end", { port: { id: "n", project_id: "p" } }, "payload.port.project_id"],
    [
      "router.interface.create",
      { router_interface: { id: "r", port_id: "n", tenant_id: "p" } },
      "payload.router_interface.tenant_id",
    ],
    ["image.upload", { id: "i", owner: "p" }, "payload.owner"],
    ["image.send", { image_id: "i", owner_id: "p", receiver_tenant_id: "x" }, "payload.owner_id"],
    ["orchestration.stack.create.end", { stack_identity: "k", tenant_id: "p" }, "payload.tenant_id"],
    ["identity.role_assignment.created", { user: "u", project: "p", role: "r" }, "payload.project"],
    ["octavia.loadbalancer.create.end", { loadbalancer_id: "l", project_id: "p" }, "payload.project_id"],
  ])("of %s stands in its own field", (eventType, payload, path) => {
    expect(read(eventType, payload as Json).draft.stated).toEqual({
      owner: { kind: "project", id: "p" },
      path,
    });
  });

  it.each([
    ["keypair.import.end", { key_name: "k", user_id: "u", tenant_id: "p" }],
    ["image.member.create", { image_id: "i", member_id: "p" }],
    ["port.delete.start", { port_id: "n" }],
    ["network.create.start", { network: { name: "net" } }],
    ["identity.user.created", { resource_info: "u", initiator: { user_id: "a", project_id: "p" } }],
    ["identity.authenticate", { outcome: "failure", initiator: { user_id: "a", project_id: "p" } }],
    [
      "audit.http.request",
      { requestPath: "/v2.1/servers", action: "create", initiator: { id: "a", project_id: "p" } },
    ],
    ["compute.exception", versioned({ exception: "X", exception_message: "p" })],
  ])("of %s is not there, and the actor's is not taken for it", (eventType, payload) => {
    expect(read(eventType, payload as Json).draft.stated).toBeUndefined();
  });

  it("changes hands between the start and the end of a volume transfer", () => {
    const start = read("volume.transfer.accept.start", { volume_id: "v", tenant_id: "donor" });
    const end = read("volume.transfer.accept.end", { volume_id: "v", tenant_id: "recipient" });
    expect(facts(start)).toContain("volume:v owned_by project:donor");
    expect(facts(end)).toContain("volume:v owned_by project:recipient");
  });

  it("is not searched for in nested request specs, which hold the context of somebody's request", () => {
    const spec = {
      instance_properties: { uuid: "s", project_id: "p", pci_requests: { _context: { project_id: "x" } } },
    };
    const { draft } = read("scheduler.select_destinations.start", { request_spec: spec });
    expect(draft.stated?.owner.id).toBe("p");
    expect(JSON.stringify(draft.details)).not.toContain('"x"');
  });

  it("is the project in the path for Cinder's own collections and quota sets, nobody's for Nova's", () => {
    const project = "a".repeat(32);
    const call = (requestPath: string, reasonCode = "202") =>
      read("audit.http.response", {
        requestPath,
        action: "create",
        reason: { reasonCode },
        initiator: { id: "a" },
      }).draft;
    expect(call(`/v3/${project}/volumes`).stated?.owner.id).toBe(project);
    expect(call(`/v2.1/os-quota-sets/${project}`).stated?.owner.id).toBe(project);
    expect(call(`/v3/${project}/attachments`).stated).toBeUndefined();
    expect(call("/v2.1/os-services/1").platform).toBe(true);
  });
});

describe("a call that was not granted", () => {
  const project = "a".repeat(32);
  const answered = (reasonCode: string, project_id = "b".repeat(32)) =>
    read("audit.http.response", {
      requestPath: `/v3/${project}/volumes`,
      action: "create",
      reason: { reasonCode },
      initiator: { user_id: "mallory", project_id, request_id: "req-9" },
    });

  it("proves nothing about the project whose collection it named", () => {
    expect(answered("403").draft.stated).toBeUndefined();
    expect(facts(answered("403"))).toEqual([]);
    expect(answered("202").draft.stated?.owner.id).toBe(project);
  });

  it("still does where only a quota refused it to whom Keystone let in for that very project", () => {
    expect(answered("413", project).draft.stated?.owner.id).toBe(project);
  });

  it.each(["406", "413", "415", "429", "500", "503"])(
    "proves nothing of another's project where %s may have come before anybody checked it",
    (code) => {
      expect(answered(code).draft.stated).toBeUndefined();
      expect(facts(answered(code))).toEqual([]);
    },
  );
});

describe("Nova's two formats", () => {
  it.each([
    [
      "compute.instance.finish_resize.end",
      "instance.resize_finish.end",
      "compute.instance.resize_finish.end",
    ],
    [
      "compute.instance.live_migration._post.start",
      "instance.live_migration_post.start",
      "compute.instance.live_migration_post.start",
    ],
    [
      "compute.instance.live_migration.post.dest.end",
      "instance.live_migration_post_dest.end",
      "compute.instance.live_migration_post_dest.end",
    ],
    ["compute.instance.volume.attach", "instance.volume_attach.end", "compute.instance.volume_attach.end"],
    [
      "compute.instance.rebuild.scheduled",
      "instance.rebuild_scheduled",
      "compute.instance.rebuild_scheduled",
    ],
    ["compute.instance.power_off.end", "instance.power_off.end", "compute.instance.power_off.end"],
  ])("call %s and %s one thing", (legacyType, versionedType, type) => {
    const legacy = read(legacyType, { instance_id: "s", tenant_id: "p" }).draft;
    const modern = read(versionedType, versioned({ uuid: "s", tenant_id: "p" })).draft;
    expect([legacy.type, modern.type]).toEqual([type, type]);
    expect(legacy.twin?.group).toBe(modern.twin?.group);
    expect([legacy.twin?.side, modern.twin?.side]).toEqual(["legacy", "versioned"]);
    expect(legacy.key).toBe(modern.key);
  });

  it("tell the many updates of one request apart by their states", () => {
    const update = (after: string) =>
      read("compute.instance.update", { instance_id: "s", old_state: "active", state: after }).draft;
    expect(update("error").twin?.group).not.toBe(update("stopped").twin?.group);
    expect(update("error")).toMatchObject({
      kind: "symptom",
      severity: "error",
      changes: [{ before: "active", after: "error" }],
    });
    expect(update("active")).toMatchObject({ kind: "activity" });
  });
});

describe("what a notification says of the topology", () => {
  it("is where the server runs, until it is deleted", () => {
    const payload = { instance_id: "s", tenant_id: "p", host: "h" };
    expect(facts(read("compute.instance.create.end", payload))).toContain("server:s runs_on host:h");
    expect(facts(read("compute.instance.delete.end", payload))).toContain("!server:s runs_on host:h");
  });

  it("is that a deleted, shelved or unplaced server is on no host any more", () => {
    const deleted = read("compute.instance.update", {
      instance_id: "s",
      host: "h",
      state: "deleted",
      old_state: "active",
    });
    expect(facts(deleted)).toEqual(["!server:s runs_on host:h", "server:s removed_from component:compute"]);
    const shelved = read("compute.instance.shelve_offload.end", {
      instance_id: "s",
      host: null,
      state: "shelved_offloaded",
    });
    expect(facts(shelved)).toEqual(["!server:s runs_on host:none"]);
  });

  it("is not that a transferred share is still the donor's, nor that a stack is whoever's acts on it", () => {
    const share = read("share.transfer.accept.end", { share_id: "sh", project_id: "donor" });
    const stack = read("orchestration.stack.delete.end", { stack_identity: "st", tenant_id: "ops" });
    expect([...facts(share), ...facts(stack)].filter((fact) => fact.includes("owned_by"))).toEqual([
      "!share:sh owned_by project:donor",
    ]);
  });

  it("is that a request concerned the stated owner, and to which domains user and project belong", () => {
    const found = read(
      "volume.create.end",
      { volume_id: "v", tenant_id: "p" },
      { _context_user_domain: "ud", _context_project_domain: "pd" },
    );
    expect(facts(found)).toEqual(
      expect.arrayContaining([
        "request:req-1 concerns project:p",
        "user:actor owned_by domain:ud",
        "project:actors project part_of domain:pd",
      ]),
    );
  });
});

describe("a global request id", () => {
  it("states nothing about the request that it names, because any caller may choose it", () => {
    const found = read(
      "volume.create.end",
      { volume_id: "v", tenant_id: "p" },
      { _context_global_request_id: "req-of-another" },
    );
    expect(facts(found).filter((fact) => fact.includes("concerns"))).toEqual([
      "request:req-1 concerns project:p",
    ]);
    expect(found.draft.operation).toEqual({ requestId: "req-1", globalRequestId: "req-of-another" });
  });
});

describe("a notification that cannot be used", () => {
  it.each([
    ["no message_id", { message_id: null }],
    ["no event_type", { event_type: "" }],
    ["no timestamp", { timestamp: null }],
    ["an impossible time", { timestamp: "2026-02-30 00:00:00" }],
    ["the year 0", { timestamp: "0000-01-01 00:00:00" }],
  ])("is refused for %s", (_what, more) => {
    expect(() => read("volume.create.end", { volume_id: "v" }, more as JsonObject)).toThrow(IsochronError);
  });

  it("is kept when only its type is new to us", () => {
    const { draft } = read("brand.new.Thing", { any: "thing" });
    expect(draft).toMatchObject({
      type: "brand.new.thing",
      subject: { kind: "request", id: "req-1" },
      visibility: "provider",
    });
  });

  it("keeps no token, password or connection secret of its payload", () => {
    const payload = {
      volume_id: "v",
      connection_info: "secret-1",
      credential: { token: "secret-2" },
      nested: { adminPass: "secret-3" },
    };
    expect(JSON.stringify(read("volume.attach.end", payload).draft)).not.toMatch(/secret-\d/);
  });
});
