import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { alertsBegin, edgeOf, minuteAt, toldAt } from "../../test/alert-events.ts";
import { parseEntityKey } from "../model/entity.ts";
import { groupAlerts, stormGapMs, type Groupable } from "./alert-group.ts";
import type { Correlatable } from "./correlatable.ts";
import { indexStanding } from "./stands-on.ts";

const alertOn = (thing: string, minutes: number): Groupable => ({
  thing: parseEntityKey(thing),
  controlPlane: "cloud",
  at: alertsBegin + minutes * 60_000,
});
const group = (
  alerts: readonly Groupable[],
  edges: readonly string[],
  changes: readonly Correlatable[] = [],
) => {
  const index = indexStanding(edges.map(edgeOf));
  return groupAlerts(alerts, () => index, changes);
};
const serversOn = (host: string, count: number) =>
  Array.from({ length: count }, (_, index) => `server:${host}-${index} runs_on host:${host}`);
const change = (minutes: number, subject: string, summary: string, fields: Partial<Correlatable> = {}) =>
  toldAt(minutes, subject, {
    kind: "change",
    type: "host.changed",
    category: "platform",
    summary,
    ...fields,
  });

describe("a storm", () => {
  test("of forty alerts under one host is one group, and names what was changed before on the host", () => {
    const alerts = Array.from({ length: 40 }, (_, index) => alertOn(`server:a-${index}`, 30 + index / 10));
    const kernel = change(20, "host:a", "Host a: new kernel");
    const unrelated = change(29, "host:b", "Host b: new kernel");
    const later = change(31, "host:a", "Host a: restarted");
    const [storm, ...others] = group(
      alerts,
      [...serversOn("a", 40), ...serversOn("b", 3)],
      [later, unrelated, kernel],
    );
    expect(others).toEqual([]);
    expect(storm).toMatchObject({
      on: { kind: "host", id: "a" },
      cause: {
        event: { id: kernel.id },
        beforeMs: 600_000,
        says: "changed 10 min before: Host a: new kernel",
      },
      why: "all stood on host a then (40 servers were on it), which was changed before, none more than 10 min after the one before",
    });
    expect(storm!.alerts).toHaveLength(40);
  });

  test("names a change of the service that serves the host, and of what the host's servers are stored on", () => {
    const alerts = [alertOn("server:a-0", 10), alertOn("server:a-1", 10)];
    const restart = change(5, "service:nova-compute@a", "nova-compute restarted", {
      related: [{ role: "host", ref: { kind: "host", id: "a" } }],
    });
    expect(group(alerts, serversOn("a", 2), [restart])[0]!.cause?.event.id).toBe(restart.id);
    // A change of one of the servers is none of the host's, though its record names where it ran.
    const resized = change(5, "server:other", "resized", { related: restart.related });
    expect(group(alerts, serversOn("a", 2), [resized])[0]!.cause).toBeUndefined();
  });

  test("ends with a silence, and another control plane's alerts are no part of it", () => {
    const alerts = [0, 1, 2, 40, 41].map((minutes, index) => alertOn(`server:a-${index}`, minutes));
    const sizes = group(alerts, serversOn("a", 5)).map((one) => one.alerts.length);
    expect(sizes).toEqual([3, 2]);
    const foreign = { ...alertOn("server:a-3", 2), controlPlane: "other" };
    expect(
      group([...alerts.slice(0, 3), foreign], serversOn("a", 4)).map((one) => one.alerts.length),
    ).toEqual([3, 1]);
  });

  test("is not made of a few of a host's many servers of which nothing was changed", () => {
    const alerts = [alertOn("server:a-0", 0), alertOn("server:a-1", 1)];
    expect(group(alerts, serversOn("a", 40))).toHaveLength(2);
    expect(group(alerts, serversOn("a", 3))).toHaveLength(1);
    expect(group([...alerts, alertOn("host:a", 0)], serversOn("a", 40))).toHaveLength(1);
  });

  test("of two hosts at one time on one network is two groups", () => {
    const edges = [
      ...serversOn("a", 6),
      ...serversOn("b", 6),
      ...["a", "b"].flatMap((host) =>
        Array.from({ length: 6 }, (_, index) => [
          `port:${host}-${index} attached_to server:${host}-${index}`,
          `port:${host}-${index} on_network network:n`,
        ]).flat(),
      ),
    ];
    const alerts = ["a", "b"].flatMap((host) =>
      Array.from({ length: 6 }, (_, index) => alertOn(`server:${host}-${index}`, index / 6)),
    );
    expect(group(alerts, edges).map(({ on }) => on?.id)).toEqual(["a", "b"]);
  });

  test("uses the topology of each alert's own time", () => {
    const before = indexStanding(serversOn("a", 2).map(edgeOf));
    const after = indexStanding(["server:a-0 runs_on host:a", "server:a-1 runs_on host:b"].map(edgeOf));
    const alerts = [alertOn("server:a-0", 0), alertOn("server:a-1", 1)];
    expect(groupAlerts(alerts, () => before, [])).toHaveLength(1);
    const moved = groupAlerts(alerts, ({ at }) => (at === minuteAt(0) ? before : after), []);
    expect(moved).toHaveLength(2);
  });
});

