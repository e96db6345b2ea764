import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { csvCell, markdownCell, printable, safeJson } from "./safe-text.ts";

describe("CSV cells", () => {
  test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])("%j is no formula any more", (text) => {
    expect(csvCell(text).replace(/^"/, "")[0]).toBe("'");
  });

  test("any text comes back from a reader of RFC 4180, with a guard at most", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" }), { minLength: 2, maxLength: 4 }), (texts) => {
        const [row] = parse(`${texts.map(csvCell).join(",")}\r\n`, { relaxColumnCount: true }) as string[][];
        expect(
          row?.map((cell, index) => (/^[=+\-@\t\r]/.test(texts[index]!) ? cell.slice(1) : cell)),
        ).toEqual(texts);
      }),
    );
  });
});

test("foreign text cannot command a terminal", () => {
  expect(printable("a\u001b[31mb\u0007\nc\u202ed\u009be")).toBe("a\\x1b[31mb\\x07 c\\u202ed\\x9be");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(printable(text)).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
});

test("JSON keeps its meaning while it holds nothing that a terminal would obey", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = safeJson(value);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      expect(text).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
});

test("foreign text makes no cells, links or tags in Markdown", () => {
  expect(markdownCell("a|b\n[x](javascript:1) <img> `c` *d*")).toBe(
    "a\\|b \\[x\\](javascript:1) &lt;img> \\`c\\` \\*d\\*",
  );
});
