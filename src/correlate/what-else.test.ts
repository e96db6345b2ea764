import { describe, expect, it } from "vitest";
import { parseEntityKey } from "../model/entity.ts";
import { duration, instant, type Duration } from "../model/instant.ts";
import type { Relation } from "../model/topology.ts";
import type { Correlatable } from "./correlatable.ts";
import type { Edge } from "./topology-paths.ts";
import { rankWhatElse } from "./what-else.ts";

const minute = 60;

function event(id: string, subject: string, second: number, more: Partial<Correlatable> = {}): Correlatable {
  return {
    id,
    occurredAt: instant(second * 1000),
    precision: duration(0),
    type: `${subject.split(":")[0]}.changed`,
    kind: "change",
    category: "other",
    severity: "info",
    subject: parseEntityKey(subject),
    related: [],
    details: {},
    summary: id,
    ...more,
  };
}

function edge(statement: string): Edge {
  const [from = "", relation = "", to = ""] = statement.split(" ");
  return { from: parseEntityKey(from), relation: relation as Relation, to: parseEntityKey(to) };
}

const symptom = event("unreachable", "server:1", 100 * minute, {
  kind: "symptom",
  severity: "critical",
  type: "alert",
});

function rank(
  earlier: readonly Correlatable[],
  edges: readonly Edge[] = [],
  rates = new Map<string, number>(),
) {
  return rankWhatElse({
    target: { event: symptom, at: symptom.occurredAt },
    earlier,
    edges,
    rates: new Map([...rates].map(([type, perMs]) => [type, { perMs }])),
    limit: 10,
  });
}

describe("what else changed", () => {
  it("puts the failed host before a nearer change of an unrelated resource", () => {
    const down = event("host down", "service:nova@h", 98 * minute, { kind: "symptom", severity: "critical" });
    const noise = event("somebody's volume", "volume:x", 99 * minute);
    const edges = [edge("server:1 runs_on host:h"), edge("service:nova@h serves host:h")];
    const ranked = rank([noise, down], edges);
    expect(ranked.candidates.map((candidate) => candidate.event.id)).toEqual([
      "host down",
      "somebody's volume",
    ]);
    expect(ranked.candidates[0]!.reason).toContain("same host h");
    expect(ranked.candidates[1]!.reason).toContain("no path found");
  });

  it("ranks a routine nightly change below a rare one at the same distance", () => {
    const edges = [edge("server:1 runs_on host:h")];
    const nightly = event("snapshot", "server:1", 95 * minute, { type: "snapshot.created" });
    const rare = event("retype", "server:1", 95 * minute, { type: "volume.retyped" });
    const perMs = 30 / (100 * minute * 1000);
    const rates = new Map([
      ["snapshot.created", perMs * 10],
      ["volume.retyped", perMs / 1000],
    ]);
    expect(rank([nightly, rare], edges, rates).candidates[0]!.event.id).toBe("retype");
  });

  it("keeps an old change in sight while the impact that it opened is still open", () => {
    const upgrade = event("upgrade", "component:messaging", 0);
    const broken = event("broker fails", "component:messaging", 2 * minute, {
      kind: "symptom",
      severity: "error",
    });
    const fresh = event("restart", "component:web", 90 * minute);
    const ranked = rank([upgrade, broken, fresh]);
    const found = ranked.candidates.find((candidate) => candidate.event.id === "upgrade")!;
    expect(found.reason).toContain("opened an impact that is still open");
    const healed = event("healed", "component:messaging", 50 * minute, { kind: "recovery" });
    const closed = rank([upgrade, broken, healed, fresh]).candidates.find(
      (candidate) => candidate.event.id === "upgrade",
    )!;
    expect(closed.score).toBeLessThan(found.score);
  });

  it("folds the steps of one operation into one candidate and counts them", () => {
    const operation = { requestId: "r" };
    const steps = [
      event("start", "server:1", 90 * minute, {
        type: "resize.start",
        phase: "start",
        kind: "activity",
        operation,
      }),
      event("end", "server:1", 91 * minute, { type: "resize.end", phase: "end", operation }),
    ];
    const [candidate, ...rest] = rank(steps).candidates;
    expect(candidate).toMatchObject({ event: { id: "end" }, also: 1, direction: "before" });
    expect(rest).toEqual([]);
  });

  it("says that an operation without an end is in progress", () => {
    const start = event("start", "server:1", 90 * minute, {
      type: "resize.start",
      phase: "start",
      kind: "activity",
    });
    expect(rank([start]).candidates[0]).toMatchObject({ direction: "in-progress" });
  });

  it("calls it unordered inside the clocks' error", () => {
    const near = event("near", "server:1", 100 * minute - 20, { precision: duration(60_000) });
    expect(rank([near]).candidates[0]).toMatchObject({ direction: "unordered" });
  });

  it("tells where it looked and found nothing", () => {
    const edges = [edge("server:1 runs_on host:h"), edge("volume:v attached_to server:1")];
    expect(rank([], edges).nothingOn.map((ref) => ref.id)).toEqual(["h", "1", "v"]);
  });

  it("adds up to the score that it shows", () => {
    const [candidate] = rank([event("change", "server:1", 95 * minute)]).candidates;
    const sum = candidate!.addends.reduce((total, addend) => total + addend.value, 0);
    expect(candidate!.score).toBeCloseTo(sum, 9);
  });
});

