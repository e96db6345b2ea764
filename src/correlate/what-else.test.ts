import { describe, expect, it } from "vitest";
import { parseEntityKey } from "../model/entity.ts";
import { duration, instant } from "../model/instant.ts";
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
