import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IsochronError } from "../errors.ts";
import { decodeJson, decodeText, protoKey } from "./decode.ts";
import { jsonDepthMax, jsonItemsMax, textBytesMax } from "./limits.ts";

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof IsochronError && error.code === "record-invalid") return error.problem;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("text", () => {
  test("a byte order mark is stripped", () => {
    expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d))).toBe("{}");
  });

  test("bytes that are not UTF-8 are refused, and UTF-16 is called by its name", () => {
    expect(refusal(() => decodeText(Uint8Array.of(0x22, 0xc3, 0x28)))).toContain("not valid UTF-8");
    expect(refusal(() => decodeText(Uint8Array.of(0xed, 0xa0, 0x80)))).toContain("not valid UTF-8");
    expect(refusal(() => decodeText(new Uint8Array(Buffer.from("\ufeff{}", "utf16le"))))).toContain("UTF-16");
  });

  test("a body of 10 MB is refused by its size", () => {
    expect(refusal(() => decodeText(new Uint8Array(10_000_000)))).toContain("too large");
  });

  test("any bytes are decoded or refused, never anything else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          expect(decodeText(bytes).isWellFormed()).toBe(true);
        } catch (error) {
          if (!(error instanceof IsochronError)) throw error;
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("json", () => {
  test("numbers beyond 2^53 stay exact as text, smaller ones are numbers", () => {
    expect(
      decodeJson("[9007199254740993, -9007199254740993, 9007199254740991, 1e400, 1e-400, 0.0, 1.5e3]"),
    ).toEqual(["9007199254740993", "-9007199254740993", 9007199254740991, "1e400", "1e-400", 0, 1500]);
  });

  test("digits inside a string are no numbers", () => {
    expect(decodeJson('{"a\\"1e400":"9007199254740993 \\\\","b":[1]}')).toEqual({
      'a"1e400': "9007199254740993 \\",
      b: [1],
    });
  });

  test.each([6_000, 100_000, 4_000_000])("nesting %i levels deep is refused without recursion", (depth) => {
    expect(refusal(() => decodeJson("[".repeat(depth) + "]".repeat(depth)))).toContain("nested");
    expect(refusal(() => decodeJson('{"a":'.repeat(Math.min(depth, 1_000_000))))).toContain("nested");
  });

  test("nesting up to the limit is read, also beside a long number", () => {
    const deep = "[".repeat(jsonDepthMax) + "9007199254740993" + "]".repeat(jsonDepthMax);
    expect(JSON.stringify(decodeJson(deep))).toBe(deep.replace("9007199254740993", '"9007199254740993"'));
    expect(decodeJson(JSON.stringify({ text: "[[[[".repeat(100) }))).toEqual({ text: "[[[[".repeat(100) });
  });

  test("a container with too many members is refused", () => {
    expect(decodeJson(`[${"0,".repeat(jsonItemsMax - 1)}0]`)).toHaveLength(jsonItemsMax);
    expect(refusal(() => decodeJson(`[${"0,".repeat(jsonItemsMax)}0]`))).toContain("members");
    const wide = Object.fromEntries(Array.from({ length: jsonItemsMax + 1 }, (_, n) => [`k${n}`, 1]));
    expect(refusal(() => decodeJson(JSON.stringify([wide])))).toContain("members");
  });

  test.each([
    '{"__proto__":{"admin":true},"constructor":{"prototype":1}}',
    '{"\\u005f_proto__":{"admin":true}}',
  ])("the keys of %s are data and change no prototype", (text) => {
    const value = decodeJson(text) as Record<string, unknown>;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value[protoKey]).toEqual({ admin: true });
    expect((Object.assign({}, value) as { admin?: boolean }).admin).toBeUndefined();
    expect(({ ...value } as { admin?: boolean }).admin).toBeUndefined();
  });

  test("of a repeated key the last value wins", () => {
    expect(decodeJson('{"a":1,"a":2}')).toEqual({ a: 2 });
  });

  test.each([
    "",
    " ",
    "{",
    '{"a":',
    "[1,]",
    "NaN",
    "undefined",
    "'a'",
    "\u0000",
    '"\u0001"',
    "{}{}",
    "01",
    "\\",
  ])("%j is refused", (text) => {
    expect(refusal(() => decodeJson(text))).not.toBe("");
  });

  test("a text of 10 MB is refused by its size", () => {
    expect(refusal(() => decodeJson(`"${"x".repeat(textBytesMax)}"`))).toContain("too large");
  });

  test("a refusal never shows what the record held", () => {
    expect(refusal(() => decodeJson('{"password": hunter2}'))).not.toContain("hunter2");
  });

  test("what JSON.stringify wrote is read as it was", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6, noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes("__proto__"));
        const exact = JSON.stringify(decodeJson(text));
        const numbers = /-?\d[\d.e+-]*/g;
        expect(exact.replaceAll('"', "").replaceAll(numbers, "")).toBe(
          text.replaceAll('"', "").replaceAll(numbers, ""),
        );
        expect(decodeJson(exact)).toEqual(decodeJson(text));
      }),
      { numRuns: 1_000 },
    );
  });

  test("cut and garbled texts are refused or read, never anything else", () => {
    const seed = JSON.stringify({ a: [1, 'x\\"y', { b: null, __proto__: 1 }], n: 1 }).replace(
      /1}$/,
      "9007199254740993}",
    );
    fc.assert(
      fc.property(
        fc.nat(seed.length),
        fc.string({ unit: "binary", maxLength: 4 }),
        fc.nat(3),
        (at, inserted, removed) => {
          try {
            JSON.stringify(decodeJson(seed.slice(0, at) + inserted + seed.slice(at + removed)));
          } catch (error) {
            if (!(error instanceof IsochronError)) throw error;
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
