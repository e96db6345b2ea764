import { describe, expect, it } from "vitest";
import { readNotification as read } from "../../../test/read-notification.ts";
import type { JsonObject } from "../../model/json.ts";

describe("what states no owner leads on to one", () => {
  it("a bare-metal node without lessee and owner to the server on it", () => {
    const node = { uuid: "node-1", instance_uuid: "server-1", lessee: null, owner: null, name: "rack-3" };
    const { draft } = read("baremetal.node.power_set.end", {
      "ironic_object.name": "NodeSetPowerStatePayload",
      "ironic_object.data": node,
    });
    expect(draft).toMatchObject({
      subject: { kind: "server", id: "server-1" },
      visibility: "provider",
      related: [{ role: "node", ref: { kind: "node", id: "node-1" } }],
    });
    expect(draft.stated).toBeUndefined();
    expect(draft.platform).toBeUndefined();
    expect(read("baremetal.node.power_set.end", { uuid: "node-1" }).draft.platform).toBe(true);
  });

  it("a failed process or host of Masakari's to the compute host that bears it", () => {
    const host = read("host.create.end", {
      "masakari_object.data": { uuid: "masakari-1", name: "compute-7" },
    });
    expect(host.draft).toMatchObject({ subject: { kind: "host", id: "compute-7" }, platform: true });
    expect(host.facts).toContain("service:masakari-host:masakari-1 serves host:compute-7");
    const failed = read("notification.create.end", {
      "masakari_object.data": { type: "COMPUTE_HOST", source_host_uuid: "masakari-1", payload: {} },
    });
    expect(failed.draft).toMatchObject({
      subject: { kind: "service", id: "masakari-host:masakari-1" },
      platform: true,
    });
  });

  it("a failed server of Masakari's, and one that Watcher moves, to the server", () => {
    const failed = read("notification.process.end", {
      "masakari_object.data": {
        type: "VM",
        source_host_uuid: "masakari-1",
        payload: { "masakari_object.data": { instance_uuid: "server-1" } },
      },
    });
    expect(failed.draft.subject).toEqual({ kind: "server", id: "server-1" });
    const moved = read("action.execution.end", {
      "watcher_object.data": { uuid: "action-1", input_parameters: { resource_id: "server-1" } },
    });
    expect(moved.draft.subject).toEqual({ kind: "resource", id: "server-1" });
    expect(moved.draft.platform).toBeUndefined();
  });

  it("a volume that Cinder could not place to the volume, and a recordset to its zone", () => {
    const unplaced = read("scheduler.create_volume", {
      tenant_id: "project-x",
      volume_id: "volume-1",
      request_spec: {},
    });
    expect(unplaced.draft).toMatchObject({ subject: { kind: "volume", id: "volume-1" } });
    expect(unplaced.draft.stated).toBeUndefined();
    expect(read("dns.recordset.create", { id: "r", zone_id: "z" }).facts).toContain(
      "recordset:r part_of zone:z",
    );
  });
});

describe("a network", () => {
  it("that others may use is marked as shared, and one of a tenant alone is not", () => {
    const made = (more: JsonObject) =>
      read("network.create.end", { network: { id: "n", project_id: "p", ...more } }).facts;
    const mark = "network:n member_of component:shared";
    expect(made({ "router:external": true })).toContain(mark);
    expect(made({ shared: true })).toContain(mark);
    expect(made({ shared: false, "router:external": false })).not.toContain(mark);
  });
});

describe("what changes hands", () => {
  it("is the donor's before a volume's transfer and the recipient's after it", () => {
    const step = (name: string, owner: string) =>
      read(`volume.transfer.accept.${name}`, { volume_id: "v", tenant_id: owner }).facts;
    expect(step("start", "donor")).toContain("volume:v owned_by project:donor");
    expect(step("end", "recipient")).toContain("volume:v owned_by project:recipient");
  });

  it("is no longer the donor's once a share's transfer is over, and not yet anybody else's", () => {
    const { draft, facts } = read("share.transfer.accept.end", { share_id: "sh", project_id: "donor" });
    expect(draft.stated).toBeUndefined();
    expect(facts).toContain("!share:sh owned_by project:donor");
    expect(facts.filter((fact) => fact.startsWith("share:sh owned_by"))).toEqual([]);
  });

  it("is a zone for whom its transfer is accepted, and the key to it is kept nowhere", () => {
    const { draft, facts } = read("dns.zone_transfer_accept.create", {
      id: "accept-1",
      zone_id: "z",
      tenant_id: "recipient",
      key: "open-sesame",
    });
    expect(facts).toContain("zone:z owned_by project:recipient");
    expect(JSON.stringify(draft)).not.toContain("open-sesame");
  });
});

describe("a zone's two announcements", () => {
  it("are one occurrence under one name", () => {
    const [zone, domain] = ["dns.zone.update", "dns.domain.update"].map(
      (type) => read(type, { id: "z", tenant_id: "p", name: "example.org." }).draft,
    );
    expect(domain!.type).toBe("dns.zone.update");
    expect(domain!.twin!.group).toBe(zone!.twin!.group);
    expect(new Set([zone!.twin!.side, domain!.twin!.side]).size).toBe(2);
  });
});

