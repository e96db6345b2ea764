import * as fc from "fast-check";
import { parse as parseCsv } from "csv-parse/sync";
import { marked } from "marked";
import { describe, expect, test } from "vitest";
import { entry, event, host, incident, material, row, sampleMaterial } from "../../test/incident-sample.ts";
import { canonicalJson } from "../model/json.ts";
import { assembleDossier } from "./incident-assembly.ts";
import type { ReportReader } from "./incident-dossier.ts";
import { exportIncident } from "./incident-export.ts";
import type { IncidentReport } from "./incident-report.ts";
import { composeReport } from "./incident-report.ts";

const provider: ReportReader = { kind: "provider" };

describe("foreign text", () => {
  const bits = [
    "<script>alert(1)</script>",
    "<img src=x onerror=a>",
    "[a](javascript:b)",
    "![i](http://e.x/i.png)",
    "**b**",
    "`c`",
    "| x | y |",
    "\n# h\n",
    "\n---\n",
    "\n```\n",
    "&lt;",
    "\\",
    "](x)",
    "<!--",
    "=1+1",
    "@SUM(1)",
    "+1",
    "-1",
    "\t=1",
    "https://evil.example",
    "www.evil.example",
    "a@evil.example",
    "\n- x",
    "1. x",
    "\u202e",
    "\u0000",
    "~~s~~",
    '"',
    "'",
    "\r\n",
    "\ud800",
    "{{x}}",
    "$x$",
    "\n    code",
    "[^1]",
    "[x]: http://e.x",
    "===",
    "\u2028",
  ];
  const hostile = fc
    .array(fc.oneof(fc.constantFrom(...bits), fc.string({ unit: "binary", maxLength: 6 })), {
      minLength: 1,
      maxLength: 6,
    })
    .map((parts) => parts.join(""));

  function withText(text: string): IncidentReport {
    const filled = incident({
      title: text,
      things: [{ ...host, name: text }],
      pins: [{ event: "e", by: text, note: text }],
      rows: [row(1, "20:20", text, { document: text, thing: text })],
      log: [
        entry(1, { kind: "note", text }, text),
        entry(2, { kind: "amendment", text, audience: "public" }),
      ],
      sections: [{ section: "summary", audience: "provider", text }],
    });
    const pins = new Map([["e", event("e", "20:14", { kind: "symptom", summary: text, subjectName: text })]]);
    return composeReport(assembleDossier(material({ incident: filled, pins })), provider);
  }

  const shape = (html: string): readonly string[] =>
    [...html.matchAll(/<\/?([a-z][a-z0-9]*)/gi)].map(([, name]) => name!.toLowerCase());

  test("in Markdown gives no mark-up of its own to whoever renders it", () => {
    const allowed = new Set([
      "h1",
      "h2",
      "h3",
      "p",
      "hr",
      "ul",
      "li",
      "table",
      "thead",
      "tbody",
      "tr",
      "th",
      "td",
      "br",
    ]);
    fc.assert(
      fc.property(hostile, (text) => {
        const markdown = exportIncident(withText(text), "markdown");
        const html = marked.parse(markdown, { async: false, gfm: true });
        expect(shape(html).filter((name) => !allowed.has(name))).toEqual([]);
        // Every row of each table keeps its cells.
        for (const [table] of html.matchAll(/<table>[\s\S]*?<\/table>/g)) {
          const cells = [...table.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map(
            ([, row_]) => row_!.match(/<t[hd]/g)?.length,
          );
          expect(new Set(cells).size).toBe(1);
        }
        expect(markdown.isWellFormed()).toBe(true);
      }),
      { numRuns: 120 },
    );
  });

  test("in Markdown is shown word for word", () => {
    const text = String.raw`a *b* _c_ [d](e) <f> & \g | h ~i~ #j !k @l ^m $n`;
    const html = marked.parse(exportIncident(withText(text), "markdown"), { async: false });
    expect(html.match(/<h1>([\s\S]*?)<\/h1>/)?.[1]).toBe(
      String.raw`a *b* _c_ [d](e) &lt;f&gt; &amp; \g | h ~i~ #j !k @l ^m $n`,
    );
  });

  test("in Markdown begins no list, heading or rule with its first sign", () => {
    for (const sign of ["+ x", "x\n===", "x\n---", "1. x", "# x", "> x"]) {
      const html = marked.parse(exportIncident(withText(sign), "markdown"), { async: false });
      const summary = html.slice(html.indexOf("<h2>Summary"), html.indexOf("<h2>Times"));
      expect(shape(summary).filter((name) => name !== "p" && name !== "h2")).toEqual([]);
      expect(summary.match(/<h2/g)).toHaveLength(1);
    }
  });

  test("in HTML gives the same elements as plain text does", () => {
    const plain = shape(exportIncident(withText("plain"), "html").replace(/<style>[\s\S]*?<\/style>/, ""));
    fc.assert(
      fc.property(hostile, (text) => {
        const html = exportIncident(withText(text), "html").replace(/<style>[\s\S]*?<\/style>/, "");
        const known = new Set([...plain, "p", "ul", "li", "br", "small"]);
        expect(shape(html).filter((name) => !known.has(name))).toEqual([]);
        expect(html.match(/<(?!\/?[a-z]|!doctype)/gi)).toBeNull();
        expect(html).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
        expect(html).not.toContain("\u0000");
        expect(html.isWellFormed()).toBe(true);
      }),
      { numRuns: 120 },
    );
  });

  test("in CSV is no formula", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const records = parseCsv(exportIncident(withText(text), "csv")) as string[][];
        expect(new Set(records.map((record) => record.length))).toEqual(new Set([8]));
        for (const cell of records.flat()) expect(cell).not.toMatch(/^[\s\u200b\ufeff]*[=+\-@|%]/);
      }),
      { numRuns: 120 },
    );
  });

  test("in JSON is read back as it was", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const report = withText(text);
        const json = exportIncident(report, "json");
        expect(canonicalJson(JSON.parse(json))).toBe(canonicalJson(report));
        expect(json.isWellFormed()).toBe(true);
        expect(json).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
      }),
    );
  });

  test("of a page loads nothing and runs nothing", () => {
    const html = exportIncident(composeReport(assembleDossier(sampleMaterial()), provider), "html");
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/<(script|link|img|iframe|object)\b|\bon\w+=|url\(|@import|https?:/);
    expect(html).toMatch(/prefers-color-scheme: dark/);
    expect(html).toMatch(/@media print/);
  });
});
