import { describe, expect, test } from "vitest";
import { edgeOf, fires, minuteAt, resolves, toldAt } from "../../test/alert-events.ts";
import { duration } from "../model/instant.ts";
import type { MaintenanceWindow } from "../model/maintenance.ts";
import type { Correlatable } from "./correlatable.ts";
import { expectedBy } from "./expected.ts";
import { seriesKey } from "./alert-signal.ts";
import { toldWindows } from "./told-windows.ts";

const work = (fields: Partial<MaintenanceWindow> = {}): MaintenanceWindow => ({
  id: "mnt_a",
  title: "New firmware",
  from: minuteAt(0),
  to: minuteAt(60),
  controlPlane: "cloud",
  on: [{ kind: "host", id: "a" }],
  by: "someone",
  why: "due",
  ...fields,
});
const says = (event: Correlatable, edges: readonly string[] = [], windows = [work()]) =>
  expectedBy(windows, event, edges.map(edgeOf))?.says;

describe("planned work makes expected", () => {
  test("what happens to its thing and to what stands on that then, and says so in words", () => {
    expect(says(fires(5, "host:a"))).toBe(
      "expected: planned work “New firmware” on host a, from 2026-11-19T00:00Z until 2026-11-19T01:00Z",
    );
    const edges = ["port:p attached_to server:s", "server:s runs_on host:a", "floating_ip:f bound_to port:p"];
    expect(says(fires(5, "floating_ip:f"), edges)).toContain("on host a, which it stood on");
    expect(says(fires(5, "server:s"))).toBeUndefined();
  });

  test("not what the thing stands on, nor its neighbours, nor a host whose server is worked on", () => {
    const onServer = [work({ on: [{ kind: "server", id: "s" }] })];
    expect(says(fires(5, "host:a"), ["server:s runs_on host:a"], onServer)).toBeUndefined();
    const edges = ["server:s runs_on host:a", "server:t runs_on host:a"];
    expect(says(fires(5, "server:t"), edges, onServer)).toBeUndefined();
  });

  test("what happens from its first to before its last moment, as well as times are known", () => {
    const exact = { precision: duration(0) };
    const at = (minutes: number) => says(fires(minutes, "host:a", "HostDown", exact)) !== undefined;
    expect([at(-0.01), at(0), at(59.99), at(60)]).toEqual([false, true, true, false]);
    expect(says(fires(-0.5, "host:a"))).toBeDefined();
  });

  test("nothing in another cloud, nothing once it is cancelled, and nothing of an edition without a cloud", () => {
    expect(says(fires(5, "host:a", "HostDown", { controlPlane: "other" }))).toBeUndefined();
    expect(says(fires(5, "host:a"), [], [work({ cancelledAt: minuteAt(1) })])).toBeUndefined();
    const { controlPlane: _none, ...edition } = fires(5, "host:a");
    expect(says(edition)).toBeUndefined();
  });

  test("what bears a name alone where the topology tells the bearer, and what a record says is on the host", () => {
    expect(says(fires(5, "hostname:a"))).toBeUndefined();
    expect(says(fires(5, "hostname:a"), ["host:a named hostname:a"])).toBeUndefined();
    expect(says(fires(5, "hostname:a"), ["host:a known_as hostname:a"])).toBeDefined();
    const on = (role: string) =>
      says(fires(5, "service:x", "HostDown", { related: [{ role, ref: { kind: "host", id: "a" } }] }));
    expect([on("host"), on("labelled_host")].map((text) => text !== undefined)).toEqual([true, false]);
  });

  test("a region's servers through their project and domain, and a server through its volume's backend", () => {
    const region = [work({ on: [{ kind: "region", id: "r" }] })];
    const owned = ["server:s owned_by project:p", "project:p part_of domain:d", "domain:d part_of region:r"];
    expect(says(fires(5, "server:s"), owned, region)).toContain("on region r");
    const backend = [work({ on: [{ kind: "backend", id: "ceph" }] })];
    const stored = ["volume:v attached_to server:s", "volume:v stored_on backend:ceph"];
    expect(says(fires(5, "server:s"), stored, backend)).toContain("on backend ceph");
  });

  test("names the nearest of several, and of one thing the work that began last", () => {
    const windows = [
      work({ id: "mnt_1", title: "Racks", on: [{ kind: "aggregate", id: "az" }] }),
      work({ id: "mnt_2", title: "Older" }),
      work({ id: "mnt_3", title: "Newer", from: minuteAt(2) }),
    ];
    expect(says(fires(5, "host:a"), ["host:a member_of aggregate:az"], windows)).toContain("Newer");
  });
});

