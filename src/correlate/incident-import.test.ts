import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { entry, host, incident, material, sampleMaterial } from "../../test/incident-sample.ts";
import { IsochronError } from "../errors.ts";
import { eventKinds } from "../model/event.ts";
import type { ImportedRow, IncidentChange, TimeMark } from "../model/incident.ts";
import { measuredTimes } from "../model/incident.ts";
import { duration, formatInstant, instant } from "../model/instant.ts";
import { assembleDossier } from "./incident-assembly.ts";
import { exportIncident } from "./incident-export.ts";
import type { IncidentDocument } from "./incident-import.ts";
import { readIncidentDocument } from "./incident-import.ts";
import { composeReport } from "./incident-report.ts";
import { oneLine } from "./incident-text.ts";

function read(text: string, fields: Partial<IncidentDocument> = {}) {
  return readIncidentDocument({ name: "notes.md", text, ...fields });
}

function rowsOf(changes: readonly IncidentChange[]): readonly ImportedRow[] {
  return changes.flatMap((change) => (change.kind === "row" ? [change.row] : []));
}

function briefly(changes: readonly IncidentChange[]): readonly string[] {
  return rowsOf(changes).map(
    ({ at, precision, eventKind, thing, text }) =>
      `${formatInstant(at).slice(0, 19)}±${precision} ${eventKind} ${thing ?? "-"} ${text}`,
  );
}

