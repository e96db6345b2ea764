import { expect, test } from "vitest";
import { stormOf, subjectWords } from "./storm.ts";

const storm = {
  count: 4212,
  first: "2026-11-21T03:12:00.002Z",
  last: "2026-11-21T03:12:59.926Z",
  subjects: 31,
  subject_kinds: ["server"],
  samples: [
    {
      id: "evt_1",
      occurred_at: "2026-11-21T03:12:00.002Z",
      subject: { kind: "server", id: "s-1", name: "web-1" },
      summary: "Disk latency of web-1",
    },
  ],
};

test("an event of a storm tells its count, times, resources and samples", () => {
  const read = stormOf({ details: { storm } });
  expect(read).toMatchObject({
    count: 4212,
    first: Date.parse(storm.first),
    last: Date.parse(storm.last),
    subjects: 31,
  });
  expect(read?.samples).toEqual([
    {
      id: "evt_1",
      at: Date.parse(storm.first),
      subject: { kind: "server", id: "s-1", name: "web-1" },
      summary: "Disk latency of web-1",
    },
  ]);
});

test("details that only look like a storm's are none", () => {
  for (const told of [
    undefined,
    null,
    "a storm",
    7,
    {},
    { ...storm, count: "many" },
    { ...storm, first: "soon" },
  ]) {
    expect(stormOf({ details: { storm: told } })).toBeUndefined();
  }
  expect(stormOf({ details: { storm: { ...storm, samples: [null, 3, { id: 7 }] } } })?.samples).toEqual([]);
});

test("the resources of a storm are named by their kind where it is one", () => {
  const words = (subjects: number, ...kinds: string[]) =>
    subjectWords({ count: 1, first: 0, last: 0, samples: [], subjects, subjectKinds: kinds });
  expect(words(31, "server")).toBe("31 servers");
  expect(words(1, "floating_ip")).toBe("1 floating ip");
  expect(words(1200, "security_policy")).toBe("1,200 security policies");
  expect(words(4, "server", "host")).toBe("4 resources");
});
