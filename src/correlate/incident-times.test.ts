import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  at,
  blueServer,
  entry,
  event,
  host,
  incident,
  mark,
  material,
  row,
  sampleMaterial,
} from "../../test/incident-sample.ts";
import type { Incident, TimeMark } from "../model/incident.ts";
import { measuredTimes } from "../model/incident.ts";
import { duration, instant } from "../model/instant.ts";
import type { DossierEvent } from "./incident-dossier.ts";
import {
  formatLength,
  inferTimes,
  letStand,
  measureSpans,
  reversedTimes,
  timesOfThings,
} from "./incident-times.ts";
import { kindOfWords, names, readWords } from "./incident-words.ts";

function told(events: readonly DossierEvent[], fields: Partial<Incident> = {}): Record<string, string> {
  const marks = inferTimes(material({ incident: incident(fields), around: events }));
  return Object.fromEntries(marks.map((one) => [one.time, new Date(one.at).toISOString().slice(11, 19)]));
}

const change = event("c", "20:05", { kind: "change" });
const ill = event("s", "20:10", { kind: "symptom" });
const alert = event("a", "20:12", { kind: "symptom", category: "monitoring" });
const act = event("d", "20:20", { kind: "change" });
const well = event("r", "20:40", { kind: "recovery" });

describe("inferred times", () => {
  test("are the change before, the first alert, the first act after it, and the lasting recovery", () => {
    expect(told([change, ill, alert, act, well])).toEqual({
      event: "20:05:00",
      detection: "20:12:00",
      decision: "20:20:00",
      resolution: "20:40:00",
    });
  });

  test("say the rule with its version, the event and its words", () => {
    const marks = inferTimes(material({ around: [change, ill] }));
    expect(marks[0]?.provenance).toEqual({
      kind: "inferred",
      rule: "change-before-first-symptom/1",
      event: "c",
      says: "The earliest change before its first symptom: “change of compute-77”",
    });
  });

  test("are not read from what a host's guests do, until somebody pins it", () => {
    const related = [{ role: "host", ref: host.ref! }];
    const guest = event("g", "20:01", { kind: "change", subject: blueServer.ref!, related });
    expect(told([guest, ill])).toMatchObject({ event: "20:10:00" });
    const pins = [{ event: "g", by: "user:operator" }];
    const pinned = material({ incident: incident({ pins }), pins: new Map([["g", guest]]), around: [ill] });
    expect(inferTimes(pinned)[0]).toMatchObject({ time: "event", at: guest.occurredAt });
  });

  test("begin with the first symptom where no change came before it", () => {
    expect(told([ill, act])).toEqual({ event: "20:10:00", decision: "20:20:00" });
  });

  test("leave out what nothing tells", () => {
    expect(told([])).toEqual({});
    expect(told([ill])).toEqual({ event: "20:10:00" });
    expect(told([well])).toEqual({ resolution: "20:40:00" });
  });

  test("take no old change for the beginning unless somebody pinned it", () => {
    const old = event("old", "17:00", { kind: "change" });
    expect(told([old, ill])).toEqual({ event: "20:10:00" });
    const early = event("early", "18:05", { kind: "change" });
    const late = event("late", "20:30", { kind: "symptom" });
    expect(told([early, late]).event).toBe("20:30:00");
    const pinned = material({
      incident: incident({ pins: [{ event: "early", by: "user:operator" }] }),
      pins: new Map([["early", early]]),
      around: [late],
    });
    expect(inferTimes(pinned)[0]?.at).toBe(early.occurredAt);
  });

  test("let a pinned change on something that is not measured begin it", () => {
    const elsewhere = event("deploy", "20:01", { kind: "change", subject: { kind: "service", id: "api" } });
    const pins = new Map([["deploy", elsewhere]]);
    const pinned = incident({ pins: [{ event: "deploy", by: "user:operator" }] });
    expect(inferTimes(material({ incident: pinned, pins, around: [ill] }))[0]?.at).toBe(at("20:01"));
    expect(told([elsewhere, ill]).event).toBe("20:10:00");
  });

  test("do not resolve while a relapse follows soon", () => {
    const relapse = event("s2", "20:45", { kind: "symptom" });
    expect(told([ill, well, relapse]).resolution).toBeUndefined();
    const again = event("r2", "20:50", { kind: "recovery" });
    expect(told([ill, well, relapse, again]).resolution).toBe("20:50:00");
    // The relapse lies behind the end that somebody wrote down.
    expect(
      told([ill, well, relapse], { window: { from: at("20:00"), to: at("20:41") } }).resolution,
    ).toBeUndefined();
  });

  test("do not resolve before it has stayed clear for long enough", () => {
    const early = material({ around: [ill, well], asOf: at("20:54") });
    expect(inferTimes(early).some(({ time }) => time === "resolution")).toBe(false);
    const later = material({ around: [ill, well], asOf: at("20:55") });
    expect(inferTimes(later).some(({ time }) => time === "resolution")).toBe(true);
  });

  test("wait for every alert that fired", () => {
    const fire = (id: string, clock: string, name: string) =>
      event(id, clock, {
        kind: "symptom",
        category: "monitoring",
        phase: "start",
        type: `alert.${name}.firing`,
      });
    const end = (id: string, clock: string, name: string) =>
      event(id, clock, {
        kind: "recovery",
        category: "monitoring",
        phase: "end",
        type: `alert.${name}.resolved`,
      });
    const both = [fire("1", "20:10", "disk"), fire("2", "20:11", "path"), end("3", "20:20", "path")];
    expect(told(both).resolution).toBeUndefined();
    expect(told([...both, end("4", "20:30", "disk")]).resolution).toBe("20:30:00");
  });

  test("take no further step of the change that began it for an answer to it", () => {
    const step = (id: string, clock: string) =>
      event(id, clock, { kind: "change", operation: { requestId: "req-1" } });
    expect(told([step("1", "20:05"), ill, alert, step("2", "20:15"), act]).decision).toBe("20:20:00");
  });

  test("take no machine's change before the first alert for an answer to it", () => {
    expect(told([ill, event("x", "20:11", { kind: "change" }), alert, act]).decision).toBe("20:20:00");
  });

  test("take a decision that was written down, where it is the first", () => {
    const log = [entry(1, { kind: "decision", text: "Evacuate it", decidedAt: at("20:15"), thing: host.id })];
    expect(told([change, ill, alert, act, well], { log }).decision).toBe("20:15:00");
    const elsewhere = [
      entry(1, { kind: "decision", text: "x", decidedAt: at("20:15"), thing: blueServer.id }),
    ];
    expect(told([change, ill, alert, act, well], { log: elsewhere }).decision).toBe("20:20:00");
  });

  test("do not tell a report that comes after somebody had acted as the first", () => {
    const rows = [
      row(1, "20:10", "compute-77 is unreachable"),
      row(2, "20:15", "compute-77 restarted by hand", { eventKind: "change" }),
      row(3, "20:30", "Monitoring reports errors on compute-77", { eventKind: "symptom" }),
    ].map((one, index) => (index === 0 ? { ...one, eventKind: "symptom" as const } : one));
    expect(told([], { rows })).toMatchObject({ decision: "20:15:00" });
    expect(told([], { rows }).detection).toBeUndefined();
  });

  test("count a connection's clock error into how well they are known", () => {
    const clocks = material({ around: [ill], clockErrors: new Map([["sample", duration(90_000)]]) });
    expect(inferTimes(clocks)[0]?.precision).toBe(90_000);
    expect(inferTimes(material({ around: [ill] }))[0]?.precision).toBe(0);
  });

  test("are read of each thing by itself", () => {
    const marks = inferTimes(sampleMaterial());
    const resolutions = marks.filter(({ time }) => time === "resolution");
    expect(
      resolutions.map(({ thing, at: moment }) => [thing, new Date(moment).toISOString().slice(11, 19)]),
    ).toEqual([
      ["host:compute-77", "20:47:00"],
      ["server:red", "20:40:18"],
      ["server:blue", "20:44:51"],
    ]);
  });

  test("do not depend on the order in which events are given", () => {
    const whole = sampleMaterial();
    fc.assert(
      fc.property(fc.shuffledSubarray([...whole.around], { minLength: whole.around.length }), (around) => {
        expect(inferTimes({ ...whole, around })).toEqual(inferTimes(whole));
      }),
    );
  });
});

