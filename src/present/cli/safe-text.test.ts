import fc from "fast-check";
import { expect, test } from "vitest";
import { markdownCell, printable, safeJson } from "./safe-text.ts";

test("foreign text cannot command a terminal", () => {
  expect(printable("a\u001b[31mb\u0007\nc\u202ed\u009be")).toBe("a\\x1b[31mb\\x07 c\\u202ed\\x9be");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(printable(text)).not.toMatch(
        /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/u,
      );
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