describe("sources tell of work", () => {
  const post = (minutes: number, state: string, fields: Partial<Correlatable> = {}) =>
    toldAt(minutes, "component:status.example", {
      type: `status.maintenance.${state}`,
      kind: state === "scheduled" ? "activity" : "change",
      category: "platform",
      connection: "carrier",
      details: {
        incident: "Fibre works",
        incident_id: "i1",
        scheduled_for: "2026-11-19T01:00:00Z",
        scheduled_until: "2026-11-19T02:00:00Z",
      },
      related: [{ role: "affected", ref: { kind: "component", id: "status.example/north" } }],
      ...fields,
    });

  test("a status page's announcement is a window on the components that it names", () => {
    const [window, ...others] = toldWindows([post(-500, "scheduled")]);
    expect(others).toEqual([]);
    expect(window).toMatchObject({
      title: "Fibre works",
      from: minuteAt(60),
      to: minuteAt(120),
      on: [{ kind: "component", id: "status.example/north" }],
      told: { by: "status-page", connection: "carrier" },
    });
    const event = toldAt(70, "component:status.example/north", { connection: "carrier" });
    expect(expectedBy([window!], event, [])?.says).toContain(
      "maintenance “Fibre works” that carrier announced",
    );
    expect(
      expectedBy([window!], { ...event, subject: { kind: "component", id: "status.example" } }, []),
    ).toBeUndefined();
  });

  test("work that begins late and ends early is as long as it was, in whatever order the posts are read", () => {
    const posts = [
      post(-500, "scheduled"),
      post(65, "in_progress"),
      post(70, "verifying"),
      post(90, "completed"),
    ];
    for (const order of [posts, posts.toReversed()])
      expect(toldWindows(order)).toMatchObject([{ from: minuteAt(65), to: minuteAt(90) }]);
  });

  test("a silence is about one alert until that ends", () => {
    const kept = fires(10, "host:a", "HostDown", {
      type: "alert.hostdown.suppressed",
      kind: "activity",
      details: { labels: { alertname: "HostDown" }, silenced_by: ["s-1"], starts_at: "2026-11-19T00:05:00Z" },
      precision: duration(300_000),
    });
    const inhibited = { ...kept, id: "evt_inhibited", details: { ...kept.details, silenced_by: [] } };
    const began = fires(5, "host:a");
    expect(toldWindows([began, inhibited])).toEqual([]);
    const [window] = toldWindows([began, kept, resolves(30, "host:a")]);
    expect(window).toMatchObject({ from: minuteAt(5), to: minuteAt(30) + 1, told: { by: "silence" } });
    const ask = (event: Correlatable) =>
      expectedBy([window!], { ...event, series: seriesKey(event)! }, [])?.says;
    expect(ask(began)).toContain("silence s-1 in alertmanager");
    expect(ask(fires(6, "host:a", "DiskFull"))).toBeUndefined();
  });

  const disabled = (minutes: number, state: string, fields: Partial<Correlatable> = {}) =>
    toldAt(minutes, "service:nova-compute@a", {
      type: "compute.service.update",
      kind: "change",
      category: "platform",
      connection: "nova",
      summary: "Service nova-compute on a: disabled (new firmware)",
      changes: [{ field: "state", before: null, after: state }],
      details: { disabled_reason: "new firmware" },
      ...fields,
    });

  test("a compute service that somebody disabled makes its host's events expected until it is enabled", () => {
    const windows = toldWindows([disabled(0, "disabled"), disabled(3, "disabled"), disabled(30, "enabled")]);
    expect(windows).toMatchObject([
      { from: minuteAt(0), to: minuteAt(30), title: "service disabled (new firmware)" },
    ]);
    expect(expectedBy(windows, fires(5, "server:s"), [edgeOf("server:s runs_on host:a")])?.says).toBe(
      "expected: service disabled (new firmware), as nova tells, on host a, which it stood on, from 2026-11-19T00:00Z until 2026-11-19T00:30Z",
    );
  });

  test("what Nova disables by itself, what is forced down and what is no compute service is not planned", () => {
    expect(
      toldWindows([disabled(0, "disabled", { details: { disabled_reason: "AUTO: libvirt is gone" } })]),
    ).toEqual([]);
    expect(toldWindows([disabled(0, "disabled, forced down")])).toEqual([]);
    const scheduler = { subject: { kind: "service", id: "nova-scheduler@a" } };
    expect(toldWindows([disabled(0, "disabled", scheduler)])).toEqual([]);
    expect(toldWindows([disabled(0, "enabled")])).toEqual([]);
  });
});
