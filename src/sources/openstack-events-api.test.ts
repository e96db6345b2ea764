import { describe, expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import type { JsonObject } from "../model/json.ts";
import { decoders } from "../normalise/decode.ts";
import { openstackEventsApi } from "./openstack-events-api.ts";
import type { Passed } from "../../test/simulated-cloud.ts";
import {
  auth,
  keysOf,
  minute,
  pass,
  seconds,
  shop,
  SimulatedCloud,
  start,
} from "../../test/simulated-cloud.ts";

const loadBalancer = "91882e65-f3a8-4b65-b8a7-5c9f9b901cbf";
const pool = "09890b28-2700-4ccb-af97-06b70c7a7938";

function object(id: string, more: JsonObject = {}): JsonObject {
  return {
    id,
    name: `the ${id}`,
    project_id: shop,
    provisioning_status: "ACTIVE",
    operating_status: "ONLINE",
    admin_state_up: true,
    created_at: "2026-11-21T03:00:00",
    updated_at: "2026-11-21T03:00:00",
    ...more,
  };
}

/** A load balancer with a pool of members. */
function balanced(members: number): SimulatedCloud {
  const cloud = new SimulatedCloud();
  const address = { vip_address: "10.0.0.5", vip_port_id: "p1", vip_network_id: "n1" };
  cloud.objects["/lbaas/loadbalancers"] = [object(loadBalancer, address)];
  cloud.objects["/lbaas/pools"] = [object(pool, { loadbalancers: [{ id: loadBalancer }] })];
  cloud.objects[`/lbaas/pools/${pool}/members`] = Array.from({ length: members }, (_, index) =>
    object(`member-${index}`, { address: `10.0.0.${20 + index}` }),
  );
  return cloud;
}

const membersOf = (cloud: SimulatedCloud): JsonObject[] => cloud.objects[`/lbaas/pools/${pool}/members`]!;
const octaviaOnly = { services: ["load-balancer"], page_size: 2 };

/** One pass a minute after the one before, with a change in between. */
async function after(cloud: SimulatedCloud, from: Passed, change: () => void = () => undefined) {
  cloud.now += minute;
  change();
  return pass(cloud, from.cursor, octaviaOnly);
}

describe("load balancers", () => {
  test("a member that goes offline is a symptom, and its coming back the recovery, each told once", async () => {
    const cloud = balanced(3);
    const first = await pass(cloud, undefined, octaviaOnly);
    const at = seconds(start + minute - 10_000).slice(0, 19);
    const offline = await after(cloud, first, () =>
      Object.assign(membersOf(cloud)[1]!, { operating_status: "OFFLINE", updated_at: at }),
    );
    const same = await after(cloud, offline);
    const online = await after(cloud, same, () =>
      Object.assign(membersOf(cloud)[1]!, { operating_status: "ONLINE" }),
    );
    expect([first.drafts, same.drafts]).toEqual([[], []]);
    expect(offline.drafts).toMatchObject([
      {
        type: "member.operating_status.offline",
        kind: "symptom",
        occurredAt: start + minute - 10_000,
        precision: 1000,
        stated: { owner: { kind: "project", id: shop }, path: "item.project_id" },
      },
    ]);
    // Nothing dates this one, so that it lies anywhere between the two listings.
    expect(online.drafts).toMatchObject([
      {
        type: "member.operating_status.online",
        kind: "recovery",
        occurredAt: start + 2 * minute,
        precision: minute,
      },
    ]);
  });

  test("what was switched off is no symptom, and neither is the first state of a new part", async () => {
    const cloud = balanced(1);
    const first = await pass(cloud, undefined, octaviaOnly);
    const second = await after(cloud, first, () => {
      Object.assign(membersOf(cloud)[0]!, { operating_status: "OFFLINE", admin_state_up: false });
      membersOf(cloud).push(
        object("new", { operating_status: "OFFLINE", created_at: "2026-11-21T04:00:30" }),
      );
    });
    expect(second.drafts.map(({ type, kind }) => `${kind} ${type}`)).toEqual([
      "change member.operating_status.offline",
      "change member.created",
    ]);
  });

  test("an error is a symptom even at first sight, and its end the recovery", async () => {
    const cloud = balanced(0);
    const [balancer] = cloud.objects["/lbaas/loadbalancers"]!;
    Object.assign(balancer!, { provisioning_status: "ERROR" });
    const first = await pass(cloud, undefined, octaviaOnly);
    const second = await after(cloud, first, () =>
      Object.assign(balancer!, { provisioning_status: "ACTIVE", updated_at: "2026-11-21T04:00:30" }),
    );
    expect([...first.drafts, ...second.drafts].map(({ type, kind }) => `${kind} ${type}`)).toEqual([
      "symptom load_balancer.provisioning_status.error",
      "recovery load_balancer.provisioning_status.active",
    ]);
  });

  test("a part is deleted when two complete listings lack it, and not when one does", async () => {
    const cloud = balanced(3);
    const first = await pass(cloud, undefined, octaviaOnly);
    const [member] = membersOf(cloud);
    const once = await after(cloud, first, () => void membersOf(cloud).shift());
    const back = await after(cloud, once, () => void membersOf(cloud).unshift(member!));
    const again = await after(cloud, back, () => void membersOf(cloud).shift());
    const gone = await after(cloud, again);
    const still = await after(cloud, gone);
    expect([once, back, again, still].flatMap(keysOf)).toEqual([]);
    expect(gone.drafts).toMatchObject([
      {
        key: "member:member-0:deleted",
        occurredAt: start + 2 * minute,
        precision: minute,
        stated: { owner: { id: shop }, path: "previous.project_id" },
      },
    ]);
    // Until it was confirmed, nothing was called complete beyond the listing that had it last.
    expect(again.completeTo).toBeLessThanOrEqual(gone.drafts[0]!.occurredAt);
  });

  test("a sudden drop is a finding, deletes nothing, and leaves the connection incomplete", async () => {
    const cloud = balanced(30);
    const first = await pass(cloud, undefined, octaviaOnly);
    const all = [...membersOf(cloud)];
    let drop = first;
    for (let count = 0; count < 3; count += 1) {
      drop = await after(cloud, drop, () => void membersOf(cloud).splice(5));
      expect(drop.drafts).toEqual([]);
      expect(drop.findings.map(({ code }) => code)).toEqual(["sudden-drop"]);
      expect(drop.completeTo).toBeUndefined();
    }
    const whole = await after(cloud, drop, () => void membersOf(cloud).push(...all.slice(5)));
    expect([whole.drafts, whole.findings]).toEqual([[], []]);
    expect(whole.completeTo).toBeDefined();
  });

  test("amphorae that only administrators may list are left out, and the rest is complete", async () => {
    const cloud = balanced(1);
    const { completeTo } = await pass(cloud, undefined, octaviaOnly);
    expect(completeTo).toBe(start - 65_000);
    expect(cloud.warnings.join()).toContain("amphorae");
  });

  test("a member's address, which anybody may write, is no fact", async () => {
    const cloud = balanced(1);
    const config = openstackEventsApi.config.parse({ auth, ...octaviaOnly });
    const { records } = await openstackEventsApi.fetch(config, undefined, cloud.io);
    const facts = records.flatMap((record) => openstackEventsApi.normalise(record, decoders).facts);
    const addresses = facts.filter(({ relation }) => relation === "has_address");
    expect(addresses.map(({ to }) => to.id)).toEqual(["10.0.0.5"]);
  });
});

describe("two services", () => {
  test.each([
    ["Heat", "/v1/", "lbaas", 3],
    ["Octavia", "/v2.0/", "stacks", 1],
  ])("without %s the other is read, and no place is lost", async (_name, away, _other, count) => {
    const cloud = balanced(2);
    cloud.addStack("web");
    const first = await pass(cloud);
    cloud.now += minute;
    cloud.addEvent(cloud.stacks.get("web")!);
    Object.assign(membersOf(cloud)[0]!, { operating_status: "ERROR" });
    Object.assign(membersOf(cloud)[1]!, { operating_status: "ERROR" });
    Object.assign(cloud.objects["/lbaas/pools"]![0]!, { operating_status: "ERROR" });
    cloud.broken = (path) => (path.startsWith(away) ? 503 : undefined);
    const second = await pass(cloud, first.cursor);
    const fresh = keysOf(second).filter((key) => !keysOf(first).includes(key));
    expect(fresh).toHaveLength(count);
    expect(second.completeTo).toBeUndefined();
    cloud.broken = () => undefined;
    cloud.now += minute;
    const third = await pass(cloud, second.cursor);
    const all = new Set([...keysOf(first), ...keysOf(second), ...keysOf(third)]);
    expect(all.size).toBe(keysOf(first).length + 4);
    expect(third.completeTo).toBeDefined();
  });

  test("when neither can be read the pass fails, and refused credentials fail it at once", async () => {
    const cloud = balanced(1);
    cloud.broken = () => 503;
    await expect(pass(cloud)).rejects.toMatchObject({ code: "source-unavailable" });
    cloud.broken = () => 401;
    await expect(pass(cloud)).rejects.toThrow(IsochronError);
    await expect(pass(cloud)).rejects.toMatchObject({ code: "source-denied" });
  });
});
