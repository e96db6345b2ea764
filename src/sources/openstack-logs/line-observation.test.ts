import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entityKey } from "../../model/entity.ts";
import type { EventDraft, Observation } from "../../model/event.ts";
import type { JsonObject } from "../../model/json.ts";
import { decoders } from "../../normalise/decode.ts";
import { playedAt } from "../conformance/fixture.ts";
import { openstackLogs } from "../openstack-logs.ts";

const server = "a81a8f04-7a38-4516-acee-dbc6b5da53b5";
const port = "d6d70704-15b9-4392-8af6-ba529b64ab4d";
const volume = "8fc341c8-99fe-4385-bfee-12931fc585f9";
const network = "26797248-d8f5-4775-8ba8-9389451459c9";
const project = "e971f5fc1598420e9441c583a7b859b3";
const user = "970eb96a52c045f198d2dafeedebc469";
const requestId = "req-729aadcb-3a50-4429-b0ae-26f55daac570";

function observe(text: string): Observation {
  const record = {
    bytes: new TextEncoder().encode(text),
    position: "line 1",
    receivedAt: playedAt,
    meta: {},
  };
  return openstackLogs.normalise(record, decoders);
}

function eventOf(text: string): EventDraft {
  return observe(text).events[0]!;
}

/** A line as a shipper posts it; with a request of an account where `of` is `request`. */
function shipped(message: string, of: "request" | "nobody" = "nobody", more: JsonObject = {}): string {
  const context = of === "request" ? { request_id: requestId, user_id: user, project_id: project } : {};
  return JSON.stringify({
    ts: "2026-11-21T02:42:02.743Z",
    level: "INFO",
    logger: "nova.compute.manager",
    src: "nova/nova-compute",
    message,
    ...context,
    ...more,
  });
}

function relatedOf(draft: EventDraft): readonly string[] {
  return draft.related.map(({ role, ref }) => `${role} ${entityKey(ref)}`);
}

function factsOf(text: string): readonly string[] {
  return observe(text).facts.map(
    ({ from, relation, to, holds }) =>
      `${entityKey(from)} ${holds ? "" : "no longer "}${relation} ${entityKey(to)}`,
  );
}

describe("the subject of a line that nobody asked for", () => {
  test.each([
    [`[instance: ${server}] VM Resumed (Lifecycle Event)`, `server:${server}`, []],
    [
      `Port ${port} updated. Details: {'network_id': '${network}', 'admin_state_up': True}`,
      `port:${port}`,
      [`mentioned network:${network}`],
    ],
    [
      `Port ${port} updated. Details: {'network_id': u'${network}', 'device_owner': u'network:dhcp'}`,
      `network:${network}`,
      [`mentioned port:${port}`],
    ],
    [
      `Nova event response: {u'tag': u'${port}', u'server_uuid': u'${server}', u'code': 200}`,
      `server:${server}`,
      [`mentioned resource:${port}`],
    ],
    [`Ports set([u'${port}']) removed`, `resource:${port}`, []],
    [`GET /v2.0/routers/${port} status=200 time=0.1`, `router:${port}`, []],
    [`{"method":"push","ids":["${port}","${server}"]}`, "component:nova-compute", undefined],
    ["tool: server web-1 is ACTIVE...great!", "name:web-1", ["alias name:web-1"]],
    ["Removed port-group 'edge router'", "name:port-group", ["alias name:port-group"]],
    [
      `Removed port ${port} on router web-router`,
      "name:web-router",
      [`mentioned port:${port}`, "alias name:web-router"],
    ],
    ["Added floating IP 203.0.113.9 to it", "ip:203.0.113.9", ["alias ip:203.0.113.9"]],
    ["GET /v2.0/networks/web-net status=404 time=0.1", "name:web-net", ["alias:network name:web-net"]],
    ["Connecting to 203.0.113.9:5672 at http://203.0.113.9/ failed", "component:nova-compute", []],
    ["Refreshing v2.1.0 of /etc/nova/nova.conf with --force in 3.5s", "component:nova-compute", []],
    ["port_unbound(): net_uuid None", "component:nova-compute", []],
    ["Device tapd6d70704-15 has no port security", "component:nova-compute", []],
  ])("%s is about %s", (message, subject, related) => {
    const draft = eventOf(shipped(message));
    expect(entityKey(draft.subject)).toBe(subject);
    if (related !== undefined) expect(relatedOf(draft)).toEqual(related);
    expect(draft.platform).toBeUndefined();
  });

  test("Heat's stack is told by id and name, and the fact says so", () => {
    const line = shipped(`[web-tier(${server})] update traversal ${port} complete`, "nobody", {
      logger: "heat.engine.stack",
    });
    expect(entityKey(eventOf(line).subject)).toBe(`stack:${server}`);
    expect(factsOf(line)).toEqual([`stack:${server} named name:web-tier`]);
  });

  test("only what is known to speak of a host or service itself is the provider's own", () => {
    const ofTracker = { logger: "nova.compute.resource_tracker" };
    expect(
      eventOf(shipped("Final resource view: name=compute-01 used_vcpus=0", "nobody", ofTracker)).platform,
    ).toBe(true);
    expect(eventOf(shipped("Something else", "nobody", ofTracker)).platform).toBeUndefined();
    // A request's line is of whoever asked, even where its code speaks of the host.
    expect(
      eventOf(shipped("Final resource view: name=compute-01", "request", ofTracker)).platform,
    ).toBeUndefined();
  });
});

