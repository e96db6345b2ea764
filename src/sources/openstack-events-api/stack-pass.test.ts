import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant } from "../../model/instant.ts";
import type { Hole } from "../../model/source-health.ts";
import { openstackEventsApi } from "../openstack-events-api.ts";
import type { EventsApiCursor } from "./events-cursor.ts";
import { keysOf, minute, pass, shop, SimulatedCloud, start, caller } from "../../../test/simulated-cloud.ts";

describe("stacks", () => {
  test("the owner is the stack's project, never that of whoever asks or made it", async () => {
    const cloud = new SimulatedCloud();
    cloud.addStack("web");
    cloud.addStack("other", "07be400000000000000000000000bbbb");
    const { drafts } = await pass(cloud);
    expect(drafts.map(({ stated }) => stated?.owner.id)).toEqual([shop, "07be400000000000000000000000bbbb"]);
    expect(JSON.stringify(drafts)).not.toContain(caller);
    expect(drafts.map(({ actor }) => actor)).toEqual([undefined, undefined]);
  });

  test("the listing of all projects is used where Heat allows it, and its own listing where not", async () => {
    const cloud = new SimulatedCloud();
    cloud.addStack("web");
    expect(keysOf(await pass(cloud))).toHaveLength(1);
    expect(cloud.requests.filter((one) => one.includes("global_tenant"))).toHaveLength(1);
    cloud.isGlobal = true;
    cloud.requests.length = 0;
    await pass(cloud);
    expect(cloud.requests.filter((one) => one.includes("global_tenant"))).toHaveLength(2);
  });

  test("a resource is related to the thing behind it, by the type that its own event keeps", async () => {
    const cloud = new SimulatedCloud();
    const stack = cloud.addStack("web");
    cloud.addEvent(stack);
    const { drafts } = await pass(cloud);
    expect(drafts.at(-1)?.related).toEqual([
      { role: "resource", ref: { kind: "network", id: "60fe8658-b1f1-4398-944b-a80b1657a0d4" }, name: "net" },
    ]);
  });

  test("the events of a deleted stack are read, and it is forgotten when nothing can follow", async () => {
    const cloud = new SimulatedCloud();
    const stack = cloud.addStack("web");
    const first = await pass(cloud);
    cloud.now += minute;
    Object.assign(stack, { status: "DELETE_COMPLETE", deletedAt: cloud.now });
    const end = cloud.addEvent(stack, { resource_status: "DELETE_COMPLETE", physical_resource_id: "web" });
    const second = await pass(cloud, first.cursor);
    expect(keysOf(second)).toContain(end);
    cloud.now += 5 * minute;
    const third = await pass(cloud, second.cursor);
    cloud.requests.length = 0;
    cloud.now += 5 * minute;
    const fourth = await pass(cloud, third.cursor);
    expect([third.cursor.stacks, fourth.drafts, fourth.holes]).toEqual([{}, [], []]);
    expect(cloud.requests.filter((one) => one.includes("/events"))).toEqual([]);
  });

  test("a stack that is purged with its end unread leaves a hole, but only when two listings lack it", async () => {
    const cloud = new SimulatedCloud();
    cloud.addStack("web");
    const first = await pass(cloud);
    cloud.stacks.clear();
    cloud.now += minute;
    const second = await pass(cloud, first.cursor);
    cloud.now += minute;
    const third = await pass(cloud, second.cursor);
    expect(second.holes).toEqual([]);
    expect(third.holes).toMatchObject([{ from: start, to: start + 2 * minute, reason: "place-lost" }]);
    expect(third.cursor.stacks).toEqual({});
  });

  test("what was pruned before it was read is a hole from the last event read to the oldest kept", async () => {
    const cloud = new SimulatedCloud();
    const stack = cloud.addStack("web");
    for (let count = 0; count < 3; count += 1) cloud.addEvent(stack);
    const first = await pass(cloud);
    expect(first.holes).toEqual([]);
    cloud.now += 10 * minute;
    stack.events.splice(0);
    const kept = cloud.addEvent(stack);
    const second = await pass(cloud, first.cursor);
    expect(keysOf(second)).toEqual([kept]);
    expect(second.holes).toMatchObject([
      { from: start - 10_000, to: start + 10 * minute + 11_000, reason: "place-lost" },
    ]);
    expect(second.findings.map(({ code }) => code)).toEqual(["place-lost"]);
    cloud.now += 10 * minute;
    expect((await pass(cloud, second.cursor)).holes).toEqual([]);
  });

  test("a stack whose beginning was pruned before it was ever seen is told as outlived", async () => {
    const cloud = new SimulatedCloud();
    const stack = cloud.addStack("web");
    cloud.now += 10 * minute;
    stack.events.splice(0);
    cloud.addEvent(stack);
    const { holes } = await pass(cloud);
    expect(holes).toMatchObject([
      { from: start - 10_000, to: start + 10 * minute + 11_000, reason: "outlived-retention" },
    ]);
  });

  test("one stack that cannot be read holds up no other, and is read when it can be", async () => {
    const cloud = new SimulatedCloud();
    cloud.addStack("broken");
    const lost = [...cloud.stacks.values()][0]!.events[0]!.id;
    cloud.addStack("web");
    cloud.broken = (path) => (path.includes("/broken/") ? 500 : undefined);
    const first = await pass(cloud, undefined, { services: ["orchestration"] });
    expect(keysOf(first)).toHaveLength(1);
    expect(first.completeTo).toBeUndefined();
    cloud.broken = () => undefined;
    cloud.now += minute;
    const second = await pass(cloud, first.cursor, { services: ["orchestration"] });
    expect(keysOf(second)).toContain(lost);
    expect(second.completeTo).toBeDefined();
  });

  test("a signal, which changes nothing in the listing, is found by the next full pass, and complete means that one", async () => {
    const cloud = new SimulatedCloud();
    const stack = cloud.addStack("web");
    stack.status = "CREATE_COMPLETE";
    const first = await pass(cloud);
    cloud.now += 2 * minute;
    const second = await pass(cloud, first.cursor);
    cloud.now += minute;
    const signal = cloud.addEvent(stack, { resource_status: "SIGNAL_COMPLETE" });
    cloud.now += minute;
    const third = await pass(cloud, second.cursor);
    expect(keysOf(third)).not.toContain(signal);
    expect(third.completeTo).toBe(first.completeTo);
    cloud.now += 2 * minute;
    const fourth = await pass(cloud, third.cursor);
    expect(keysOf(fourth)).toContain(signal);
    expect(fourth.completeTo).toBe(cloud.now - 65_000);
  });

  test("reading again from a moment gives the events since then under the same keys, and nothing of Octavia", async () => {
    const cloud = new SimulatedCloud();
    const stack = cloud.addStack("web");
    cloud.now += 10 * minute;
    const since = instant(cloud.now);
    cloud.addEvent(stack);
    const main = await pass(cloud);
    cloud.requests.length = 0;
    const again = openstackEventsApi.startAt!({}, since, main.cursor);
    const read = await pass(cloud, again);
    expect(keysOf(read)).toEqual(keysOf(main).slice(1));
    expect(read.holes).toEqual([]);
    expect(cloud.requests.filter((one) => one.includes("lbaas"))).toEqual([]);
  });

  const step = fc.record({
    what: fc.constantFrom("event", "late", "stack", "delete", "prune", "pass", "crash"),
    pick: fc.nat(20),
    ms: fc.integer({ min: 0, max: 40_000 }),
  });

  test("whatever is late, ties, is paged, interrupted or pruned: each event is told, or lies in a hole", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom(2, 3, 1000),
        fc.constantFrom(1, 4, 2000),
        async (steps, page_size, records_max) => {
          const cloud = new SimulatedCloud();
          const config = { page_size, records_max, full_every_seconds: 0, services: ["orchestration"] };
          const all = new Map<string, number>();
          const told = new Set<string>();
          const holes: Hole[] = [];
          const pruned = new Set<string>();
          let cursor: EventsApiCursor | undefined;
          const read = async (from: EventsApiCursor | undefined) => {
            const passed = await pass(cloud, from, config);
            for (const key of keysOf(passed)) told.add(key);
            holes.push(...passed.holes);
            const untold = [...all].filter(
              ([key, at]) => !told.has(key) && !pruned.has(key) && at < (passed.completeTo ?? 0),
            );
            expect(untold).toEqual([]);
            return passed.cursor;
          };
          const note = (key: string, at: number) => all.set(key, Math.floor(at / 1000) * 1000);
          for (const { what, pick, ms } of steps) {
            cloud.now += ms;
            const stacks = [...cloud.stacks.values()];
            const stack = stacks[pick % Math.max(stacks.length, 1)];
            if (what === "pass") cursor = await read(cursor);
            // What was read is stored, and the place is not: it is read again.
            else if (what === "crash") await read(cursor);
            else if (what === "stack" || stack === undefined) {
              const made = cloud.addStack(`stack-${stacks.length}`);
              note(made.events[0]!.id, cloud.now);
            } else if (stack.deletedAt !== null) continue;
            else if (what === "event") note(cloud.addEvent(stack), cloud.now);
            // Another engine's clock is behind, as far as the contract allows.
            else if (what === "late") note(cloud.addEvent(stack, {}, cloud.now - 5_000), cloud.now - 5_000);
            else if (what === "delete") {
              note(cloud.addEvent(stack, { resource_status: "DELETE_COMPLETE" }), cloud.now);
              Object.assign(stack, { status: "DELETE_COMPLETE", deletedAt: cloud.now });
            } else {
              // Heat prunes as it writes: the oldest ones, and never the newest.
              const count = Math.min(1 + (pick % 4), stack.events.length - 1);
              for (const { id } of stack.events.splice(0, count)) pruned.add(id);
            }
          }
          cloud.now += 2 * minute;
          cursor = await read(cursor);
          cloud.now += 2 * minute;
          await read(cursor);
          const lost = [...all].filter(([key]) => !told.has(key));
          // Only what was pruned unread may be missing, and then a hole says so.
          for (const [key, at] of lost) {
            expect(pruned.has(key)).toBe(true);
            expect(holes.some(({ from, to }) => from <= at && at <= to)).toBe(true);
          }
          expect([...told].filter((key) => !all.has(key))).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("stacks that are made while the listing is read move no other past its pages", async () => {
    const cloud = new SimulatedCloud();
    for (let count = 0; count < 250; count += 1) cloud.addStack(`stack-${count}`);
    let made = 0;
    cloud.afterRequest = () => {
      cloud.now += 10;
      if (made < 60) cloud.addStack(`new-${(made += 1)}`);
    };
    const { drafts } = await pass(cloud, undefined, { records_max: 40, services: ["orchestration"] });
    expect(new Set(drafts.map(({ subject }) => subject.id)).size).toBe(310);
    expect(drafts).toHaveLength(310);
  });
});
