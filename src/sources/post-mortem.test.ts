import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import type { EventDraft } from "../model/event.ts";
import { formatInstant, instant } from "../model/instant.ts";
import { clean } from "../normalise/clean.ts";
import { decoders } from "../normalise/decode.ts";
import { postMortem } from "./post-mortem.ts";
import type { RawRecord, SourceFile } from "./source.ts";

const modifiedAt = instant(Date.UTC(2026, 10, 21));

function fileOf(name: string, text: string | Uint8Array): SourceFile {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return {
    name,
    modifiedAt,
    whole: () => Promise.resolve(bytes),
    lines: () => {
      throw new Error("a post-mortem is read as a whole");
    },
  };
}

async function split(name: string, text: string | Uint8Array): Promise<RawRecord[]> {
  const records: RawRecord[] = [];
  for await (const record of postMortem.splitFile!(fileOf(name, text), decoders)) records.push(record);
  return records;
}

async function drafts(text: string, name = "pm.md"): Promise<EventDraft[]> {
  const records = await split(name, text);
  return records.flatMap((record) => postMortem.normalise(record, decoders).events);
}

async function times(text: string, name?: string): Promise<string[]> {
  return (await drafts(text, name)).map((draft) => formatInstant(draft.occurredAt).slice(0, 19));
}

async function refusal(text: string, name?: string): Promise<string> {
  try {
    await drafts(text, name);
  } catch (error) {
    if (error instanceof IsochronError && error.code === "record-invalid") return error.message;
    throw error;
  }
  throw new Error("it was accepted");
}

const paris = "---\ndate: 2024-08-02\ntimezone: Europe/Paris\n---\n";
const head = "| Time | Component | What happened |\n|---|---|---|\n";