describe("a call", () => {
  const call = (message: string, more?: JsonObject) => shipped(message, "request", more);

  test.each([
    [`GET /v2.1/${project}/servers/${server} status=200`, [`mentioned server:${server}`]],
    [
      `127.0.0.1 "DELETE /v2.1/servers/${server} HTTP/1.1" status: 204 len: 4`,
      [`mentioned server:${server}`],
    ],
    [`POST http://127.0.0.1:8776/v3/${project}/volumes/${volume}/action`, [`mentioned volume:${volume}`]],
    [
      `http://127.0.0.1:8776/v3/${project}/volumes/${volume} returned with HTTP 202`,
      [`mentioned volume:${volume}`],
    ],
    [`GET /v2.1/${project} status=200`, []],
    [`GET /v2.0/ports?device_id=${server}&tenant_id=${project} status=200`, [`mentioned resource:${server}`]],
    [`GET /v2.0/security-groups?id=${port}&fields=id status=200`, [`mentioned security_group:${port}`]],
    [`PUT /placement/allocations/${server} status: 204`, [`mentioned resource:${server}`]],
    [`GET /v2.0/networks/web%20net status=404`, ["named name:web net"]],
    ["GET /v2.0/networks?name=web-net status=200", ["named name:web-net"]],
    [
      `POST /v2.1/${project}/servers/${server}/os-volume_attachments status=200`,
      [`mentioned server:${server}`],
    ],
    [
      `DELETE /v2.1/servers/${server}/os-volume_attachments/${volume} status=202`,
      [`mentioned server:${server}`, `mentioned volume:${volume}`],
    ],
    ["GET /v2/schemas/image status=200", []],
  ])("%s speaks of %j", (message, related) => {
    const draft = eventOf(call(message));
    expect(entityKey(draft.subject)).toBe(`request:${requestId}`);
    expect(relatedOf(draft)).toEqual([`caller user:${user}`, ...related]);
  });

  test("a project's id is never said to own anything, and is what a call of Keystone's is about", () => {
    const draft = eventOf(call(`DELETE /v3/projects/${server.replaceAll("-", "")} status=204`));
    expect(relatedOf(draft)).toContain(`mentioned project:${server.replaceAll("-", "")}`);
    expect(draft.stated).toBeUndefined();
    expect(factsOf(call(`GET /v2.1/${project}/servers/${server} status=200`))).toEqual([
      `server:${server} used_by user:${user}`,
    ]);
  });

  test("names of a path were used by the caller, words of a text were not", () => {
    expect(factsOf(call("GET /v2.0/routers/web-router status=404"))).toEqual([
      `name:web-router used_by user:${user}`,
    ]);
    expect(factsOf(call("Instance web-1 could not be found."))).toEqual([]);
    expect(factsOf(call("GET /v2.1/flavors/m1.tiny status=200"))).toEqual([]);
  });

  test.each([
    `GET /v2.1/servers/${server} status=404`,
    `GET /v2.1/servers/${server} status=403`,
    `POST /v2.1/servers/${server}/action status=415`,
    `GET http://192.0.2.1:8774/v2.1/servers/${server}`,
    `GET /v2.0/ports?device_id=${server} status=200`,
    `GET /v2.1/servers?id=${server} status=200`,
    `Instance ${server} could not be found.`,
    `HTTP exception thrown: Server ${server} is locked.`,
    // Others than its owner may read what is shared with them.
    `GET /v2.0/networks/${server} status=200`,
  ])("%s proves no use: anybody may ask", (message) => {
    expect(factsOf(call(message, { src: "nova/nova-api" }))).toEqual([]);
  });

  test("what was done, or was only in a wrong state, was used", () => {
    expect(factsOf(call(`PUT /v2.0/networks/${server} status=200`))).toEqual([
      `network:${server} used_by user:${user}`,
    ]);
    expect(factsOf(call(`DELETE /v2.1/servers/${server} status=409`))).toEqual([
      `server:${server} used_by user:${user}`,
    ]);
  });

  test("what a call speaks of is told once an hour, whenever in it", () => {
    const at = (ts: string) => observe(call(`GET /v2.1/servers/${server} status=200`, { ts })).facts;
    expect(at("2026-11-21T02:59:59.999Z")).toEqual(at("2026-11-21T02:00:00.000Z"));
    expect(at("2026-11-21T03:00:00.000Z")).not.toEqual(at("2026-11-21T02:00:00.000Z"));
  });
});

