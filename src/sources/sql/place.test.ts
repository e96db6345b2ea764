import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Action, Weakness } from "../../../test/sql-source/simulated-table.ts";
import { simulate, simulateAgain } from "../../../test/sql-source/simulated-table.ts";
import { tableMappingSchema } from "./mapping.ts";
import type { PageClock, ReadRow } from "./place.ts";
import { beginPass, planReads, takeRows } from "./place.ts";
import { freshPlace, sqlCursor } from "./sql-cursor.ts";

/** Whatever people do to a table, and whenever their transactions end within the delay that the contract names. */
const actions: fc.Arbitrary<readonly Action[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant("insert" as const), ends: fc.boolean() }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant("update" as const), pick: fc.nat(), ends: fc.boolean() }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("commit" as const), pick: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("rollback" as const), pick: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat(4) }) },
    { weight: 5, arbitrary: fc.record({ do: fc.constant("page" as const), crashes: fc.boolean() }) },
  ),
  { maxLength: 60, size: "max" },
);
const pageSizes = fc.integer({ min: 1, max: 4 });

function faultsOf(by: "serial" | "time", weakness?: Weakness) {
  return fc.property(actions, pageSizes, (done, pageSize) => {
    expect(simulate(by, done, pageSize, weakness)).toEqual({ lost: [], duplicate: [] });
  });
}

describe("under held transactions, ties, late ends, crashes and small pages", () => {
  test.each(["serial", "time"] as const)(
    "nothing is lost and nothing told twice, in the order by %s",
    (by) => {
      fc.assert(faultsOf(by), { numRuns: 3_000 });
    },
  );

  test.each([
    ["serial", "no gap set"],
    ["serial", "no open set"],
    ["serial", "gaps closed unread"],
    ["time", "no overlap"],
    ["time", "strict lower bound"],
    ["time", "no signpost"],
    ["time", "ties ignored"],
    ["time", "no memory"],
  ] as const)("in the order by %s, a reader with %s is caught", (by, weakness) => {
    expect(fc.check(faultsOf(by, weakness), { seed: 3, numRuns: 3_000 }).failed).toBe(true);
  });
});

describe("a table that is read again beside its main place", () => {
  const losses = fc.constantFrom<(Weakness | undefined)[]>(
    undefined,
    "no gap set",
    "no open set",
    "no overlap",
    "ties ignored",
  );
  const shares = fc.double({ min: 0, max: 1, noNaN: true });

  test.each(["serial", "time"] as const)(
    "tells what was lost under its first name, and nothing else that is new, in the order by %s",
    (by) => {
      let found = 0;
      fc.assert(
        fc.property(actions, pageSizes, shares, losses, (done, pageSize, share, weakness) => {
          const { lost, extra, foundLate } = simulateAgain(by, done, pageSize, share, weakness);
          found += foundLate;
          expect({ lost, extra }).toEqual({ lost: [], extra: [] });
        }),
        { seed: 4, numRuns: 3_000 },
      );
      expect(found).toBeGreaterThan(100);
    },
  );
});

describe("a table that is listed whole", () => {
  const mapping = tableMappingSchema.parse({
    table: "flag",
    key: ["name"],
    order: { by: "listing" },
    row_kind: "flag",
    transitions: [
      {
        name: "set",
        of: "value",
        type: "flag.set",
        kind: "change",
        category: "platform",
        summary: "{name} is {value}",
      },
    ],
  });
  const names = (count: number) =>
    Array.from({ length: count }, (_one, index) => `flag-${String(index).padStart(2, "0")}`);

  /** Passes over successive contents; what each pass tells, as `name:value`. */
  function passes(contents: readonly Readonly<Record<string, string>>[]) {
    let place = freshPlace;
    return contents.map((content, index) => {
      const clock: PageClock = { now: `t${index}`, floor: "", ms: index, gapLifetimeMs: 1 };
      place = beginPass(place, clock);
      expect(planReads(mapping, place)).toMatchObject({ keys: [], gaps: [], strays: false });
      const forward = Object.entries(content).map(([name, value]): ReadRow => ({
        row: { name, value },
        place: [name],
        isFresh: false,
        isOld: false,
      }));
      const step = takeRows(mapping, place, clock, {
        revisited: [],
        late: [],
        strays: [],
        forward,
        isLast: true,
      });
      place = step.place;
      return {
        told: step.news.flatMap(({ row, told }) =>
          told.map((one) => `${row["name"]}:${one.value ?? one.name}`),
        ),
        suspected: step.suspected,
      };
    });
  }

  test("tells what changed since the pass before, and nothing of what was there at the first", () => {
    expect(
      passes([
        { a: "1", b: "1" },
        { a: "2", b: "1", c: "1" },
        { a: "1", b: "1", c: "1" },
      ]),
    ).toEqual([
      { told: [], suspected: 0 },
      { told: ["a:2", "c:1"], suspected: 0 },
      { told: ["a:1"], suspected: 0 },
    ]);
  });

  test("tells a deletion once two listings agree", () => {
    const told = passes([{ a: "1", b: "1" }, { a: "1" }, { a: "1" }, { a: "1" }]).map((pass) => pass.told);
    expect(told).toEqual([[], [], ["b:gone"], []]);
    expect(
      passes([{ a: "1", b: "1" }, { a: "1" }, { a: "1", b: "1" }, { a: "1" }]).flatMap((pass) => pass.told),
    ).toEqual([]);
  });

  test("suspects a listing that suddenly lacks most of its rows", () => {
    const all = Object.fromEntries(names(20).map((name) => [name, "1"]));
    const few = Object.fromEntries(names(3).map((name) => [name, "1"]));
    const [, second, third, fourth] = passes([all, few, few, all]);
    expect([second, third]).toEqual([
      { told: [], suspected: 17 },
      { told: [], suspected: 17 },
    ]);
    expect(fourth).toEqual({ told: [], suspected: 0 });
  });
});

test("a cursor of an earlier version goes on where it stood", () => {
  const { again: _new, ...old } = { ...freshPlace, through: "7" };
  const cursor = { tables: { job: old }, todo: null, read: [], failed: [], completeMs: null };
  expect(sqlCursor.parse(cursor).tables["job"]).toEqual({ ...freshPlace, through: "7" });
});