describe("a tenant's question, from its own editions alone", () => {
  const own = (id: string, minuteOf: number, more: Partial<Correlatable> = {}) =>
    event(id, "server:1", minuteOf * minute, more);
  const notice = event("notice", "server:1", 99 * minute, {
    type: "platform.trouble",
    kind: "symptom",
    category: "platform",
    severity: "error",
    related: [
      { role: "affected", ref: parseEntityKey("server:1") },
      { role: "affected", ref: parseEntityKey("server:2") },
      { role: "place", ref: parseEntityKey("part:part-3f9a2c71") },
    ],
    summary: "A part of the platform that your servers stand on has trouble.",
  });

  it.each(["server:1", "server:2"])(
    "puts the notice of a shared cause first for %s, and names no host",
    (subject) => {
      const broken = event("broken", subject, 100 * minute, {
        kind: "symptom",
        severity: "critical",
        type: "alert",
      });
      const mine = [
        own("resized", 80, { type: "compute.instance.resize.end" }),
        own("tagged", 98, { type: "compute.instance.update", kind: "activity" }),
        event("another alert", "server:3", 99 * minute, {
          kind: "symptom",
          severity: "error",
          type: "alert",
        }),
      ];
      const { candidates } = rankWhatElse({
        target: { event: broken, at: broken.occurredAt },
        earlier: [...mine, notice],
        edges: [],
        rates: new Map(),
        limit: 10,
      });
      expect(candidates[0]).toMatchObject({ event: { id: "notice" }, path: [] });
      expect(candidates[0]!.reason).toContain("trouble of a shared part of the platform");
      expect(JSON.stringify(candidates)).not.toMatch(/host/);
    },
  );

  it("explains the symptoms of all its resources by the one notice", () => {
    const broken = ["server:1", "server:2"].map((subject) =>
      event(`${subject} broken`, subject, 100 * minute, {
        kind: "symptom",
        severity: "critical",
        type: "alert",
      }),
    );
    const { cover, candidates } = rankWhatElse({
      target: { selection: broken, at: broken[0]!.occurredAt },
      earlier: [own("resized", 80), notice],
      edges: [],
      rates: new Map(),
      limit: 10,
    });
    expect(cover).toEqual({
      causes: [{ id: "notice", explains: broken.map(({ id }) => id) }],
      unexplained: [],
    });
    expect(candidates[0]).toMatchObject({ event: { id: "notice" }, explains: broken.map(({ id }) => id) });
  });
});

