import fc from "fast-check";
import { expect, test } from "vitest";
import { eventId, noticeId, setAsideId } from "./event-id.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("an id is the same in every store and for ever", () => {
  expect(eventId("nova", "main", "abc")).toBe("evt_lritt3g2p7oyffdgqn7lm2bxg4");
});

test("an id is evt_ and 26 characters of base32, and differs where any of its three parts does", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), fc.string({ minLength: 1 }), (a, b, c, more) => {
      const id = eventId(a, b, c);
      expect(id).toMatch(/^evt_[a-z2-7]{26}$/);
      expect(
        new Set([id, eventId(a + more, b, c), eventId(a, b + more, c), eventId(a, b, c + more)]).size,
      ).toBe(4);
    }),
  );
});

test("a notice's id says nothing without the secret, and differs from tenant to tenant", () => {
  const ids = [
    "evt_x",
    noticeId(bytes("secret"), "evt_x", "project/a/1"),
    noticeId(bytes("secret"), "evt_x", "project/a/2"),
    noticeId(bytes("other"), "evt_x", "project/a/1"),
  ];
  expect(new Set(ids).size).toBe(4);
});

test("a record set aside again has the id that it had", () => {
  expect(setAsideId("nova", "main", "line 1", bytes("x"))).toBe(
    setAsideId("nova", "main", "line 1", bytes("x")),
  );
  expect(setAsideId("nova", "main", "line 1", bytes("y"))).not.toBe(
    setAsideId("nova", "main", "line 1", bytes("x")),
  );
});