test("an alert alone says what was changed before on its thing, and not what was changed after", () => {
  const alerts = [alertOn("server:a-0", 10)];
  const [early, late] = [change(4, "host:a", "moved"), change(11, "host:a", "moved back")];
  expect(group(alerts, serversOn("a", 9), [late, early])[0]).toMatchObject({
    cause: { event: { id: early.id } },
  });
});

/** How far two partitions agree beyond chance: 1 for the same, about 0 for chance (Hubert and Arabie, 1985). */
function adjustedRandIndex(one: readonly number[], other: readonly number[]): number {
  const pairs = (n: number) => (n * (n - 1)) / 2;
  const count = (labels: readonly unknown[]) =>
    [...Map.groupBy(labels, (label) => label).values()].reduce((sum, list) => sum + pairs(list.length), 0);
  const together = count(one.map((label, index) => `${label} ${other[index]}`));
  const [a, b] = [count(one), count(other)];
  const expected = (a * b) / pairs(one.length);
  return (together - expected) / ((a + b) / 2 - expected);
}

/** Storms under several hosts whose times overlap, among alerts that stand alone. */
function makeStorms(random: () => number) {
  const alerts: Groupable[] = [];
  const truth: number[] = [];
  const edges: string[] = [];
  const changes: Correlatable[] = [];
  for (let host = 0; host < 6; host++) {
    const count = 8 + Math.floor(random() * 20);
    edges.push(...serversOn(`h${host}`, count));
    const from = random() * 25;
    if (host % 2 === 0) changes.push(change(from - 5, `host:h${host}`, "changed"));
    for (let nth = 0; nth < count; nth++) {
      if (random() < 0.2) continue;
      alerts.push(alertOn(`server:h${host}-${nth}`, from + random() * 6));
      truth.push(host);
    }
  }
  for (let lone = 0; lone < 12; lone++) {
    edges.push(...serversOn(`quiet${lone}`, 30));
    alerts.push(alertOn(`server:quiet${lone}-0`, random() * 60));
    truth.push(100 + lone);
  }
  return { alerts, truth, edges, changes };
}

function byTimeAlone(alerts: readonly Groupable[]): readonly number[] {
  const inOrder = alerts.toSorted((one, other) => one.at - other.at);
  const labels = new Map<Groupable, number>();
  for (const [index, alert] of inOrder.entries()) {
    const before = inOrder[index - 1];
    const same = before !== undefined && alert.at - before.at <= stormGapMs;
    labels.set(alert, same ? labels.get(before)! : index);
  }
  return alerts.map((alert) => labels.get(alert)!);
}

test("grouping by topology and cause finds made-up storms that time alone runs together", () => {
  let seed = 7;
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  const scores = Array.from({ length: 10 }, () => {
    const { alerts, truth, edges, changes } = makeStorms(random);
    const groups = group(alerts, edges, changes);
    const labels = alerts.map((alert) => groups.findIndex((one) => one.alerts.includes(alert)));
    return { ours: adjustedRandIndex(labels, truth), time: adjustedRandIndex(byTimeAlone(alerts), truth) };
  });
  const mean = (pick: (score: (typeof scores)[number]) => number) =>
    scores.reduce((sum, score) => sum + pick(score), 0) / scores.length;
  expect(mean(({ ours }) => ours)).toBeGreaterThan(0.95);
  expect(mean(({ time }) => time)).toBeLessThan(0.6);
});

test("each alert is in one group, and the groups are the same in any order of arrival", () => {
  const given = fc.array(fc.tuple(fc.integer({ min: 0, max: 11 }), fc.integer({ min: 0, max: 60 })), {
    maxLength: 20,
  });
  const edges = [...serversOn("a", 6), ...serversOn("b", 6)];
  fc.assert(
    fc.property(given, (pairs) => {
      const alerts = [...new Map(pairs.map((pair) => [pair[0], pair])).values()].map(([nth, minutes]) =>
        alertOn(`server:${nth < 6 ? "a" : "b"}-${nth % 6}`, minutes),
      );
      const groups = group(alerts, edges);
      expect(groups.flatMap((one) => one.alerts)).toHaveLength(alerts.length);
      expect(new Set(groups.flatMap((one) => one.alerts))).toEqual(new Set(alerts));
      expect(group(alerts.toReversed(), edges)).toEqual(groups);
    }),
  );
});
