import { expect, test } from "vitest";
import { addMembers, tellStorm, type StormSample } from "./storm-state.ts";

const member = (id: string): StormSample => ({
  id,
  at: 0,
  subject: { kind: "server", id: "web" },
  summary: "Hot",
});

test("a fold of which an audience knows one member says so in the singular", () => {
  const one = addMembers(undefined, [member("a")], 1);
  expect(tellStorm(one, ["time", "times"])).toBe("1 time on server web within a minute");
  expect(tellStorm(addMembers(one, [member("b")], 0), ["alert", "alerts"])).toBe(
    "2 alerts on server web within a minute",
  );
});