describe("the words of a line", () => {
  test("assert their last state", () => {
    expect(readWords("A node was overloaded. The queue is now working normally.").state).toBe("well");
    expect(readWords("The path is ok, but writes fail.").state).toBe("ill");
    expect(readWords("The disks are being restored").state).toBe("mending");
    expect(readWords("Someone made coffee").state).toBeUndefined();
  });

  test("assert nothing where they guess or hope", () => {
    expect(readWords("We expect it to be resolved at noon").state).toBeUndefined();
    expect(readWords("The switch may be down").state).toBeUndefined();
  });

  test("tell an act from its failure", () => {
    expect(readWords("The release was rolled back").acted).toBe(true);
    expect(readWords("Nobody can no longer restart it").acted).toBe(false);
    expect(readWords("All nodes have been shut down")).toMatchObject({ acted: true });
    expect(readWords("All nodes have been shut down").state).toBeUndefined();
  });

  test("give a kind where nothing else says it", () => {
    expect(
      ["Disk errors", "All is resolved", "They switched it off", "Alerts came in", "Lunch"].map(kindOfWords),
    ).toEqual(["symptom", "recovery", "change", "human", "activity"]);
  });

  test("name a thing whole, without regard to case or number", () => {
    expect(names("Hypervisor (1) rebooted", "hypervisors")).toBe(true);
    expect(names("hypervisory matters", "hypervisors")).toBe(false);
    expect(names("the load balancers", "Load Balancer")).toBe(true);
    expect(names("anything", "")).toBe(false);
  });
});

