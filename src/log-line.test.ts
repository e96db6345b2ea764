import fc from "fast-check";
import { expect, test } from "vitest";
import { createLog } from "./log.ts";

const commanding = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/u;
const nasty = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "\r\n",
    "\u001b[2J",
    "\u202e",
    "\u0085",
    "\u2028",
    "\u{e0041}",
    "\u009b31m",
    '"}\n{"level":"error"',
  ),
);

test("no field, name, message or error can write a second line or command a reader, in either format", () => {
  fc.assert(
    fc.property(fc.dictionary(nasty, nasty, { maxKeys: 4 }), nasty, nasty, (fields, message, problem) => {
      for (const format of ["json", "pretty"] as const) {
        let text = "";
        const stream = { write: (line: string) => (text += line) };
        createLog({ level: "info", format, colour: false, stream }).info({ fields, of: problem }, message);
        if (format === "json") {
          expect(text.trimEnd()).not.toMatch(commanding);
          expect(JSON.parse(text)).toMatchObject({ level: "info" });
        } else expect(text.replaceAll("\n", "")).not.toMatch(commanding);
      }
    }),
  );
});
