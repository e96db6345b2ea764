import { expect, test } from "vitest";
import type { EventJson } from "../../api/contract.ts";
import { dropEvents } from "./event-loader.ts";
import { settle } from "./live-message.ts";

const event = (id: string) => ({ id }) as EventJson;

test("of a run of messages the latest word about each event counts, whichever came first", () => {
  const { arrived, lost } = settle([
    { event: event("a") },
    { event: event("b") },
    { retracted: "a" },
    { retracted: "c" },
    { event: event("c") },
  ]);
  expect(arrived.map(({ id }) => id)).toEqual(["b", "c"]);
  expect([...lost]).toEqual(["a"]);
});

test("what was taken back leaves the scene, and nothing else does", () => {
  const events = [event("a"), event("b")];
  expect(dropEvents(events, new Set(["a"])).map(({ id }) => id)).toEqual(["b"]);
  expect(dropEvents(events, new Set(["c"]))).toBe(events);
});