describe("standing times", () => {
  const imported = mark("event", "20:02", { provenance: { kind: "imported", document: "x", row: 1 } });
  const inferred = mark("event", "20:03", { provenance: { kind: "inferred", rule: "r/1", says: "" } });
  const set = mark("event", "20:01");

  test("are what was set, then what was imported, then what was inferred, in whatever order they come", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([set, imported, inferred], { minLength: 1 }), (marks) => {
        const expected = [set, imported, inferred].find((one) => marks.includes(one));
        expect(letStand(marks)).toEqual([expected]);
      }),
    );
  });

  test("are the later of two of one kind", () => {
    const again = mark("event", "20:09");
    expect(letStand([set, again])).toEqual([again]);
  });

  test("show the inferred beside them, and only what stood once it is published", () => {
    const draft = material({ incident: incident({ times: [set] }), around: [change, ill] });
    const [thing] = timesOfThings(draft);
    expect(thing?.standing.map(({ provenance }) => provenance.kind)).toEqual(["set"]);
    expect(thing?.inferred.map(({ at: moment }) => moment)).toEqual([at("20:05")]);
    const published = material({ incident: incident({ state: "published" }), around: [change, ill] });
    expect(timesOfThings(published)[0]?.standing).toEqual([]);
  });
});

describe("lengths", () => {
  const minute = duration(60_000);

  test("carry the wider precision of their two ends", () => {
    const { detect } = measureSpans([
      mark("event", "20:06"),
      mark("detection", "20:08", { precision: duration(0) }),
    ]);
    expect(detect).toEqual({ outcome: "measured", length: 120_000, precision: minute, unordered: false });
    expect(formatLength(duration(120_000), minute)).toBe("2 min ± 1 min");
  });

  test("are absent where an end is missing, and name it", () => {
    const spans = measureSpans([mark("event", "20:06")]);
    expect(spans.detect).toEqual({ outcome: "absent", missing: ["detection"] });
    expect(spans.decide).toEqual({ outcome: "absent", missing: ["detection", "decision"] });
  });

  test("inside one minute have no order", () => {
    const { detect } = measureSpans([mark("event", "20:06"), mark("detection", "20:06")]);
    expect(detect).toMatchObject({ outcome: "measured", length: 0, unordered: true });
  });

  test("are never negative, and a reversed pair is told", () => {
    const moment = fc.integer({ min: 0, max: 600_000 });
    const wide = fc.constantFrom(0, 1_000, 60_000);
    fc.assert(
      fc.property(moment, moment, wide, wide, (first, last, one, other) => {
        const marks = [
          mark("event", "20:00", { at: instant(first), precision: duration(one) }),
          mark("resolution", "20:00", { at: instant(last), precision: duration(other) }),
        ];
        const { total } = measureSpans(marks);
        const reversed = last < first && first - last >= Math.max(one, other);
        expect(total.outcome).toBe(reversed ? "reversed" : "measured");
        if (total.outcome === "measured") expect(total.length).toBe(Math.max(0, last - first));
        if (total.outcome === "reversed") expect(total.by).toBe(first - last);
        expect(reversedTimes(marks).length).toBe(reversed ? 1 : 0);
      }),
    );
  });

  test("are told of every pair of times that stand in the wrong order", () => {
    const marks: TimeMark[] = measuredTimes.map((time, index) => mark(time, `20:${30 - index * 5}`));
    expect(reversedTimes(marks)).toHaveLength(6);
  });

  test("are written in hours, minutes and seconds", () => {
    expect([0, 999, 59_000, 61_000, 8_520_000].map((ms) => formatLength(duration(ms)))).toEqual([
      "0 s",
      "999 ms",
      "59 s",
      "1 min 1 s",
      "2 h 22 min",
    ]);
  });
});
