import { describe, expect, it } from "vitest";
import { parseEntityKey } from "../model/entity.ts";
import { duration, instant } from "../model/instant.ts";
import type { Relation } from "../model/topology.ts";
import type { Correlatable } from "./correlatable.ts";
import type { Edge } from "./topology-paths.ts";
import type { UsualRate, WhatElseInput } from "./what-else-input.ts";
import { rankWhatElse } from "./what-else.ts";

const minuteMs = 60_000;
const noon = Date.UTC(2026, 10, 21, 12);

function event(id: string, subject: string, minute: number, more: Partial<Correlatable> = {}): Correlatable {
  return {
    id,
    occurredAt: instant(noon + minute * minuteMs),
    precision: duration(0),
    type: "thing.changed",
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

function trouble(
  id: string,
  subject: string,
  minute: number,
  more: Partial<Correlatable> = {},
): Correlatable {
  return event(id, subject, minute, { kind: "symptom", severity: "error", type: "alert.firing", ...more });
}

function edges(...statements: readonly string[]): readonly Edge[] {
  return statements.map((statement) => {
    const [from = "", relation = "", to = ""] = statement.split(" ");
    return { from: parseEntityKey(from), relation: relation as Relation, to: parseEntityKey(to) };
  });
}

const symptom = trouble("unreachable", "server:1", 0);

type More = Partial<WhatElseInput<Correlatable>>;

function rank(earlier: readonly Correlatable[], more: More = {}) {
  const target = more.target ?? { event: symptom, at: symptom.occurredAt };
  const input = { earlier, edges: [], rates: new Map(), limit: 50, ...more, target };
  return rankWhatElse<Correlatable>(input).candidates;
}

/** What one addend adds to a candidate; undefined where it is not told. */
function addend(name: string, id: string, earlier: readonly Correlatable[], more: More = {}) {
  return rank(earlier, more)
    .find((candidate) => candidate.event.id === id)
    ?.addends.find((one) => one.name === name);
}

/** Two changes that differ in one thing only: the first is ranked above the second for it. */
function expectFirst(
  first: Correlatable,
  second: Correlatable,
  more: More = {},
  beside: readonly Correlatable[] = [],
) {
  const ids = [first.id, second.id];
  const ranked = rank([second, ...beside, first], more).filter(({ event: { id } }) => ids.includes(id));
  expect(ranked.map(({ event: { id } }) => id)).toEqual(ids);
}

describe("each addend decides between two changes that differ in nothing else", () => {
  it("time: the nearer one", () => {
    expectFirst(event("z", "server:1", -5), event("a", "server:1", -90));
  });

  it("time: a deployment wears off more slowly than a change of a network", () => {
    const old = { subject: parseEntityKey("server:1"), type: "x" };
    const deployed = event("d", "server:1", -120, { ...old, category: "deployment" });
    const rerouted = event("r", "server:1", -120, { ...old, category: "network" });
    const lost = [deployed, rerouted].map((one) => addend("time", one.id, [one])!.value);
    expect(lost[0]!).toBeGreaterThan(lost[1]! + 1);
  });

  it("order: what surely came before stands above what may have come after", () => {
    const unsure = event("a", "server:1", -1, { precision: duration(5 * minuteMs) });
    expectFirst(event("z", "server:1", -1), unsure);
    expect(addend("order", "a", [unsure])?.says).toContain("unknown");
  });

  it("order: what was seen after the symptom stands low, though clocks may be wrong", () => {
    const more = { precision: duration(5 * minuteMs) };
    expectFirst(event("z", "server:1", -2, more), event("a", "server:1", 2, more));
    expect(addend("order", "a", [event("a", "server:1", 2, more)])!.value).toBeLessThan(-1);
  });

  it("path: what the symptom stands on", () => {
    expectFirst(event("z", "host:h", -5), event("a", "host:other", -5), {
      edges: edges("server:1 runs_on host:h"),
    });
  });

  it("rarity: by the same hours of the week, so that what runs every night is routine at night", () => {
    const nightly = { perMs: 1 / (24 * 60 * minuteMs), sameHoursPerMs: 20 / (60 * minuteMs) };
    const rates = new Map<string, UsualRate>([
      ["snapshot.created", nightly],
      ["volume.retyped", { perMs: nightly.perMs }],
    ]);
    const snapshot = event("a", "server:1", -5, { type: "snapshot.created" });
    expectFirst(event("z", "server:1", -5, { type: "volume.retyped" }), snapshot, { rates });
    expect(addend("rarity", "a", [snapshot], { rates })).toMatchObject({
      value: expect.closeTo(0, 2),
      says: "often seen",
    });
  });

  it("class: a change above what merely started", () => {
    expectFirst(event("z", "server:1", -5), event("a", "server:1", -5, { kind: "activity" }));
  });

  it("class: trouble of what it stands on above a neighbour's symptom", () => {
    const related = edges("server:1 runs_on host:h", "server:2 runs_on host:h");
    expectFirst(trouble("z", "host:h", -1), trouble("a", "server:2", -1), { edges: related });
  });

  it("open impact: what opened one that is still open does not fade", () => {
    const upgrade = event("z", "component:bus", -240, { category: "platform" });
    const opened = trouble("bus fails", "component:bus", -238);
    const target = { event: trouble("t", "component:bus", 0), at: instant(noon) };
    const floor = addend("open impact", "z", [upgrade, opened], { target });
    expect(floor?.value).toBeGreaterThan(2);
    const healed = event("healed", "component:bus", -60, { kind: "recovery" });
    expect(addend("open impact", "z", [upgrade, opened, healed], { target })?.value ?? 0).toBeLessThan(
      floor!.value / 2,
    );
  });

  it("open impact: trouble that nothing opened stands for itself while it lasts", () => {
    const down = trouble("z", "host:h", -60);
    const floor = addend("open impact", "z", [down], { edges: edges("server:1 runs_on host:h") });
    expect(floor).toMatchObject({ says: "still open after 60 min" });
  });

  it("reaction: an attempt to help with what already ailed", () => {
    const restart = event("a", "server:1", -5, { summary: "restarted by hand" });
    const change = event("z", "server:1", -15, { summary: "resized" });
    expectFirst(change, restart, {}, [trouble("slow", "server:1", -10)]);
    expect(addend("reaction", "a", [change, trouble("slow", "server:1", -10), restart])?.says).toContain(
      "help",
    );
    expect(addend("reaction", "a", [change, restart])).toBeUndefined();
  });

  it("pair: what such symptoms were seen to follow, beyond chance", () => {
    const learnt = { lift: 8, direction: 1, together: 12, pValue: 0.001 };
    const pairs = new Map([["often.before>alert.firing", learnt]]);
    const often = event("z", "server:1", -5, { type: "often.before" });
    expectFirst(often, event("a", "server:1", -5), { pairs });
    const byChance = new Map([["often.before>alert.firing", { ...learnt, pValue: 0.4 }]]);
    expect(addend("pair", "z", [often], { pairs: byChance })).toBeUndefined();
  });

  it("request: the same one, under either of its names, or the same workflow", () => {
    const target = {
      event: { ...symptom, operation: { requestId: "r", globalRequestId: "g", workflowId: "w" } },
      at: symptom.occurredAt,
    };
    for (const operation of [
      { requestId: "r" },
      { requestId: "g" },
      { globalRequestId: "g" },
      { workflowId: "w" },
    ]) {
      expectFirst(event("z", "server:1", -5, { operation }), event("a", "server:1", -5), { target });
    }
  });

  it("actor: who works on everything relates nothing", () => {
    const busy = Array.from({ length: 40 }, (_, nth) =>
      event(`b${nth}`, `server:${nth + 10}`, -200 - nth, { actor: { userId: "admin" } }),
    );
    const target = { event: { ...symptom, actor: { userId: "admin" } }, at: symptom.occurredAt };
    const own = event("own", "server:1", -5, { actor: { userId: "admin" } });
    const actorOf = (earlier: readonly Correlatable[]) =>
      rank(earlier, { target })
        .find((candidate) => candidate.event.id === "own")!
        .addends.find(({ name }) => name === "actor")!.value;
    expect(actorOf([own, ...busy])).toBeLessThan(actorOf([own]) / 4);
  });

  it("actor: the same user counts, and little", () => {
    const target = { event: { ...symptom, actor: { userId: "u" } }, at: symptom.occurredAt };
    expectFirst(event("z", "server:1", -5, { actor: { userId: "u" } }), event("a", "server:1", -5), {
      target,
    });
    expectFirst(event("z", "server:1", -1), event("a", "server:1", -60, { actor: { userId: "u" } }), {
      target,
    });
  });

  it("planned: an alert that planned work explains, but not the work itself", () => {
    const alerts = [trouble("z", "host:h", -5), trouble("a", "host:h2", -5)] as const;
    const related = edges("server:1 runs_on host:h", "server:1 runs_on host:h2");
    const expected = new Map([
      ["a", "planned: new firmware"],
      ["work", "planned: new firmware"],
    ]);
    expectFirst(...alerts, { expected, edges: related });
    expect(addend("planned", "work", [event("work", "host:h", -5)], { expected })).toMatchObject({
      value: 0,
      says: "planned: new firmware",
    });
  });

  it("verdict: what people said, either way", () => {
    const [one, other] = [event("z", "server:1", -5), event("a", "server:1", -5)];
    expectFirst(one, other, { verdicts: new Map([["z", "confirmed"]]) });
    expectFirst(one, other, { verdicts: new Map([["z", "suspected"]]) });
    expectFirst(one, other, { verdicts: new Map([["a", "ruled-out"]]) });
    expect(rank([one], { verdicts: new Map([["z", "confirmed"]]) })[0]).toMatchObject({
      verdict: "confirmed",
    });
  });

  it("named: what the symptom's own words name", () => {
    const target = { event: { ...symptom, summary: "timeout talking to volume-9" }, at: symptom.occurredAt };
    expectFirst(event("z", "volume:volume-9", -5), event("a", "volume:volume-8", -5), { target });
  });

  it("cover: what explains many symptoms", () => {
    const related = edges(
      "server:1 attached_to host:h",
      "server:1 attached_to host:h2",
      "server:2 attached_to host:h",
    );
    const symptoms = [symptom, trouble("s2", "server:2", 0)];
    expectFirst(event("z", "host:h", -5), event("a", "host:h2", -5), { edges: related, symptoms });
    const onHost = { related: [{ role: "host", ref: parseEntityKey("host:h") }] };
    expect(
      addend("cover", "a", [event("a", "server:1", -5, onHost)], { edges: related, symptoms }),
    ).toBeUndefined();
  });
});
