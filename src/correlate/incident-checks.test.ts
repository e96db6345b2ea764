import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  at,
  entry,
  event,
  host,
  incident,
  mark,
  material,
  redServer,
  row,
  sampleMaterial,
  tenants,
} from "../../test/incident-sample.ts";
import type { Incident } from "../model/incident.ts";
import { duration, instant } from "../model/instant.ts";
import { assembleDossier, blocksPublishing } from "./incident-assembly.ts";
import type { CheckCode, DossierEvent, DossierMaterial, IncidentCheck } from "./incident-dossier.ts";
import { collectIdentifiers, findLeaks } from "./incident-leak.ts";

function checks(fields: Partial<DossierMaterial>, code: CheckCode): readonly IncidentCheck[] {
  return assembleDossier(material(fields)).checks.filter((one) => one.code === code);
}

function of(fields: Partial<Incident>, code: CheckCode): readonly IncidentCheck[] {
  return checks({ incident: incident(fields) }, code);
}

function step(
  id: string,
  clock: string,
  phase: "start" | "end",
  fields: Partial<DossierEvent> = {},
): DossierEvent {
  return event(id, clock, {
    kind: "change",
    phase,
    type: `compute.live_migration.${phase}`,
    operation: { requestId: "req-1" },
    ...fields,
  });
}

