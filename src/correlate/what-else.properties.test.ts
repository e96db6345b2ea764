import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEntityKey } from "../model/entity.ts";
import { duration, instant } from "../model/instant.ts";
import type { Relation } from "../model/topology.ts";
import type { Correlatable } from "./correlatable.ts";
import type { Edge } from "./topology-paths.ts";
import type { WhatElseInput } from "./what-else-input.ts";
import { rankWhatElse } from "./what-else.ts";

const minuteMs = 60_000;
const noon = Date.UTC(2026, 10, 21, 12);

function edge(statement: string): Edge {
  const [from = "", relation = "", to = ""] = statement.split(" ");
  return { from: parseEntityKey(from), relation: relation as Relation, to: parseEntityKey(to) };
}

const cloud = [
  "server:1 runs_on host:h",
  "server:2 runs_on host:h",
  "server:3 runs_on host:h2",
  "service:nova@h serves host:h",
  "volume:v attached_to server:1",
  "volume:v stored_on backend:b",
  "volume:w stored_on backend:b",
].map(edge);

const subjects = [
  "server:1",
  "server:2",
  "server:3",
  "host:h",
  "host:h2",
  "service:nova@h",
  "volume:v",
  "volume:w",
  "backend:b",
  "component:Bus",
  "component:Web",
];

function eventOf(names: readonly string[], prefix: string) {
  return fc
    .record({
      subject: fc.constantFrom(...names),
      minute: fc.integer({ min: -600, max: 30 }),
      kind: fc.constantFrom("change", "symptom", "recovery", "human", "activity"),
      category: fc.constantFrom("deployment", "network", "storage", "other"),
      severity: fc.constantFrom("info", "error"),
      precision: fc.constantFrom(0, minuteMs),
      type: fc.constantFrom("a.changed", "b.changed", "alert.firing"),
      request: fc.option(fc.constantFrom("r1", "r2"), { nil: undefined }),
      summary: fc.constantFrom("restarted", "Bus and Web", "errors of host h", ""),
    })
    .map(
      ({
        subject,
        minute,
        kind,
        category,
        severity,
        precision,
        type,
        request,
        summary,
      }): Omit<Correlatable, "id"> => ({
        occurredAt: instant(noon + minute * minuteMs),
        precision: duration(precision),
        type,
        kind: kind as Correlatable["kind"],
        category: category as Correlatable["category"],
        severity: severity as Correlatable["severity"],
        subject: parseEntityKey(subject),
        related: [],
        ...(request === undefined ? {} : { operation: { requestId: `${prefix}${request}` } }),
        details: {},
        summary,
        connection: "c",
      }),
    );
}

function eventsOf(names: readonly string[], prefix: string) {
  return fc
    .array(eventOf(names, prefix), { maxLength: 25 })
    .map((drafts) => drafts.map((draft, index): Correlatable => ({ ...draft, id: `${prefix}${index}` })));
}

const symptom: Correlatable = {
  id: "symptom",
  occurredAt: instant(noon),
  precision: duration(0),
  type: "alert.firing",
  kind: "symptom",
  category: "monitoring",
  severity: "error",
  subject: parseEntityKey("server:1"),
  related: [],
  operation: { requestId: "r1" },
  details: {},
  summary: "server 1 does not answer",
  connection: "c",
};

function ask(events: readonly Correlatable[], more: Partial<WhatElseInput<Correlatable>> = {}) {
  return rankWhatElse<Correlatable>({
    target: { event: symptom, at: symptom.occurredAt },
    earlier: events,
    edges: cloud,
    rates: new Map([["a.changed", { perMs: 1e-6, sameHoursPerMs: 4e-6 }]]),
    limit: 1000,
    ...more,
  });
}

describe("whatever happened", () => {
  it("a score is the sum of its addends, and the list is ordered by it", () => {
    fc.assert(
      fc.property(eventsOf(subjects, "e"), (events) => {
        const { candidates } = ask(events, { symptoms: events.filter(({ kind }) => kind === "symptom") });
        for (const { score, addends } of candidates) {
          expect(score).toBe(addends.reduce((sum, { value }) => sum + value, 0));
          expect(addends.every(({ value }) => Number.isFinite(value))).toBe(true);
        }
        const scores = candidates.map(({ score }) => score);
        expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      }),
    );
  });

  it("the same events in any order give the same answer", () => {
    const shuffled = eventsOf(subjects, "e").chain((events) =>
      fc.tuple(
        fc.constant(events),
        fc.shuffledSubarray(events, { minLength: events.length }),
        fc.shuffledSubarray(cloud, { minLength: cloud.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([events, otherwise, edges]) => {
        const symptoms = (all: readonly Correlatable[]) => all.filter(({ kind }) => kind === "symptom");
        expect(ask(otherwise, { edges, symptoms: symptoms(otherwise) })).toEqual(
          ask(events, { symptoms: symptoms(events) }),
        );
      }),
    );
  });

  it("what happens to a stranger's own resources changes nobody else's order", () => {
    const strangers = eventsOf(["server:x", "volume:x", "network:x"], "stranger-");
    fc.assert(
      fc.property(eventsOf(subjects, "e"), strangers, (events, others) => {
        const symptoms = [...events, ...others].filter(({ kind }) => kind === "symptom");
        const own = ({ event }: { event: Correlatable }) => !event.id.startsWith("stranger-");
        const alone = ask(events, { symptoms: symptoms.filter(({ id }) => !id.startsWith("stranger-")) });
        const among = ask([...events, ...others], { symptoms });
        const idsOf = (all: typeof alone.candidates) =>
          all.filter(own).map(({ event, score }) => [event.id, score]);
        expect(idsOf(among.candidates)).toEqual(idsOf(alone.candidates));
      }),
    );
  });

  it("nothing that surely began after the symptom is a candidate, and nothing else followed it", () => {
    const errors = new Map([["c", duration(2 * minuteMs)]]);
    fc.assert(
      fc.property(eventsOf(subjects, "e"), (events) => {
        const later = events.filter(({ occurredAt }) => occurredAt > noon);
        const earlier = events.filter(({ occurredAt }) => occurredAt <= noon);
        const { candidates, followed } = ask(earlier, { later, clockErrors: errors });
        const latest = ({ precision }: Correlatable) => noon + precision + 2 * minuteMs;
        for (const { event } of candidates) expect(event.occurredAt).toBeLessThanOrEqual(latest(event));
        for (const { event } of followed) expect(event.occurredAt).toBeGreaterThan(latest(event));
      }),
    );
  });

  it("a cover explains each symptom once, by a candidate that explains it", () => {
    fc.assert(
      fc.property(eventsOf(subjects, "e"), (events) => {
        const selection = events.filter(({ kind, id }) => kind === "symptom" && id !== "symptom").slice(0, 6);
        const { candidates, cover } = ask(events, { target: { selection, at: symptom.occurredAt } });
        const told = cover.causes.flatMap(({ explains }) => explains);
        expect([...told, ...cover.unexplained].toSorted()).toEqual(selection.map(({ id }) => id).toSorted());
        for (const { id, explains } of cover.causes) {
          const candidate = candidates.find(({ event }) => event.id === id);
          expect(new Set(candidate?.explains).isSupersetOf(new Set(explains))).toBe(true);
        }
      }),
    );
  });
});
