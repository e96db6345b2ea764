import { expect, test } from "vitest";
import { breakGlassSchema } from "../../api/session-contract.ts";
import { minutesLeft, problemOfReason } from "./glass-words.ts";

test("the minute that runs is counted, and none is left when the time is up", () => {
  expect([3_600_000, 3_599_999, 60_001, 60_000, 1, 0, -1].map((left) => minutesLeft(left, 0))).toEqual([
    60, 60, 2, 1, 1, 0, 0,
  ]);
});

test("a reason that the page takes is one that the server takes", () => {
  for (const why of ["", "too short", "          ", " long enough ", "x".repeat(500), "x".repeat(501)]) {
    expect(problemOfReason(why) === undefined).toBe(breakGlassSchema.safeParse({ why }).success);
  }
});