describe("a request's body that nobody has checked", () => {
  it("states neither an owner nor an address", () => {
    const wish = { port: { project_id: "victim", fixed_ips: [{ ip_address: "10.0.0.7" }] }, id: "port-1" };
    const { draft, facts } = read("port.update.start", wish);
    expect(draft.stated).toBeUndefined();
    expect(facts).toEqual([]);
  });
});

describe("what a deletion says", () => {
  it.each([
    ["volume.delete.end", { volume_id: "x" }, "volume:x removed_from component:block-storage"],
    ["port.delete.end", { port: { id: "x" }, port_id: "x" }, "port:x removed_from component:network"],
    ["image.delete", { id: "x" }, "image:x removed_from component:image"],
    ["identity.project.deleted", { resource_info: "x" }, "project:x removed_from component:identity"],
    ["compute.instance.delete.end", { instance_id: "x" }, "server:x removed_from component:compute"],
    ["dns.zone.delete", { id: "x" }, "zone:x removed_from component:dns"],
    ["server_group.delete", { uuid: "x" }, "server_group:x removed_from component:compute"],
  ])("by %s is that the thing is gone, and no more", (eventType, payload, expected) => {
    expect(read(eventType, payload).facts.filter((fact) => fact.includes("removed_from"))).toEqual([
      expected,
    ]);
  });

  it.each([
    ["volume.delete.start", { volume_id: "x" }],
    ["image.member.delete", { image_id: "x", member_id: "p" }],
    ["identity.role_assignment.deleted", { user: "x", project: "p", role: "r" }],
    ["compute.instance.soft_delete.end", { instance_id: "x" }],
  ])("is nothing of %s", (eventType, payload) => {
    expect(read(eventType, payload).facts.filter((fact) => fact.includes("removed_from"))).toEqual([]);
  });
});

describe("where an account works", () => {
  const granted = (payload: JsonObject) =>
    read("identity.role_assignment.created", { user: "u", role: "r", ...payload }).facts.filter((fact) =>
      fact.includes("works_in"),
    );

  it("is the project, the domain, what lies below a project, or the whole system", () => {
    expect(granted({ project: "p" })).toEqual(["user:u works_in project:p"]);
    expect(granted({ domain: "d" })).toEqual(["user:u works_in domain:d"]);
    expect(granted({ project: "p", inherited_to_projects: true })).toEqual([
      "user:u works_in project_tree:p",
    ]);
    expect(granted({})).toEqual(["user:u works_in system:all"]);
  });

  it("does not end with one of its roles, because there may be another", () => {
    const { facts } = read("identity.role_assignment.deleted", { user: "u", role: "r", project: "p" });
    expect(facts.filter((fact) => fact.includes("works_in"))).toEqual([]);
  });

  it("is told of groups whose members the basic format tells", () => {
    const change = (operation: string) =>
      read("identity.group.updated", {
        resource_info: "g",
        actor_id: "u",
        actor_type: "user",
        actor_operation: operation,
      }).facts;
    expect(change("added")).toContain("user:u member_of group:g");
    expect(change("removed")).toContain("!user:u member_of group:g");
  });
});

describe("what a server is called", () => {
  const server = { uuid: "s", tenant_id: "p", host_name: "Web-1", instance_name: "instance-0000002a" };
  const named = (eventType: string) =>
    read(eventType, {
      "nova_object.data": {
        ...server,
        ip_addresses: [{ "nova_object.data": { address: "10.0.0.7", mac: "FA:16:3E:00:00:01" } }],
      },
    }).facts.filter((fact) => /known_as|has_address/.test(fact));

  it("by monitors is its host name, Libvirt's name and its addresses, until it is deleted", () => {
    const all = [
      "server:s known_as hostname:web-1",
      "server:s known_as libvirt_domain:instance-0000002a",
      "server:s has_address ip:10.0.0.7",
      "server:s has_address mac:fa:16:3e:00:00:01",
    ];
    expect(named("instance.create.end")).toEqual(all);
    expect(named("instance.delete.end")).toEqual(all.map((fact) => `!${fact}`));
    expect(named("instance.reboot.end").filter((fact) => fact.includes("known_as"))).toEqual([]);
  });

  it("changes with an update that tells its old name, and with no other", () => {
    const rename = { instance_id: "s", display_name: "new", old_display_name: "old" };
    expect(read("compute.instance.update", rename).facts).toContain("server:s named name:new");
    expect(read("compute.instance.update", { instance_id: "s", display_name: "new" }).facts).toEqual([]);
  });
});

describe("where a server stands", () => {
  it("is after a live migration told by the host that took it over, not by the one that let it go", () => {
    const at = (step: string, host: string) =>
      read(`compute.instance.live_migration.${step}`, { instance_id: "server-1", host }).facts;
    expect(at("post.dest.end", "compute-2")).toContain("server:server-1 runs_on host:compute-2");
    for (const step of ["_post.start", "_post.end"])
      expect(at(step, "compute-1").filter((told) => told.includes("runs_on"))).toEqual([]);
    const versioned = { "nova_object.data": { uuid: "server-1", host: "compute-1" } };
    expect(
      read("instance.live_migration_post.end", versioned).facts.filter((told) => told.includes("runs_on")),
    ).toEqual([]);
  });
});
