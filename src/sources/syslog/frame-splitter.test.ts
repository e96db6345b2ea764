import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Frame } from "./frame-splitter.ts";
import { frameBytesMax, FrameSplitter } from "./frame-splitter.ts";

function splitAll(chunks: Iterable<Uint8Array>): Frame[] {
  const splitter = new FrameSplitter();
  const frames: Frame[] = [];
  for (const chunk of chunks) frames.push(...splitter.split(chunk));
  return [...frames, ...splitter.end()];
}

function textsOf(frames: readonly Frame[]): string[] {
  return frames.map((frame) => {
    const mark = frame.tooLarge ? " (too large)" : frame.incomplete ? " (incomplete)" : "";
    return Buffer.from(frame.bytes).toString("latin1").slice(0, 40) + mark;
  });
}

const texts = (text: string) => textsOf(splitAll([Buffer.from(text, "latin1")]));

/** What rsyslog 8.2302 and util-linux's logger sent over one connection each. */
const rsyslogCounted =
  "111 <12>1 2026-11-21T04:22:33.753847+00:00 vm kernel - - -  EXT4-fs warning (device vda1): mounting fs with errors\n" +
  "88 <134>1 2026-11-21T04:22:33.775414+00:00 vm ovn-controller - - -  line one#011with a tab\n";

test("messages of rsyslog are found by their count, which includes a line break", () => {
  expect(splitAll([Buffer.from(rsyslogCounted)]).map(({ bytes }) => bytes.byteLength)).toEqual([110, 87]);
});

test.each([
  ["lines", "<1>a\n<2>b\r\n<3>c\0\n", ["<1>a", "<2>b", "<3>c"]],
  ["counted messages without anything between them", "4 <1>a5 <2>bb", ["<1>a", "<2>bb"]],
  ["a counted message with line breaks in it", "8 <1>a\nb\nc", ["<1>a\nb\nc"]],
  ["both on one connection", "4 <1>a<2>b\n4 <3>c", ["<1>a", "<2>b", "<3>c"]],
  ["empty lines", "\n\n<1>a\n\r\n", ["<1>a"]],
  ["a last line without its end", "<1>a\n<2>b", ["<1>a", "<2>b"]],
  ["a counted message that the connection cut", "4 <1>a20 <2>b", ["<1>a", "20 <2>b (incomplete)"]],
  ["digits that are no count", "12x\n1234567890 a\n0 b\n", ["12x", "1234567890 a", "0 b"]],
  ["a count that never ends", "123", ["123"]],
])("%s are told apart", (_what, stream, expected) => {
  expect(texts(stream)).toEqual(expected);
});

test("what is too large is cut and passed over, and the next message is whole", () => {
  const long = "x".repeat(frameBytesMax + 10);
  for (const stream of [`${long}\n<2>b\n`, `${long.length} ${long}4 <2>b`]) {
    expect(texts(stream)).toEqual([`${"x".repeat(40)} (too large)`, "<2>b"]);
  }
  expect(texts(`${"y".repeat(frameBytesMax)}\n<2>b`)).toEqual(["y".repeat(40), "<2>b"]);
  expect(texts("999999999 <1>a")).toEqual(["999999999 <1>a (incomplete)"]);
});

test("no more than one message is held, whatever is announced", () => {
  const splitter = new FrameSplitter();
  let count = 0;
  for (const _ of splitter.split(Buffer.from("999999999 "))) count += 1;
  const chunk = Buffer.alloc(frameBytesMax, 0x61);
  for (let sent = 0; sent < 100; sent += 1) for (const _ of splitter.split(chunk)) count += 1;
  // The first bytes are told once; the rest of the announced gigabyte is passed over.
  expect(count).toBe(1);
  expect([...splitter.end()]).toEqual([]);
});

test("however a stream is cut into chunks, the messages are the same", () => {
  const message = fc.oneof(
    fc.string({ unit: "grapheme-ascii", maxLength: 30 }).map((text) => `<1>${text.replaceAll("\n", "")}\n`),
    fc.string({ maxLength: 30 }).map((text) => `${Buffer.byteLength(`<2>${text}`)} <2>${text}`),
    fc.constantFrom("\n", "7\n", "12", "99 ", `${"z".repeat(frameBytesMax + 1)}\n`),
  );
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 8 }),
      fc.array(fc.nat(80), { maxLength: 12 }),
      (parts, sizes) => {
        const stream = Buffer.from(parts.join(""));
        const chunks: Buffer[] = [];
        let from = 0;
        for (const size of sizes) {
          chunks.push(stream.subarray(from, from + size));
          from += size;
        }
        chunks.push(stream.subarray(from));
        expect(textsOf(splitAll(chunks))).toEqual(textsOf(splitAll([stream])));
      },
    ),
    { numRuns: 500 },
  );
});
