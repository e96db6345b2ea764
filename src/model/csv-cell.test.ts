import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { expect, test } from "vitest";
import { csvCell } from "./csv-cell.ts";

const starts = ["=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠"];
const passedOver = ["", " ", "\t", "\r", "\n", "\ufeff", "\u00a0", "\u200b", "\u202e", "\0", " \t\ufeff"];

test.each(passedOver.flatMap((before) => starts.map((start) => `${before}${start}cmd()`)))(
  "%j is no formula any more",
  (text) => {
    expect(csvCell(text).replace(/^"/, "")[0]).toBe("'");
  },
);

test("any text comes back from a reader of RFC 4180, with a guard at most", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 2, maxLength: 4 }), (texts) => {
      const [row] = parse(`${texts.map(csvCell).join(",")}\r\n`, { relaxColumnCount: true }) as string[][];
      row?.forEach((cell, index) => expect([texts[index], `'${texts[index]}`]).toContain(cell));
    }),
  );
});