describe("before publishing", () => {
  test("an end before its start is told, beyond the clocks' error", () => {
    const around = [step("end", "20:10:00", "end"), step("start", "20:10:05", "start")];
    expect(checks({ around }, "clocks-disagree")).toMatchObject([
      { severity: "warns", where: { event: "end" } },
    ]);
    const clockErrors = new Map([["sample", duration(2_500)]]);
    expect(checks({ around, clockErrors }, "clocks-disagree")).toEqual([]);
    const rightWay = [step("start", "20:10:00", "start"), step("end", "20:10:05", "end")];
    expect(checks({ around: rightWay }, "clocks-disagree")).toEqual([]);
  });

  test("two connections that tell one step apart are told", () => {
    const other = { connection: "other" };
    const around = [step("a", "20:10:00", "start"), step("b", "20:10:30", "start", other)];
    expect(checks({ around }, "views-apart")).toMatchObject([{ where: { event: "b", connection: "other" } }]);
    const near = [step("a", "20:10:00", "start"), step("b", "20:10:01", "start", other)];
    expect(checks({ around: near }, "views-apart")).toEqual([]);
    const alone = [step("a", "20:10:00", "start"), step("b", "20:10:30", "start")];
    expect(checks({ around: alone }, "views-apart")).toEqual([]);
  });

  test("a pinned event and a decision that were written down late are told", () => {
    const late = event("late", "20:10", { kind: "symptom", recordedAt: at("21:10:01") });
    const pinned = incident({ pins: [{ event: "late", by: "user:operator" }] });
    expect(checks({ incident: pinned, pins: new Map([["late", late]]) }, "late-report")).toHaveLength(1);
    const soon = { ...late, recordedAt: at("21:10:00") };
    expect(checks({ incident: pinned, pins: new Map([["late", soon]]) }, "late-report")).toEqual([]);
    const decision = entry(1, { kind: "decision", text: "Evacuate", decidedAt: at("20:30") });
    expect(of({ log: [decision] }, "late-report")).toEqual([]);
    const slow = { ...decision, recordedAt: instant(at("21:10") + 3_600_001) };
    expect(of({ log: [slow] }, "late-report")).toMatchObject([{ where: { entry: 1 } }]);
  });

  test("a line that tells of another time inside its text is told", () => {
    const rows = [row(1, "13:40", "The hosts had rebooted around 12:48")];
    expect(of({ rows }, "earlier-time-inside")).toMatchObject([
      { where: { row: { document: "notes.md", row: 1 } } },
    ]);
    // The same moment in another zone, and what is no time at all.
    expect(of({ rows: [row(1, "13:40", "At 15:40 it was over, 1:1")] }, "earlier-time-inside")).toEqual([]);
    const written = event("e", "13:40", {
      kind: "symptom",
      summary: "since 15:30",
      details: { time_as_written: "15:40" },
    });
    expect(checks({ around: [written] }, "earlier-time-inside")).toHaveLength(1);
    expect(checks({ around: [{ ...written, summary: "until 16:30" }] }, "earlier-time-inside")).toEqual([]);
  });

  test("lines of one minute, and both ends of a length in one minute, are told", () => {
    const rows = [
      row(1, "20:10", "compute-77 fails", { eventKind: "symptom" }),
      row(2, "20:10", "compute-77 restarted", { eventKind: "change" }),
    ];
    expect(of({ rows }, "same-minute").length).toBeGreaterThan(0);
    expect(of({ rows: [rows[0]!, { ...rows[1]!, at: at("20:11") }] }, "same-minute")).toEqual([]);
    expect(of({ times: [mark("event", "20:10"), mark("detection", "20:10")] }, "same-minute")).toHaveLength(
      1,
    );
  });

  test("missing times, times out of order and a thing without symptom are told", () => {
    expect(of({}, "time-missing").map(({ where }) => where.time)).toEqual([
      "event",
      "detection",
      "decision",
      "resolution",
    ]);
    expect(of({}, "no-symptom")).toHaveLength(1);
    expect(checks({ around: [event("s", "20:10", { kind: "symptom" })] }, "no-symptom")).toEqual([]);
    const times = [mark("event", "20:10"), mark("detection", "20:05")];
    expect(of({ times }, "times-reversed")).toMatchObject([
      { severity: "blocks", where: { thing: host.id, time: "detection" } },
    ]);
    expect(of({ things: [] }, "nothing-measured")).toHaveLength(1);
  });

  test("stretches that nobody saw are told where they reach into the window", () => {
    const hole = (from: string, to?: string) => ({
      connection: "nova",
      from: at(from),
      says: "the queue was full",
      ...(to !== undefined && { to: at(to) }),
    });
    const found = (one: ReturnType<typeof hole>) => checks({ holes: [one] }, "blind").length;
    expect([
      found(hole("19:00", "20:01")),
      found(hole("20:59")),
      found(hole("19:00", "20:00")),
      found(hole("21:00")),
    ]).toEqual([1, 1, 0, 0]);
  });

  test("pins that are gone or withheld are told", () => {
    const pinned = incident({
      pins: [
        { event: "a", by: "x" },
        { event: "b", by: "x" },
      ],
    });
    const pins = new Map([["b", "withheld" as const]]);
    expect(checks({ incident: pinned, pins }, "pin-gone").map(({ where }) => where.event)).toEqual(["a"]);
    expect(checks({ incident: pinned, pins }, "pin-withheld").map(({ where }) => where.event)).toEqual(["b"]);
  });

  test("a summary must be there for whoever is told", () => {
    const tell = [tenants.red];
    expect(of({ tell }, "section-missing").map(({ severity, where }) => [severity, where.section])).toEqual([
      ["blocks", "summary"],
      ["warns", "impact"],
    ]);
    const summary = { section: "summary", audience: "public", text: "x" } as const;
    expect(of({ tell, sections: [summary] }, "section-missing").map(({ severity }) => severity)).toEqual([
      "warns",
      "warns",
    ]);
    expect(of({}, "section-missing")).toEqual([]);
    expect(of({ sections: [{ ...summary, section: "cause" }] }, "section-missing")[0]).toMatchObject({
      where: { audience: "public" },
    });
  });

  test("what blocks comes first and is told by one answer", () => {
    const dossier = assembleDossier(material({ incident: incident({ tell: [tenants.red] }) }));
    expect(dossier.checks[0]?.severity).toBe("blocks");
    expect(blocksPublishing(dossier)).toBe(true);
    expect(blocksPublishing(assembleDossier(sampleMaterial()))).toBe(false);
  });
});