describe("the demo's document", () => {
  const text = readFileSync(new URL("../../demo/post-mortem-2024-08-02.md", import.meta.url), "utf8");

  test("gives 92 rows in and 92 events out, in order, known to the minute", async () => {
    const events = await drafts(text, "post-mortem-2024-08-02.md");
    expect(events).toHaveLength(92);
    expect(new Set(events.map((event) => event.key)).size).toBe(92);
    expect(formatInstant(events[0]!.occurredAt)).toBe("2024-08-02T08:06:00.000Z");
    expect(formatInstant(events[91]!.occurredAt)).toBe("2024-08-02T20:53:00.000Z");
    expect(events.every((event, n) => n === 0 || event.occurredAt >= events[n - 1]!.occurredAt)).toBe(true);
    expect(events.every((event) => event.precision === 60_000 && event.platform === true)).toBe(true);
    expect(events[0]).toMatchObject({ kind: "change", subject: { kind: "component", id: "Messaging" } });
    expect(events[91]).toMatchObject({
      kind: "recovery",
      subject: { id: "A messaging upgrade and what followed it" },
    });
    expect(clean({ events, facts: [] }, modifiedAt).events).toEqual(events);
  });

  test("cut anywhere, it gives the rows before the cut or a reason", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length), async (at) => {
        for (const record of await split("cut.md", text.slice(0, at))) {
          try {
            expect(postMortem.normalise(record, decoders).events).toHaveLength(1);
          } catch (error) {
            if (!(error instanceof IsochronError)) throw error;
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("times", () => {
  test("a zone's summer and winter time are kept apart", async () => {
    const rows = "| 12:00 | A | noon |\n";
    expect(await times(paris + head + rows)).toEqual(["2024-08-02T10:00:00"]);
    expect(await times(paris.replace("08-02", "01-02") + head + rows)).toEqual(["2024-01-02T11:00:00"]);
  });

  test("rows that pass midnight go on the next day, and a small step back does not", async () => {
    const rows =
      "| 23:50 | A | one |\n| 23:40 | A | noted late |\n| 00:10 | A | two |\n| 11:00 | A | three |\n| 23:00 | A | four |\n| 0:30 | A | five |\n";
    expect(await times(paris.replace("Europe/Paris", "UTC") + head + rows)).toEqual([
      "2024-08-02T23:50:00",
      "2024-08-02T23:40:00",
      "2024-08-03T00:10:00",
      "2024-08-03T11:00:00",
      "2024-08-03T23:00:00",
      "2024-08-04T00:30:00",
    ]);
  });

  test.each([
    ["14:05", "2024-08-02T12:05:00", 60_000],
    ["14:05:30", "2024-08-02T12:05:30", 1_000],
    ["14h05", "2024-08-02T12:05:00", 60_000],
    ["2:05 PM", "2024-08-02T12:05:00", 60_000],
    ["12:05 am", "2024-08-01T22:05:00", 60_000],
    ["14:05 UTC", "2024-08-02T14:05:00", 60_000],
    ["14:05 +05:30", "2024-08-02T08:35:00", 60_000],
    ["2024-08-03 14:05", "2024-08-03T12:05:00", 60_000],
    ["2024-08-03T14:05:30-0200", "2024-08-03T16:05:30", 1_000],
    ["3 August 2024 14:05", "2024-08-03T12:05:00", 60_000],
  ])("%s is understood with its own precision", async (cell, expected, precision) => {
    const [event] = await drafts(`${paris}${head}| ${cell} | A | x |`);
    expect(formatInstant(event!.occurredAt).slice(0, 19)).toBe(expected);
    expect(event!.precision).toBe(precision);
  });

  test("an hour that a clock change repeats is flagged, one that it skips is refused", async () => {
    const [event] = await drafts(paris.replace("2024-08-02", "2024-10-27") + head + "| 02:30 | A | x |");
    expect(event).toMatchObject({ precision: 3_600_000, details: { time_ambiguous: true } });
    expect(formatInstant(event!.occurredAt)).toBe("2024-10-27T00:30:00.000Z");
    expect(await refusal(paris.replace("2024-08-02", "2024-03-31") + head + "| 02:30 | A | x |")).toContain(
      "skipped",
    );
  });

  test("a heading's date serves where no front matter names one", async () => {
    const text = `# Outage of 2 August 2024\n\nTimes are local.\n\n${head}| 10:00 | A | x |\n\n## 3 août 2024\n\n${head}| 01:00 | A | y |\n`;
    expect(await times(`---\ntimezone: "+0200"\n---\n${text}`)).toEqual([
      "2024-08-02T08:00:00",
      "2024-08-02T23:00:00",
    ]);
  });

  test.each([
    ["Time (UTC+02:00)", "2024-08-02T08:06:00"],
    ["Time (UTC+2)", "2024-08-02T08:06:00"],
    ["Time (GMT \u22125)", "2024-08-02T15:06:00"],
    ["Time UTC+0530", "2024-08-02T04:36:00"],
    ["Time (+02:00)", "2024-08-02T08:06:00"],
    ["Time (-3)", "2024-08-02T13:06:00"],
    ["Heure (Europe/Paris)", "2024-08-02T08:06:00"],
    ["Time, UTC", "2024-08-02T10:06:00"],
    ["Time (GMT)", "2024-08-02T10:06:00"],
    ["Time (Z)", "2024-08-02T10:06:00"],
    ["Time (UTC, 24h)", "2024-08-02T10:06:00"],
    // Nothing of a zone: the front matter's holds.
    ["Time (HH:MM)", "2024-08-02T09:06:00"],
    ["Date/Time", "2024-08-02T09:06:00"],
  ])("a heading %s means what it says", async (heading, expected) => {
    const matter = "---\ndate: 2024-08-02\ntimezone: UTC+1\n---\n";
    expect(await times(`${matter}| ${heading} | Event |\n|--|--|\n| 10:06 | x |\n`)).toEqual([expected]);
  });

  test.each([
    "Time (CEST)",
    "Time CET",
    "Time (cest)",
    "Time (UTC / CEST)",
    "Time (XYZT)",
    "Time (UTC+25)",
    "Time (UTC + 2)",
    "Time (UTC 2)",
    "Time (UTC+2h)",
    "Time (Europe/Atlantis)",
    "Time (Pacific Time)",
  ])("a heading %s is refused, never read as UTC", async (heading) => {
    const text = `---\ndate: 2024-08-02\ntimezone: UTC\n---\n| ${heading} | Event |\n|--|--|\n| 10:06 | x |\n`;
    expect(await refusal(text)).toContain("Write UTC, an offset");
  });

  test.each([
    ["10:06 UTC+02:00", "08:06:00"],
    ["10:06 UTC+2", "08:06:00"],
    ["10:06 (UTC+02:00)", "08:06:00"],
    ["10:06 (+2)", "08:06:00"],
    ["10:06 +0200", "08:06:00"],
    ["10:06 Europe/Paris", "08:06:00"],
    ["10:06:07-05:00", "15:06:07"],
    ["2024-08-02T10:06-05:00", "15:06:00"],
    ["10:06 GMT", "10:06:00"],
  ])("a cell %s brings its own zone", async (cell, expected) => {
    const text = `---\ndate: 2024-08-02\ntimezone: Asia/Tokyo\n---\n${head}| ${cell} | A | x |\n`;
    expect(await times(text)).toEqual([`2024-08-02T${expected}`]);
  });

  test.each(["10:06 CEST", "10:06 UTC+99", "10:06-11:00", "10:06 UTC+2h"])(
    "a cell %s is refused, never read as UTC",
    async (cell) => {
      const text = `---\ndate: 2024-08-02\ntimezone: UTC\n---\n${head}| ${cell} | A | x |\n`;
      expect(await refusal(text)).toMatch(/Paris/);
    },
  );

  test("a header may name UTC", async () => {
    expect(
      await times("---\ndate: 2024-08-02\n---\n| Time (UTC) | Event |\n|--|--|\n| 10:00 | x |\n"),
    ).toEqual(["2024-08-02T10:00:00"]);
  });

  test.each([
    ["---\ndate: 2024-08-02\n---\n", "| 10:00 | A | x |", "timezone:"],
    ["---\ntimezone: UTC\n---\n", "| 10:00 | A | x |", "date:"],
    ["---\ndate: 2024-02-30\ntimezone: UTC\n---\n", "| 10:00 | A | x |", "date:"],
    [paris.replace("Europe/Paris", "Mars/Olympus"), "| 10:00 | A | x |", "Mars/Olympus"],
    [paris, "| soon | A | x |", "soon"],
    [paris, "| 25:00 | A | x |", "25:00"],
    [paris, "| 13:00 PM | A | x |", "13:00 PM"],
    ["---\na: b: c\n  - [\n---\n", "| 10:00 | A | x |", "YAML"],
  ])("front matter %j with %s is refused with what to do", async (matter, row, words) => {
    expect(await refusal(matter + head + row)).toContain(words);
  });
});

test("front matter nested without end, or repeating itself without end, is refused", async () => {
  const bomb = Array.from(
    { length: 20 },
    (_, n) => `a${n + 1}: &a${n + 1} [*a${n},*a${n},*a${n},*a${n}]`,
  ).join("\n");
  for (const yaml of [`a: ${"[".repeat(9_000)}`, `a: ${"x".repeat(20_000)}`, `a0: &a0 x\n${bomb}`]) {
    expect(await refusal(`---\n${yaml}\n---\n${head}| 10:00 | A | x |`)).toContain("YAML");
  }
});

test("a row that says nothing is refused", async () => {
  expect(await refusal(`${paris}${head}| 10:00 | | |`)).toContain("nothing happened");
});

describe("tables", () => {
  test("a bad row leaves the good ones alone", async () => {
    const records = await split(
      "pm.md",
      `${paris}${head}| 10:00 | A | x |\n| soon | A | y |\n| 10:02 | A | z |\n`,
    );
    const outcomes = records.map((record) => {
      try {
        return postMortem.normalise(record, decoders).events.length;
      } catch (error) {
        return (error as IsochronError).code;
      }
    });
    expect(outcomes).toEqual([1, "record-invalid", 1]);
    expect(records[1]?.position).toBe("row 2");
  });

  test("columns are found by loose names, and a row without component stays", async () => {
    const text = `${paris}| Heure | Équipe | Service | Type | Gravité | Événement |\n|-|-|-|-|-|-|\n| 10:00 | ops | Base | change | P1 | Mise à jour **lancée**, voir [ticket](https://x.y/z) |\n`;
    expect(await drafts(text)).toMatchObject([
      {
        kind: "change",
        severity: "critical",
        subject: { kind: "component", id: "Base" },
        summary: "Mise à jour lancée, voir ticket",
      },
    ]);
    expect(await drafts(`${paris}${head}| 22:53 | All is well again |\n`)).toMatchObject([
      { summary: "All is well again", subject: { id: "pm.md" } },
    ]);
  });

  test("CSV is read with commas, semicolons or tabs, with a date column and quotes", async () => {
    for (const sign of [",", ";", "\t"]) {
      const text = `---\ntimezone: UTC\n---\nDate,Time,Component,Description\n2024-08-02,10:00,DB,"down, ""hard"""\n2024-08-03,09:00,DB,resolved\n`;
      const events = await drafts(text.replaceAll(/,(?! )/g, sign), "pm.csv");
      expect(
        events.map((event) => [formatInstant(event.occurredAt).slice(0, 16), event.kind, event.summary]),
      ).toEqual([
        ["2024-08-02T10:00", "symptom", 'down, "hard"'],
        ["2024-08-03T09:00", "recovery", "resolved"],
      ]);
    }
    expect(await refusal('Time,Event\n10:00,"x', "pm.csv")).toContain("CSV");
  });

  test("tables without times are passed over; a document without any is set aside whole, with the reason", async () => {
    const text = `${paris}| Name | Size |\n|--|--|\n| a | 1 |\n\n${head}| 10:00 | A | x |\n`;
    expect(await drafts(text)).toHaveLength(1);
    const records = await split("pm.md", "# Nothing\n\nNo table.\n");
    expect(records).toHaveLength(1);
    expect(() => postMortem.normalise(records[0]!, decoders)).toThrow(/no table/);
  });

  test("a document kept whole gives the same events as its rows", async () => {
    const text = `${paris}${head}| 10:00 | A | x |\n| 10:00 | B | y |\n`;
    const whole: RawRecord = {
      bytes: new TextEncoder().encode(text),
      position: "document",
      receivedAt: modifiedAt,
      meta: { document: "pm.md" },
    };
    expect(postMortem.normalise(whole, decoders).events).toEqual(await drafts(text));
  });

  test("the events are the provider's own, and the order inside a minute stays readable", async () => {
    const events = await drafts(`${paris}${head}| 10:00 | A | x |\n| 10:00 | A | x |\n`);
    expect(events.map((event) => event.details["row"])).toEqual([1, 2]);
    expect(events[0]!.key).not.toBe(events[1]!.key);
    expect(events.every((event) => event.visibility === "provider" && event.stated === undefined)).toBe(true);
  });

  test("tables inside code are no tables", async () => {
    expect(await refusal(`${paris}\`\`\`\n${head}| 10:00 | A | x |\n\`\`\`\n`)).toContain("no table");
  });
});

describe("bad input", () => {
  test.each([
    ["invalid UTF-8", Uint8Array.of(0x7c, 0xff, 0x7c)],
    ["UTF-16", new Uint8Array(Buffer.from("\ufeff| Time | Event |", "utf16le"))],
    ["10 MB", new Uint8Array(10_000_000).fill(0x7c)],
    ["nothing", new Uint8Array(0)],
    ["quotes nested 200,000 deep", new TextEncoder().encode(">".repeat(200_000) + head)],
    ["lists nested 50,000 deep", new TextEncoder().encode("- ".repeat(50_000) + head)],
    ["a heading of 1 MB", new TextEncoder().encode(`# ${"[".repeat(1_000_000)}`)],
    [
      "a header of 10,000 columns",
      new TextEncoder().encode(`${"|a".repeat(9_000)}|\n${"|-".repeat(9_000)}|\n`),
    ],
  ])("%s is one record set aside", async (_name, bytes) => {
    const records = await split("pm.md", bytes);
    expect(records).toHaveLength(1);
    expect(() => postMortem.normalise(records[0]!, decoders)).toThrow(IsochronError);
  });

  test("any text gives events or reasons, never anything else", async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "|",
        "\n",
        "---\n",
        head,
        paris,
        "10:00",
        "2024-08-02",
        "UTC",
        "# ",
        "```",
        '"',
        ",",
        "\0",
        "\ud800",
      ),
      fc.string({ unit: "binary", maxLength: 10 }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 20 }),
        fc.boolean(),
        fc.boolean(),
        async (pieces, csv, framed) => {
          const text = (framed ? paris + head : "") + pieces.join("");
          for (const record of await split(csv ? "x.csv" : "x.md", text)) {
            try {
              const observation = postMortem.normalise(record, decoders);
              expect(clean(observation, modifiedAt).events).toHaveLength(observation.events.length);
            } catch (error) {
              if (!(error instanceof IsochronError)) throw error;
            }
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });
});
