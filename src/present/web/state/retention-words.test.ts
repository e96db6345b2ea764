import { expect, it } from "vitest";
import { countsWords, retentionInForce } from "./retention-words.ts";

it("says how long each class is kept, and for ever where nothing is set", () => {
  const settings = { "retention.days.operational": "730", "retention.setAsideDays": "1" };
  const told = Object.fromEntries(retentionInForce({ settings }));
  expect(told["Operational events"]).toBe("730 days");
  expect(told["Security events"]).toBe("for ever");
  expect(told["Records set aside"]).toBe("1 day");
  expect(new Set(retentionInForce(undefined).map(([, says]) => says))).toEqual(new Set(["for ever"]));
});

it("tells what an erasure takes and leaves out what it does not", () => {
  const none = { events: 0, changed: 0, editions: 0, storm_members: 0, set_aside: 0, facts: 0, held: 0 };
  expect(countsWords(none)).toBe("Nothing.");
  expect(countsWords({ ...none, events: 1200, facts: 1, held: 2 })).toBe(
    "1,200 events go, 1 fact, 2 kept back by holds.",
  );
});