describe("a text for others", () => {
  const known = collectIdentifiers({ ...sampleMaterial(), knownNames: ["Blue Press"] });

  function leaks(text: string): readonly string[] {
    return findLeaks(text, known).map(({ found }) => found);
  }

  test.each([
    ["a host", "On compute-77 it failed", "compute-77"],
    ["a host in capitals and with unseen marks", "COMPUTE\u200b-77", "compute-77"],
    ["a host with another kind of dash", "on compute\u201177 and compute\u201378", "compute-77"],
    ["a host with a mark that joins", "on com\u034fpute-77", "compute-77"],
    ["a tenant's name over two lines", "all servers of Blue\nPress", "blue press"],
    ["the beginning of a server's id", "server 0c5b2f9e was moved", "0c5b2f9e"],
    ["a host in wide letters", "ｃｏｍｐｕｔｅ-77", "compute-77"],
    ["a server's id", `server ${redServer.ref!.id}`, redServer.ref!.id],
    ["a server's name", "red-web-1 was moved", "red-web-1"],
    ["a tenant", "project 1111aaaa1111aaaa1111aaaa1111aaaa", "1111aaaa1111aaaa1111aaaa1111aaaa"],
    ["a person", "restarted by operator.one", "operator.one"],
    ["a person's address", "from 198.51.100.7", "198.51.100.7"],
    ["an e-mail address", "ask nobody@example.org", "nobody@example.org"],
    [
      "an id that we do not know",
      "see 01234567-89ab-cdef-0123-456789abcdef",
      "01234567-89ab-cdef-0123-456789abcdef",
    ],
    ["an address that we do not know", "at 203.0.113.9.", "203.0.113.9"],
    ["an address of the sixth version", "at 2001:db8::1 now", "2001:db8::1"],
    ["a host that we do not know", "on db1.internal", "db1.internal"],
  ])("is found to hold %s", (_, text, found) => {
    expect(leaks(text)).toContain(found);
  });

  test("may hold clock times, versions, plain words and its own sentence", () => {
    expect(
      leaks("At 20:10:31 and 20:10, release 3.3.1 went to all hosts; operators moved your server."),
    ).toEqual([]);
  });

  test("is found to hold an identifier wherever it stands", () => {
    const words = fc.string({ unit: "grapheme-ascii", maxLength: 20 });
    fc.assert(
      fc.property(
        words,
        fc.constantFrom(...[...known.identifiers].filter((one) => one.length >= 8)),
        words,
        (a, identifier, b) => {
          expect(leaks(`${a}${identifier.toUpperCase()}${b}`)).toContain(identifier);
        },
      ),
    );
  });

  test("blocks publishing where it tells for certain, and warns where a name is a plain word", () => {
    const server = event("s", "20:10", {
      kind: "symptom",
      subject: { kind: "server", id: "id-of-web" },
      subjectName: "web",
    });
    const text = (words: string) =>
      checks(
        {
          incident: incident({ sections: [{ section: "summary", audience: "public", text: words }] }),
          around: [server],
        },
        "leak",
      );
    expect(text("the web was slow")).toMatchObject([
      { severity: "warns", where: { section: "summary", audience: "public" } },
    ]);
    expect(text("id-of-web was slow")).toMatchObject([{ severity: "blocks" }, { severity: "warns" }]);
    expect(text("a cobweb")).toEqual([]);
    const amended = entry(4, { kind: "amendment", audience: "tenant", text: "compute-77" });
    expect(of({ log: [amended] }, "leak")).toMatchObject([
      { severity: "blocks", where: { entry: 4, audience: "tenant" } },
    ]);
    const internal = { section: "summary", audience: "provider", text: "compute-77" } as const;
    expect(of({ sections: [internal] }, "leak")).toEqual([]);
  });
});
