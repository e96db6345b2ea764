import { expect, test } from "vitest";
import { ByteCredits } from "./byte-credits.ts";
import { PushRoom } from "./push-room.ts";

function roomOf(bytesMax: number) {
  const credits = new ByteCredits(bytesMax);
  return { credits, room: new PushRoom(credits, new Set(["storm", "quiet", "third", "fourth"])) };
}

test("a connection over its share is told to wait, and the others find room", () => {
  const { credits, room } = roomOf(4000);
  const first = room.admit("storm", 900);
  expect(() => room.admit("storm", 200)).toThrowError(expect.objectContaining({ code: "rate-limited" }));
  room.admit("quiet", 1000);
  first.giveBack();
  first.giveBack();
  expect(credits.heldBytes).toBe(1000);
  room.admit("storm", 200);
});

test("when all is taken, everybody is told so", () => {
  const { room } = roomOf(4000);
  for (const name of ["storm", "quiet", "third"]) room.admit(name, 1000);
  expect(() => room.admit("fourth", 1)).toThrowError(expect.objectContaining({ code: "overloaded" }));
});

test("a body that outgrows the room gives all of it back", () => {
  const { credits, room } = roomOf(4000);
  const credit = room.admit("storm", 100);
  credit.take(800);
  expect(() => credit.take(200)).toThrowError(expect.objectContaining({ code: "rate-limited" }));
  credit.giveBack();
  expect(credits.heldBytes).toBe(0);
});

test("refusals are counted by connection, and names that nobody configured count as one", () => {
  const { room } = roomOf(4000);
  room.admit("storm", 1000);
  for (let count = 0; count < 3; count++) expect(() => room.admit("storm", 1)).toThrow("this connection");
  room.admit("made up 1", 1000);
  expect(() => room.admit("made up 2", 1)).toThrow("this connection");
  room.admit("quiet", 1000);
  expect(() => room.admit("third", 1)).toThrow("All the room");
  expect(room.refused()).toEqual([
    { connection: "storm", share: 3, whole: 0 },
    { connection: "", share: 1, whole: 0 },
    { connection: "third", share: 0, whole: 1 },
  ]);
});
