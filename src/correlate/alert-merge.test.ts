import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { breaks, edgeOf, fires, mends, resolves } from "../../test/alert-events.ts";
import { readEpisodes } from "./alert-episode.ts";
import { mergeDuplicates } from "./alert-merge.ts";
import type { Correlatable } from "./correlatable.ts";
import { indexStanding } from "./stands-on.ts";

const merge = (
  events: readonly Correlatable[],
  edges: readonly string[] = [],
  split: readonly string[] = [],
) => mergeDuplicates(readEpisodes(events), () => indexStanding(edges.map(edgeOf)), new Set(split));
const sizes = (...given: Parameters<typeof merge>) => merge(...given).map(({ members }) => members.length);

describe("two monitors", () => {
  test("that tell of one problem on one thing at one time are one alert, and each member says why", () => {
    const [alert, ...others] = merge([fires(0, "host:a"), breaks(2, "host:a"), resolves(9, "host:a")]);
    expect(others).toEqual([]);
    expect(alert!.members.map(({ episode, why }) => [episode.monitor, why])).toEqual([
      [
        "alertmanager",
        "the same thing (host a), the same class of problem (down), at the same time as zabbix told",
      ],
      [
        "zabbix",
        "the same thing (host a), the same class of problem (down), at the same time as alertmanager told",
      ],
    ]);
  });

  test("that tell of different classes of problems are two alerts", () => {
    expect(sizes([fires(0, "host:a"), breaks(2, "host:a", "High memory utilization")])).toEqual([1, 1]);
  });

  test("that tell one after the other are two alerts", () => {
    expect(sizes([fires(0, "host:a"), resolves(5, "host:a"), breaks(20, "host:a")])).toEqual([1, 1]);
  });

  test("of two clouds with the same names are never merged", () => {
    expect(sizes([fires(0, "host:a"), breaks(1, "host:a", undefined, { controlPlane: "other" })])).toEqual([
      1, 1,
    ]);
  });

  test("that know a thing by its hostname alone are merged only where the topology tells what bore it", () => {
    const events = [fires(0, "hostname:web-1"), breaks(1, "host:web-1")];
    expect(sizes(events)).toEqual([1, 1]);
    expect(sizes(events, ["host:web-1 known_as hostname:web-1"])).toEqual([2]);
    expect(sizes(events, ["host:web-1 named hostname:web-1"])).toEqual([1, 1]);
    const twice = ["host:web-1 known_as hostname:web-1", "server:s known_as hostname:web-1"];
    expect(sizes(events, twice)).toEqual([1, 1]);
    expect(merge(events, ["host:web-1 known_as hostname:web-1"])[0]!.members[0]!.why).toContain(
      "host web-1, then known as hostname web-1",
    );
  });

  test("that both say the same hostname, of which nothing is known, are two alerts", () => {
    expect(sizes([fires(0, "hostname:web-1"), breaks(1, "hostname:web-1")])).toEqual([1, 1]);
    expect(sizes([fires(0, "component:node"), breaks(1, "component:node")])).toEqual([1, 1]);
  });

  test("find the server behind a port's address", () => {
    const edges = ["port:p has_address ip:10.0.0.7", "port:p attached_to server:s"];
    expect(sizes([fires(0, "ip:10.0.0.7"), breaks(1, "server:s")], edges)).toEqual([2]);
  });
});

test("one monitor's two alerts of one class stay two: it knows why it tells them apart", () => {
  expect(sizes([fires(0, "host:a", "HostDown"), fires(1, "host:a", "HostUnreachable")])).toEqual([1, 1]);
});

test("a split takes one series out, whoever else is in the alert, and says so", () => {
  const third = breaks(3, "host:a", "Host is down", { connection: "prtg" });
  const events = [fires(0, "host:a"), breaks(2, "host:a"), third];
  expect(sizes(events)).toEqual([3]);
  const [series] = readEpisodes([third]).map((episode) => episode.series);
  const parts = merge(events, [], [series!]);
  expect(parts.map(({ members }) => members.map(({ episode, split }) => [episode.monitor, split]))).toEqual([
    [
      ["alertmanager", false],
      ["zabbix", false],
    ],
    [["prtg", true]],
  ]);
});

const story = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: 60 }),
    subject: fc.constantFrom("host:a", "host:b", "hostname:a"),
    on: fc.boolean(),
    monitor: fc.constantFrom("one", "two", "three"),
    plane: fc.constantFrom("cloud", "other"),
  }),
  { maxLength: 25 },
);

const tell = (given: (typeof story extends fc.Arbitrary<infer T> ? T : never)[number]) =>
  (given.on ? breaks : mends)(given.at, given.subject, "Host is down", {
    connection: given.monitor,
    controlPlane: given.plane,
  });

test("merging is independent of the order of arrival, and keeps every episode once", () => {
  fc.assert(
    fc.property(story, fc.infiniteStream(fc.nat()), (given, numbers) => {
      const told = given.map(tell);
      const shuffled = told
        .map((event) => [numbers.next().value, event] as const)
        .toSorted(([one], [other]) => one - other)
        .map(([, event]) => event);
      const edges = ["host:a known_as hostname:a"];
      const alerts = merge(told, edges);
      expect(merge(shuffled, edges)).toEqual(alerts);
      const members = alerts.flatMap(({ members: all }) => all.map(({ episode }) => episode));
      expect(new Set(members).size).toBe(members.length);
      expect(members.map(({ events }) => events[0]!.id).toSorted()).toEqual(
        readEpisodes(told)
          .map(({ events }) => events[0]!.id)
          .toSorted(),
      );
      for (const { members: all } of alerts)
        expect(new Set(all.map(({ episode }) => episode.controlPlane)).size).toBe(1);
    }),
  );
});

test("a split that is taken back leaves no trace, and splitting never merges anything", () => {
  fc.assert(
    fc.property(story, fc.nat(), (given, nth) => {
      const told = given.map(tell);
      const all = readEpisodes(told).map(({ series }) => series);
      const before = merge(told);
      const series = all[nth % Math.max(1, all.length)];
      const during = merge(told, [], series === undefined ? [] : [series]);
      expect(during.length).toBeGreaterThanOrEqual(before.length);
      for (const { members } of during)
        if (members.some(({ episode }) => episode.series === series)) expect(members).toHaveLength(1);
      expect(merge(told)).toEqual(before);
    }),
  );
});