describe("direction", () => {
  const nova = (id: string, minuteOf: number, phase: "start" | "end") =>
    event(id, "server:1", minuteOf * minute, {
      type: `resize.${phase}`,
      phase,
      kind: phase === "start" ? "activity" : "change",
      operation: { requestId: "r" },
    });
  const ask = (earlier: readonly Correlatable[], later: readonly Correlatable[]) =>
    rankWhatElse({
      target: { event: symptom, at: symptom.occurredAt },
      earlier,
      later,
      edges: [edge("server:1 runs_on host:h")],
      rates: new Map(),
      limit: 10,
    });

  it("tells what began after the symptom apart, the nearest to it first", () => {
    const stranger = event("stranger", "server:9", 101 * minute);
    const { candidates, followed } = ask([], [stranger, event("failover", "host:h", 102 * minute)]);
    expect(candidates).toEqual([]);
    expect(followed.map((one) => [one.event.id, one.afterMs])).toEqual([
      ["failover", 120_000],
      ["stranger", 60_000],
    ]);
  });

  it("takes what may have come before by the clocks of both for unordered", () => {
    const near = event("near", "server:1", 100 * minute + 50, { connection: "b" });
    const more = { ...symptom, connection: "a" };
    const rankWith = (clockErrors: ReadonlyMap<string, Duration>) =>
      rankWhatElse({
        target: { event: more, at: more.occurredAt },
        earlier: [near],
        edges: [],
        rates: new Map(),
        clockErrors,
        limit: 10,
      });
    const [a, b] = [duration(30_000), duration(25_000)];
    expect(rankWith(new Map([["a", a]])).candidates).toEqual([]);
    expect(
      rankWith(
        new Map([
          ["a", a],
          ["b", b],
        ]),
      ).candidates[0],
    ).toMatchObject({ direction: "unordered" });
  });

  it("counts no time for an operation whose end was seen after the symptom", () => {
    const start = nova("start", 60, "start");
    const alone = ask([start], []).candidates[0]!;
    const seen = ask([start], [nova("end", 110, "end")]);
    expect(seen.candidates[0]).toMatchObject({ direction: "in-progress", beforeMs: 40 * minute * 1000 });
    expect(seen.candidates[0]!.score).toBeGreaterThan(alone.score);
    expect(seen.followed).toEqual([]);
  });
});

describe("hubs", () => {
  const crowd = (hub: string, relation: string, count: number) =>
    Array.from({ length: count }, (_, index) => edge(`server:n${index} ${relation} ${hub}`));

  it.each([
    ["aggregate:zone", "member_of"],
    ["network:external", "on_network"],
    ["project:p", "owned_by"],
  ])("a %s that everything hangs on relates nothing", (hub, relation) => {
    const edges = [edge(`server:1 ${relation} ${hub}`), ...crowd(hub, relation, 200)];
    const ranked = rank([event("neighbour's", "server:n7", 99 * minute)], edges);
    expect(ranked.candidates[0]!.addends.find(({ name }) => name === "path")!.value).toBeLessThan(
      Math.log(0.05),
    );
  });

  it("a host relates its few servers more than its many", () => {
    const [few, many] = [3, 60].map((count) => {
      const edges = [edge("server:1 runs_on host:h"), ...crowd("host:h", "runs_on", count)];
      return rank([event("neighbour's", "server:n1", 99 * minute)], edges).candidates[0]!.score;
    });
    expect(few!).toBeGreaterThan(many!);
  });

  it("tells what a cause explains however many strangers' symptoms came before", () => {
    const down = event("host down", "service:nova@h", 98 * minute, { kind: "symptom", severity: "critical" });
    const broken = { kind: "symptom", severity: "error" } as const;
    const neighbour = event("neighbour", "server:2", 99 * minute, broken);
    const strangers = Array.from({ length: 300 }, (_, n) =>
      event(`stranger ${n}`, `server:s${n}`, 90 * minute + n, broken),
    );
    const { candidates } = rankWhatElse({
      target: { event: symptom, at: symptom.occurredAt },
      earlier: [...strangers, down, neighbour],
      symptoms: [...strangers, down, neighbour],
      edges: ["server:1 runs_on host:h", "server:2 runs_on host:h", "service:nova@h serves host:h"].map(edge),
      rates: new Map(),
      limit: 5,
    });
    expect(candidates[0]).toMatchObject({
      event: { id: "host down" },
      explains: ["neighbour", "unreachable"],
    });
  });
});
