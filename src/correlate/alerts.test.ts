import { describe, expect, test } from "vitest";
import { breaks, edgeOf, fires, mends, minuteAt, resolves } from "../../test/alert-events.ts";
import { duration } from "../model/instant.ts";
import type { WorkWindow } from "../model/maintenance.ts";
import type { BlindSpan } from "./alert-watch.ts";
import { judgeAlerts } from "./alerts.ts";
import type { Correlatable } from "./correlatable.ts";
import { indexStanding } from "./stands-on.ts";

const nothing = indexStanding([]);

function judge(
  events: readonly Correlatable[],
  fields: Partial<Parameters<typeof judgeAlerts<Correlatable>>[0]> = {},
) {
  const groups = judgeAlerts({
    events,
    from: minuteAt(0),
    now: minuteAt(120),
    standing: () => nothing,
    windows: [],
    blind: [],
    split: new Set(),
    changes: [],
    ...fields,
  });
  return groups.flatMap(({ alerts }) => alerts);
}
const states = (...given: Parameters<typeof judge>) => judge(...given).map(({ state }) => state);
const deaf = (from: number, to?: number): BlindSpan => ({
  monitor: "alertmanager",
  from: minuteAt(from),
  ...(to === undefined ? {} : { to: minuteAt(to) }),
  says: "nothing was heard of alertmanager",
});
const work: WorkWindow = {
  id: "mnt_a",
  title: "New firmware",
  from: minuteAt(0),
  to: minuteAt(60),
  controlPlane: "cloud",
  on: [{ kind: "host", id: "a" }],
  by: "someone",
  why: "due",
};

test("an alert fires until it is resolved, as of the end of the window", () => {
  const events = [fires(5, "host:a"), resolves(50, "host:a")];
  expect(states(events)).toEqual(["resolved"]);
  expect(states(events, { now: minuteAt(40) })).toEqual(["firing"]);
  expect(judge(events, { from: minuteAt(51) })).toEqual([]);
});

test("an alert that arrives late changes what is said as if it had come in time", () => {
  const events = [fires(5, "host:a"), resolves(50, "host:a"), breaks(6, "host:a"), mends(60, "host:a")];
  const late = [events[3]!, events[1]!, events[0]!, events[2]!];
  expect(judge(late)).toEqual(judge(events));
  expect(judge(events)).toMatchObject([{ from: minuteAt(5), to: minuteAt(60) }]);
});

test("the severity is the worst that is not over, and of what is over the worst", () => {
  const events = [
    fires(5, "host:a", "HostDown", { severity: "critical" }),
    resolves(20, "host:a"),
    breaks(6, "host:a", undefined, { severity: "error" }),
  ];
  expect(judge(events)).toMatchObject([{ severity: "error", state: "firing" }]);
  expect(judge([...events, mends(30, "host:a")])).toMatchObject([
    { severity: "critical", state: "resolved" },
  ]);
});

test("a series that turns and turns is flapping, also between two of its alerts, and rests later", () => {
  const events = Array.from({ length: 8 }, (_, nth) => [
    fires(nth * 12, "host:a"),
    resolves(nth * 12 + 6, "host:a"),
  ]).flat();
  const rested = Array.from({ length: 7 }, () => "resolved");
  expect(states(events, { now: minuteAt(95) })).toEqual([...rested, "flapping"]);
  expect(states(events, { now: minuteAt(400) })).toEqual([...rested, "resolved"]);
  const twice = [fires(5, "host:a"), resolves(6, "host:a"), fires(8, "host:a")];
  expect(states(twice)).toEqual(["resolved", "firing"]);
});