describe("a document's timeline", () => {
  test("is read from tables, with the day and the zone of the front matter", () => {
    const { changes, setAside } = read(
      "---\ntitle: A **bad** evening\ndate: 2026-05-14\ntimezone: Europe/Paris\nseverity: critical\n---\n" +
        "# Evening\n\n| Time | Component | What happened |\n|---|---|---|\n" +
        "| 22:14 | Storage | Both paths are down |\n| 00:10:30 | Storage | All is **resolved** |\n",
    );
    expect(setAside).toEqual([]);
    expect(briefly(changes)).toEqual([
      "2026-05-14T20:14:00±60000 symptom storage Both paths are down",
      "2026-05-14T22:10:30±1000 recovery storage All is resolved",
    ]);
    expect(changes.slice(0, 4)).toEqual([
      { kind: "title", title: "A **bad** evening" },
      { kind: "severity", severity: "critical" },
      {
        kind: "window",
        from: Date.parse("2026-05-14T20:14:00Z"),
        to: Date.parse("2026-05-14T22:10:30Z"),
      },
      { kind: "thing", thing: { id: "storage", name: "Storage" } },
    ]);
  });

  test("is read from points of a list, without front matter", () => {
    const { changes, setAside, withoutTime } = read(
      "# 14 May 2026\n\n- 20:14 UTC – Both paths are down\n  on one host\n- [20:20 +02:00] We **restarted** it\n- 2026-05-15T06:00:00Z: all ok\n- bring cake\n  and plates\n",
    );
    expect(setAside).toEqual([]);
    expect(withoutTime).toBe(3);
    expect(briefly(changes)).toEqual([
      "2026-05-14T20:14:00±60000 symptom - Both paths are down on one host",
      "2026-05-14T18:20:00±60000 change - We restarted it",
      "2026-05-15T06:00:00±1000 recovery - all ok",
    ]);
  });

  test("is read from CSV under many names of its columns", () => {
    for (const header of [
      "timestamp,system,details",
      "When;Service;Message",
      "Heure\tcomposant\tévénement",
    ]) {
      const sign = /[,;\t]/.exec(header)![0];
      const line = ["2026-05-14 20:14:05Z", "Storage", '"both paths' + sign + ' down"'].join(sign);
      const { changes } = read(`${header}\n${line}\n`, { name: "a.csv" });
      expect(briefly(changes)).toEqual([
        `2026-05-14T20:14:05±1000 symptom storage ${oneLine(`both paths${sign} down`)}`,
      ]);
    }
  });

  test("gives measured times from a table of them", () => {
    const { changes } = read(
      "| Measured | Time of event | Detection | Decision | Resolution |\n|---|---|---|---|---|\n| Storage | 20:10 | 20:14 | – | 00:05 |\n",
      { date: "2026-05-14", timezone: "UTC" },
    );
    const marks = changes.flatMap((change) => (change.kind === "time" ? [change.mark] : []));
    expect(marks.map(({ time, at }) => `${time} ${formatInstant(at).slice(0, 16)}`)).toEqual([
      "event 2026-05-14T20:10",
      "detection 2026-05-14T20:14",
      "resolution 2026-05-15T00:05",
    ]);
    expect(marks[0]?.provenance).toEqual({ kind: "imported", document: "notes.md", row: 1 });
  });

  test("knows a thing that is measured already by its name", () => {
    const table =
      "| Time (UTC) | Component | Event |\n|---|---|---|\n| 2026-05-14 20:10 | COMPUTE-77 | down |\n";
    const { changes } = read(table, { things: [host] });
    expect(rowsOf(changes)[0]?.thing).toBe(host.id);
    expect(changes.some(({ kind }) => kind === "thing")).toBe(false);
  });

  const head = "| Time | What happened | Kind |\n|---|---|---|\n";
  test.each([
    ["a time without a zone", "| 2026-05-14 20:10 | down | |", "zone-missing"],
    ["a time without a day", "| 20:10Z | down | |", "date-missing"],
    ["an uncertain zone", "| 2026-05-14 20:10 CST | down | |", "zone-unclear"],
    ["a zone that nobody has", "| 2026-05-14 20:10 Europe/Atlantis | down | |", "zone-unclear"],
    ["a time that no clock shows", "| 2026-05-14 25:10Z | down | |", "time-unreadable"],
    ["words behind a time", "| 2026-05-14 20:10Z or so | down | |", "time-unreadable"],
    ["words for a time", "| at noon | down | |", "time-unreadable"],
    ["a time that the clocks left out", "| 2026-03-29 02:30 Europe/Paris | down | |", "time-skipped"],
    ["nothing that happened", "| 2026-05-14 20:10Z | | |", "text-missing"],
    ["a kind that is none", "| 2026-05-14 20:10Z | down | disaster |", "kind-unknown"],
    ["a text without end", `| 2026-05-14 20:10Z | ${"x".repeat(10_001)} | |`, "text-too-long"],
  ])("sets a line with %s aside whole, with what to do", (_, line, code) => {
    const { changes, setAside } = read(`${head}${line}\n`);
    expect(changes).toEqual([]);
    expect(setAside).toEqual([{ line: 3, text: line, code, remedy: expect.stringMatching(/\.$/) }]);
  });

  test("asks for the zone once and takes the importer's word for it", () => {
    const text = `${head}| 2026-05-14 20:10 | down | |\n`;
    expect(read(text).setAside[0]?.code).toBe("zone-missing");
    expect(read(text, { timezone: "Asia/Tokyo" }).changes.length).toBeGreaterThan(0);
    const certain = text.replace("Time |", "Time (UTC) |");
    expect(rowsOf(read(certain, { timezone: "Asia/Tokyo" }).changes)[0]?.at).toBe(
      Date.parse("2026-05-14T20:10Z"),
    );
    expect(read(text.replace("Time |", "Time (CEST) |"), { timezone: "UTC" }).setAside[0]?.code).toBe(
      "zone-unclear",
    );
  });

  test("of the hour that a clock change repeats is an hour imprecise", () => {
    const { changes } = read(`${head}| 2026-10-25 02:30 Europe/Paris | down | |\n`);
    expect(rowsOf(changes)[0]?.precision).toBe(3_600_000);
  });

  test("is refused as a whole where it is no document", () => {
    expect(() => read('a,b\n"open', { name: "x.csv" })).toThrow(IsochronError);
    expect(() => read("---\na: [\n---\n")).toThrow(IsochronError);
    expect(() => read("x".repeat(4_000_001))).toThrow(IsochronError);
  });

  test("loses no line unseen, whatever the document holds", () => {
    const line = fc.oneof(
      fc.string({ unit: "binary", maxLength: 60 }).map((text) => text.replaceAll(/\s/g, " ")),
      fc.constantFrom(
        "| Time | What |",
        "|---|---|",
        "| 20:10 | x |",
        "- 20:10 x",
        "- cake",
        "  more",
        "```",
        "# 2026-05-14",
        "",
        "1. 20:10Z y",
        "| a",
        "> q | 1",
      ),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 25 }), (lines) => {
        const text = `\n${lines.join("\n")}`;
        const result = read(text, { date: "2026-05-14" });
        const there = text
          .replace(/^\ufeff/, "")
          .split("\n")
          .filter((one) => one.trim() !== "").length;
        expect(result.used + result.withoutTime + result.setAsideLines).toBe(there);
        expect(result.lines).toBe(there);
      }),
    );
  });

  test("takes no longer for a hostile document than for a plain one of its length", () => {
    for (const text of [
      "[".repeat(19_000),
      "*".repeat(19_000),
      `x${" ".repeat(19_000)}y`,
      "|".repeat(19_000),
      "- ".repeat(9_000),
      "&".repeat(19_000),
      "<a".repeat(9_000),
    ])
      for (const begin of ["- 20:10 ", "# ", "| a |"])
        expect(read(`${begin}${text}`, { date: "2026-05-14" }).lines).toBe(1);
  });
});

