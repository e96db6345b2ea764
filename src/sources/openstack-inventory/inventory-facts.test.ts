import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../model/json.ts";
import { decoders } from "../../normalise/decode.ts";
import { openstackInventory } from "../openstack-inventory.ts";
import type { SourceIo } from "../source.ts";
import type { InventoryCursor } from "./inventory-cursor.ts";
import { fetchInventory } from "./pass.ts";
import { makeMoment } from "./recorded-http.ts";

/** What each listing answers in one pass, by its path with the query. */
type Answers = Readonly<Record<string, { readonly [key: string]: readonly Json[] }>>;

const paths: Readonly<Record<string, string>> = {
  identity: "/v3",
  compute: "/v2.1",
  network: "/v2.0",
  "block-storage": "/v3/0123456789abcdef0123456789abcdef",
};

/** Passes over a cloud, an hour apart: the facts of each as `server:s owned_by project:p`, `!` before what ended. */
async function passOver(...moments: readonly Answers[]): Promise<readonly (readonly string[])[]> {
  let cursor: InventoryCursor | undefined;
  const told: string[][] = [];
  for (const [index, answers] of moments.entries()) {
    const rows = Object.keys(answers).map((path) => ({
      name: path,
      file: path,
      method: "GET",
      url: `http://cloud.invalid${path}`,
      request_headers: {},
      status: 200,
      response_headers: {},
      sent_at: `2026-11-21T0${index}:00:00Z`,
    }));
    const moment = makeMoment("moment", rows, (file) =>
      Promise.resolve(new TextEncoder().encode(JSON.stringify(answers[file]))),
    );
    const io = {
      http: moment.http,
      now: moment.now,
      signal: new AbortController().signal,
      warn: () => undefined,
    } as unknown as SourceIo;
    const facts: string[] = [];
    for (let done = false; !done;) {
      const page = await fetchInventory({}, cursor, io);
      ({ cursor, done } = page);
      for (const record of page.records) {
        for (const fact of openstackInventory.normalise(record, decoders).facts) {
          const { from, relation, to, holds } = fact;
          facts.push(`${holds ? "" : "!"}${from.kind}:${from.id} ${relation} ${to.kind}:${to.id}`);
        }
      }
    }
    told.push(facts);
  }
  return told;
}

const about = (facts: readonly string[] | undefined, relation: string) =>
  (facts ?? []).filter((fact) => fact.includes(` ${relation} `));

describe("a thing that two complete listings lack", () => {
  const volumes = (...ids: readonly string[]): Answers => ({
    [`${paths["block-storage"]}/volumes/detail?all_tenants=1`]: {
      volumes: ids.map((id) => ({ id, status: "available", created_at: "2026-11-20T00:00:00" })),
    },
  });

  it("is removed, once, and is there again when it is listed again", async () => {
    const lists = [volumes("a", "b"), volumes("a"), volumes("a"), volumes("a"), volumes("a", "b")];
    const told = (await passOver(...lists)).map((facts) => about(facts, "removed_from"));
    expect(told).toEqual([
      [],
      [],
      ["volume:b removed_from component:block-storage"],
      [],
      ["!volume:b removed_from component:block-storage"],
    ]);
  });

  it("keeps the name that it had", async () => {
    const told = await passOver(volumes("a", "b"), volumes("a"), volumes("a"));
    expect(about(told[2], "named").filter((fact) => fact.startsWith("!"))).toEqual([]);
  });
});

describe("a port or a floating IP", () => {
  const ports = (...items: readonly JsonObject[]): Answers => ({
    [`${paths["network"]}/ports`]: { ports: items },
  });
  const port = (id: string, ...addresses: readonly string[]): JsonObject => ({
    id,
    project_id: "p",
    mac_address: "FA:16:3E:00:00:01",
    fixed_ips: addresses.map((address) => ({ ip_address: address })),
  });

  it("has the addresses that are listed, and no longer those that are not", async () => {
    const told = await passOver(ports(port("n", "10.0.0.7", "10.0.0.8")), ports(port("n", "10.0.0.8")));
    expect(about(told[0], "has_address")).toEqual([
      "port:n has_address mac:fa:16:3e:00:00:01",
      "port:n has_address ip:10.0.0.7",
      "port:n has_address ip:10.0.0.8",
    ]);
    expect(about(told[1], "has_address").filter((fact) => fact.startsWith("!"))).toEqual([
      "!port:n has_address ip:10.0.0.7",
    ]);
  });

  it("loses its addresses with itself", async () => {
    const told = await passOver(ports(port("n", "10.0.0.7"), port("m")), ports(port("m")), ports(port("m")));
    expect(about(told[2], "has_address")).toContain("!port:n has_address ip:10.0.0.7");
  });

  it("is on a network that is marked where others may use it too", async () => {
    const listed = (more: JsonObject) => ({
      [`${paths["network"]}/networks`]: { networks: [{ id: "n", project_id: "p", ...more }] },
    });
    const [external] = await passOver(listed({ "router:external": true, shared: false }));
    const [own] = await passOver(listed({ "router:external": false, shared: false }));
    expect(about(external, "member_of")).toEqual(["network:n member_of component:shared"]);
    expect(about(own, "member_of")).toEqual([]);
  });

  it("leads from Neutron's own port to the floating IP, which is bound to none where it has no port", async () => {
    const [facts] = await passOver({
      [`${paths["network"]}/ports`]: {
        ports: [
          { id: "n", project_id: "", device_owner: "network:floatingip", device_id: "f", fixed_ips: [] },
        ],
      },
      [`${paths["network"]}/floatingips`]: {
        floatingips: [{ id: "f", project_id: "p", floating_ip_address: "203.0.113.9", port_id: null }],
      },
    });
    expect(facts).toEqual(
      expect.arrayContaining([
        "port:n part_of floating_ip:f",
        "floating_ip:f owned_by project:p",
        "floating_ip:f has_address ip:203.0.113.9",
        "!floating_ip:f bound_to port:none",
      ]),
    );
  });
});