describe("work that was known of", () => {
  test("makes an open alert expected, in words, and hides nothing", () => {
    const edges = indexStanding([edgeOf("server:s runs_on host:a")]);
    const [alert, ...others] = judge([breaks(5, "server:s")], { windows: [work], standing: () => edges });
    expect(others).toEqual([]);
    expect(alert).toMatchObject({ state: "expected", severity: "warning" });
    expect(alert!.members[0]!.expected?.says).toContain("planned work “New firmware” on host a");
  });

  test("says so of what is resolved too, and not of what came after it", () => {
    const events = [
      fires(5, "host:a"),
      resolves(50, "host:a"),
      fires(61, "host:a", "HostDown", { precision: duration(0) }),
    ];
    const alerts = judge(events, { windows: [work] });
    expect(alerts.map(({ state, members }) => [state, members[0]!.expected !== undefined])).toEqual([
      ["resolved", true],
      ["firing", false],
    ]);
  });

  test("never makes an alert look expected that another monitor tells of outside it", () => {
    const events = [fires(59, "host:a"), breaks(62, "host:a")];
    expect(states(events, { windows: [work] })).toEqual(["firing"]);
  });
});

describe("nobody knows", () => {
  test("of an alert whose monitor fell silent after it, whether it lasts", () => {
    const events = [fires(5, "host:a")];
    expect(judge(events, { blind: [deaf(30)] })).toMatchObject([
      {
        state: "unknown",
        members: [
          {
            unknown:
              "nothing was heard of alertmanager since 2026-11-19T00:30Z, so nobody knows whether it lasted",
          },
        ],
      },
    ]);
    expect(states(events, { blind: [deaf(30)], now: minuteAt(20) })).toEqual(["firing"]);
    expect(states(events, { blind: [{ ...deaf(30), monitor: "zabbix" }] })).toEqual(["firing"]);
    expect(states([...events, resolves(20, "host:a")], { blind: [deaf(30)] })).toEqual(["resolved"]);
  });

  test("of an alert whose recovery may lie in a hole, and of none that was told of after the hole", () => {
    expect(states([fires(5, "host:a")], { blind: [deaf(10, 20)] })).toEqual(["unknown"]);
    expect(states([fires(25, "host:a")], { blind: [deaf(10, 20)] })).toEqual(["firing"]);
  });

  test("from missing measurements whether anything is down: they are no duplicate of what is", () => {
    const events = [breaks(5, "host:a", "No data for 10m"), fires(6, "host:a")];
    expect(states(events)).toEqual(["unknown", "firing"]);
    expect(states([events[0]!, mends(9, "host:a", "No data for 10m")])).toEqual(["resolved"]);
  });

  test("of a monitor without its heartbeat, neither that its alerts last nor that they are over", () => {
    const beat = { labels: { alertname: "Watchdog" } };
    const events = [
      fires(0, "component:prometheus", "Watchdog", beat),
      fires(5, "host:a"),
      fires(6, "host:b"),
      resolves(33, "host:b"),
      resolves(10, "host:c"),
      resolves(30, "component:prometheus", "Watchdog", beat),
    ];
    const bySubject = (given: readonly Correlatable[]) =>
      Object.fromEntries(judge(given).map(({ thing, state }) => [thing.id, state]));
    expect(bySubject(events)).toEqual({ a: "unknown", b: "unknown", c: "resolved" });
    const back = [...events, fires(40, "component:prometheus", "Watchdog", beat)];
    expect(bySubject(back)).toEqual({ a: "firing", b: "unknown", c: "resolved" });
    expect(judge(events).some(({ thing }) => thing.id === "prometheus")).toBe(false);
  });

  test("where one monitor is silent, but a second one tells that it lasts", () => {
    const events = [fires(5, "host:a"), breaks(6, "host:a")];
    expect(states(events, { blind: [deaf(30)] })).toEqual(["firing"]);
    expect(states([...events, mends(40, "host:a")], { blind: [deaf(30)] })).toEqual(["unknown"]);
  });
});

test("ids stay while more is told, and differ between alerts", () => {
  const first = fires(5, "host:a");
  const [before] = judge([first]);
  const after = judge([first, breaks(6, "host:a"), fires(7, "host:b")]);
  expect(after[0]!.id).toBe(before!.id);
  expect(after[0]!.id).toMatch(/^alt_[a-z2-7]{26}$/);
  expect(after[1]!.id).not.toBe(before!.id);
});
