import fc from "fast-check";
import { expect, test } from "vitest";
import { instant } from "../../model/instant.ts";
import { readCursor, writeCursor } from "./page-cursor.ts";

const secret = new Uint8Array(32).fill(7);
const place = { occurredAt: instant(1_790_000_000_123), id: "0f3b9c" };

test("a cursor leads back to its place for the query that it was made for", () => {
  fc.assert(
    fc.property(fc.nat(), fc.string(), fc.string(), (ms, id, binding) => {
      const at = { occurredAt: instant(ms), id };
      expect(readCursor(writeCursor(at, binding, secret), binding, secret)).toEqual(at);
    }),
  );
});

test("a cursor with any character changed, added or cut is refused with the same words", () => {
  const cursor = writeCursor(place, "provider", secret);
  const refusal = messageOf(() => readCursor("", "provider", secret));
  const edit = fc.tuple(fc.nat(cursor.length), fc.nat(2), fc.string({ maxLength: 3 }));
  fc.assert(
    fc.property(edit, ([index, cut, added]) => {
      const edited = cursor.slice(0, index) + added + cursor.slice(index + cut);
      fc.pre(edited !== cursor);
      expect(messageOf(() => readCursor(edited, "provider", secret))).toBe(refusal);
    }),
  );
});

test("a cursor of another tenant, another filter or another server is refused with the same words", () => {
  const cursor = writeCursor(place, "project/region-1/a\nnewest\n[]", secret);
  const words = [
    messageOf(() => readCursor(cursor, "project/region-1/b\nnewest\n[]", secret)),
    messageOf(() => readCursor(cursor, "project/region-1/a\noldest\n[]", secret)),
    messageOf(() => readCursor(cursor, "project/region-1/a\nnewest\n[]", new Uint8Array(32))),
  ];
  expect(new Set(words).size).toBe(1);
});

function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return String(error);
  }
  throw new Error("nothing was thrown");
}