describe("roles", () => {
  const admin = (message: string) =>
    shipped(message, "request", { user_id: "ea861c65cba446709981176f922d859a", src: "keystone/keystone" });
  const role = "9fe2ff9ee4384b1894a90878d3e92bab";
  const path = `/v3/projects/${project}/users/${user}/roles/${role}`;

  test.each([
    [`PUT http://127.0.0.1:5000${path}`, [`user:${user} works_in project:${project}`]],
    [`"PUT ${path} HTTP/1.1" status: 204`, [`user:${user} works_in project:${project}`]],
    [`"PUT ${path} HTTP/1.1" status: 403`, []],
    [`"GET ${path} HTTP/1.1" status: 204`, []],
    // Before Keystone has checked who asks, a role that is taken is a claim.
    [`DELETE ${path}`, []],
    [`"DELETE ${path} HTTP/1.1" status: 403`, []],
    [`"DELETE ${path} HTTP/1.1" status: 204`, [`user:${user} no longer works_in project:${project}`]],
    [`DELETE /v3/groups/${role}/users/${user}`, []],
    [`PUT /v3/domains/default/groups/${user}/roles/${role}`, [`group:${user} works_in domain:default`]],
    [
      `PUT /v3/OS-INHERIT/domains/${project}/users/${user}/roles/${role}/inherited_to_projects`,
      [`user:${user} works_in domain:${project}`],
    ],
    [`PUT /v3/groups/${role}/users/${user}`, [`user:${user} member_of group:${role}`]],
    [`PUT /v3/projects/${project}/tags/${user}/roles/${role}`, []],
  ])("%s says %j", (message, facts) => {
    expect(factsOf(admin(message)).filter((fact) => !fact.includes("used_by"))).toEqual(facts);
  });
});

describe("where a server runs", () => {
  const spawned = `[instance: ${server}] Took 2.41 seconds to spawn the instance on the hypervisor.`;

  test("is told by the compute service that started it, where the record tells whose line it is", () => {
    expect(factsOf(shipped(spawned, "request", { host: "compute-01" }))).toContain(
      `server:${server} runs_on host:compute-01`,
    );
    expect(factsOf(shipped(spawned, "request")).join()).not.toContain("runs_on");
    expect(
      factsOf(
        shipped(`[instance: ${server}] Terminating instance`, "request", { host: "compute-01" }),
      ).join(),
    ).not.toContain("runs_on");
  });
});

test("whatever a line says, it is one event, whose facts speak of its own caller only", () => {
  const piece = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 20 }),
    fc.constantFrom(
      "[instance: ",
      "] ",
      "GET /v2.1/",
      "/servers/",
      "Port ",
      "'network_id': '",
      "...",
      "net-id=",
      " status=200",
    ),
    fc.constantFrom(server, port, project, user, "web-1", "10.0.0.5", "%", "%zz", "?name=", "volume-"),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.boolean(), (pieces, isRequest) => {
      const { events, facts } = observe(shipped(`x${pieces.join("")}`, isRequest ? "request" : "nobody"));
      expect(events).toHaveLength(1);
      expect(events[0]!.subject.id).not.toBe("");
      const callers = facts.filter(({ relation }) => relation === "used_by").map(({ to }) => to.id);
      expect(new Set(callers).size).toBeLessThanOrEqual(isRequest ? 1 : 0);
      expect(callers.every((id) => id === user)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