describe("what was exported and read back", () => {
  const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 30 });
  const hostile = fc.constantFrom(
    "=1+1",
    "'=1",
    "''",
    "| x |",
    "**b**",
    "<b>",
    "&amp;",
    "\\|",
    "a\\",
    "- 20:10 x",
    "@x",
    "`c`",
    "[a](b)",
    "\ufdd00;",
  );
  const text = fc
    .oneof(
      word,
      hostile,
      fc.tuple(word, hostile).map(([a, b]) => `${a} ${b}`),
    )
    .map((one) => oneLine(one.replaceAll("\ufdd0", "")))
    .filter((one) => one !== "");
  const moment = fc
    .tuple(
      fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2030, 0) }),
      fc.constantFrom(0, 1_000, 60_000, 90_000),
    )
    .map(([at, precision]) => ({
      at: instant(precision === 60_000 ? at - (at % 60_000) : precision === 1_000 ? at - (at % 1_000) : at),
      precision: duration(precision),
    }));
  const row = fc.record({ moment, text, eventKind: fc.constantFrom(...eventKinds) });
  const thing = { id: "thing", name: "Storage path" };

  function materialOf(
    rows: readonly {
      moment: { at: ImportedRow["at"]; precision: ImportedRow["precision"] };
      text: string;
      eventKind: ImportedRow["eventKind"];
    }[],
    decisions: readonly { moment: { at: ImportedRow["at"] }; text: string }[],
    marks: readonly TimeMark[],
  ) {
    return material({
      incident: incident({
        things: [thing],
        title: '=HYPERLINK("x") <b>',
        times: marks,
        rows: rows.map((one, index) => ({
          document: "old.md",
          row: index + 1,
          ...one.moment,
          eventKind: one.eventKind,
          thing: thing.id,
          text: one.text,
        })),
        log: decisions.map((one, index) =>
          entry(index + 1, { kind: "decision", text: one.text, decidedAt: one.moment.at, thing: thing.id }),
        ),
        sections: [
          { section: "summary", audience: "provider", text: "- 20:10 this is a section\n\n| Time | What |" },
        ],
      }),
    });
  }

  test.each(["markdown", "csv"] as const)("as %s keeps rows, decisions and times", (format) => {
    const mark = fc
      .record({ moment, time: fc.constantFrom(...measuredTimes) })
      .map(({ moment: at, time }): TimeMark => ({
        thing: thing.id,
        time,
        ...at,
        provenance: { kind: "set", by: "user:x", why: "y" },
      }));
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 5 }),
        fc.array(fc.record({ moment, text }), { maxLength: 3 }),
        fc.uniqueArray(mark, { selector: ({ time }) => time, maxLength: 4 }),
        (rows, decisions, marks) => {
          // What could be inferred from the rows as well is frozen first, so that it is the same before and after.
          const dossier = assembleDossier(materialOf(rows, decisions, marks));
          const written = exportIncident(composeReport(dossier, { kind: "provider" }), format);
          const result = read(written, { name: format === "csv" ? "x.csv" : "x.md", things: [thing] });
          expect(result.setAside).toEqual([]);
          const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
          expect(
            rowsOf(result.changes)
              .map((one) => `${one.at} ${one.precision} ${one.eventKind} ${one.thing} ${one.text}`)
              .toSorted(order),
          ).toEqual(
            rows
              .map(
                (one) => `${one.moment.at} ${one.moment.precision} ${one.eventKind} ${thing.id} ${one.text}`,
              )
              .toSorted(order),
          );
          expect(
            result.changes
              .flatMap((one) =>
                one.kind === "decision" ? [`${one.decidedAt} ${one.thing} ${one.text}`] : [],
              )
              .toSorted(order),
          ).toEqual(decisions.map((one) => `${one.moment.at} ${thing.id} ${one.text}`).toSorted(order));
          expect(
            result.changes.flatMap((one) =>
              one.kind === "time"
                ? [`${one.mark.thing} ${one.mark.time} ${one.mark.at} ${one.mark.precision}`]
                : [],
            ),
          ).toEqual(
            dossier.things[0]!.standing.map((one) => `${one.thing} ${one.time} ${one.at} ${one.precision}`),
          );
        },
      ),
    );
  });

  test("sets a line that is too long aside, also where it looks like a point with a time", () => {
    const { used, withoutTime, setAside } = read(`- 2026-05-14 20:10Z ${"x ".repeat(15_000)}\n`);
    expect([used, withoutTime]).toEqual([0, 0]);
    expect(setAside.map(({ code, line }) => [code, line])).toEqual([["text-too-long", 1]]);
  });

  test("keeps title, severity, window and notes of a whole incident", () => {
    const sample = sampleMaterial();
    const written = exportIncident(composeReport(assembleDossier(sample), { kind: "provider" }), "markdown");
    const { changes, setAside } = read(written, { things: sample.incident.things });
    expect(setAside).toEqual([]);
    expect(changes.slice(0, 3)).toEqual([
      { kind: "title", title: sample.incident.title },
      { kind: "severity", severity: "critical" },
      { kind: "window", ...sample.incident.window },
    ]);
    expect(changes).toContainEqual({
      kind: "note",
      text: "Both paths went at once.",
      about: expect.any(Number),
    });
    // Three visible pins and one row.
    expect(rowsOf(changes)).toHaveLength(4);
  });
});