describe("a server", () => {
  const server: JsonObject = {
    id: "s",
    tenant_id: "p",
    name: "web-1",
    "OS-EXT-SRV-ATTR:hostname": "Web-1",
    "OS-EXT-SRV-ATTR:instance_name": "instance-0000002a",
    addresses: {
      net: [
        { addr: "10.0.0.7", "OS-EXT-IPS:type": "fixed", "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:00:00:01" },
        { addr: "203.0.113.9", "OS-EXT-IPS:type": "floating" },
      ],
    },
  };
  const answers = (item: JsonObject): Answers => ({
    [`${paths["compute"]}/servers/detail?all_tenants=1`]: { servers: [item] },
  });

  it("is known by what its guest and Libvirt call it, and by its fixed addresses", async () => {
    const [facts] = await passOver(answers({ ...server, status: "ACTIVE" }));
    expect(facts).toEqual(
      expect.arrayContaining([
        "server:s known_as hostname:web-1",
        "server:s known_as libvirt_domain:instance-0000002a",
        "server:s has_address ip:10.0.0.7",
      ]),
    );
    expect(facts!.join()).not.toContain("203.0.113.9");
  });

  it("is removed and known by nothing once it is listed as deleted", async () => {
    const [facts] = await passOver(
      answers({ ...server, status: "DELETED", updated: "2026-11-20T00:00:00Z" }),
    );
    expect(facts).toEqual(
      expect.arrayContaining([
        "server:s removed_from component:compute",
        "!server:s known_as libvirt_domain:instance-0000002a",
      ]),
    );
  });
});

describe("a host of the cloud's own", () => {
  it("is called by its host name, in full and in short, so that no guest of the same name is meant alone", async () => {
    const [facts] = await passOver({
      [`${paths["network"]}/agents`]: {
        agents: [{ id: "a", host: "Controller-01.example.org", binary: "neutron-l3-agent", alive: true }],
      },
      [`${paths["compute"]}/os-hypervisors/detail`]: {
        hypervisors: [
          {
            id: "1",
            hypervisor_hostname: "compute-7.example.org",
            host_ip: "192.0.2.7",
            service: { host: "compute-7" },
          },
          { id: "2", hypervisor_hostname: "compute-8", host_ip: "127.0.0.1", service: { host: "compute-8" } },
        ],
      },
    });
    expect([...about(facts, "known_as"), ...about(facts, "has_address")].toSorted()).toEqual([
      "host:Controller-01.example.org known_as hostname:controller-01",
      "host:Controller-01.example.org known_as hostname:controller-01.example.org",
      "host:compute-7 has_address ip:192.0.2.7",
      "host:compute-7 known_as hostname:compute-7",
      "host:compute-7 known_as hostname:compute-7.example.org",
      "host:compute-8 known_as hostname:compute-8",
    ]);
  });
});

describe("a role", () => {
  const role = { id: "member" };
  const direct = (user: string, project: string, more: JsonObject = {}): JsonObject => ({
    role,
    user: { id: user },
    scope: { project: { id: project }, ...more },
  });
  const assigned = (...items: readonly JsonObject[]): Answers => ({
    [`${paths["identity"]}/role_assignments`]: { role_assignments: items },
  });

  it("says where an account works: in a project, below it, in a domain, or everywhere", async () => {
    const [facts] = await passOver(
      assigned(
        direct("u", "p"),
        direct("v", "p", { "OS-INHERIT:inherited_to": "projects" }),
        { role, group: { id: "g" }, scope: { domain: { id: "d" } } },
        { role, user: { id: "w" }, scope: { system: { all: true } } },
      ),
    );
    expect(about(facts, "works_in")).toEqual([
      "user:u works_in project:p",
      "user:v works_in project_tree:p",
      "group:g works_in domain:d",
      "user:w works_in system:all",
    ]);
  });

  it("ends where the account works with its last role there, and not before", async () => {
    const twice = assigned(
      direct("u", "p"),
      { ...direct("u", "p"), role: { id: "reader" } },
      direct("u", "q"),
    );
    const once = assigned(direct("u", "p"), direct("u", "q"));
    const none = assigned(direct("u", "q"));
    const told = await passOver(twice, once, once, none, none);
    expect(told.map((facts) => about(facts, "works_in").filter((fact) => fact.startsWith("!")))).toEqual([
      [],
      [],
      [],
      [],
      ["!user:u works_in project:p"],
    ]);
  });

  it("that comes by a group is the member's, as Keystone expands it", async () => {
    const [facts] = await passOver({
      [`${paths["identity"]}/role_assignments?effective=true`]: {
        role_assignments: [
          {
            ...direct("u", "p"),
            links: { membership: "http://cloud.invalid/v3/groups/g/users/u" },
          },
        ],
      },
    });
    expect(facts).toEqual(["user:u works_in project:p", "user:u member_of group:g"]);
  });
});
