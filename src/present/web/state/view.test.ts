import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { categories, eventKinds, severities } from "../../../model/event.ts";
import {
  activeFilters,
  clearFilter,
  filterQuery,
  freezeView,
  groupings,
  laneOrders,
  plainView,
  rangeOf,
  readView,
  spellView,
  type View,
} from "./view.ts";

const time = fc.oneof(
  fc.record({ kind: fc.constant("relative" as const), ms: fc.integer({ min: -1e10, max: 0 }) }),
  fc.record({ kind: fc.constant("absolute" as const), ms: fc.integer({ min: 0, max: 4e12 }) }),
);
const word = fc.option(fc.string({ minLength: 1, maxLength: 40 }), { nil: undefined });

function someOf<T>(allowed: readonly T[]): fc.Arbitrary<readonly T[]> {
  return fc.subarray([...allowed]);
}

const view: fc.Arbitrary<View> = fc.record({
  from: time,
  to: time,
  zone: fc.constantFrom("UTC", "Europe/Paris", "Asia/Kolkata", "America/Argentina/Buenos_Aires"),
  text: fc.string({ maxLength: 200, unit: "grapheme" }).map((text) => text.slice(0, 200).toWellFormed()),
  kinds: someOf(eventKinds),
  categories: someOf(categories),
  severity: fc.option(fc.constantFrom(...severities), { nil: undefined }),
  tenant: word,
  project: word,
  customer: word,
  resource: word,
  source: word,
  group: fc.constantFrom(...groupings),
  order: fc.constantFrom(...laneOrders),
  selected: word,
  elseOf: word,
  live: fc.boolean(),
  fold: fc.boolean(),
});

const plain = plainView("UTC");

describe("the address of a view", () => {
  it("reads back to the same view", () => {
    fc.assert(
      fc.property(view, (wanted) => {
        expect(readView(`?${spellView(wanted)}`, plain)).toEqual(wanted);
      }),
    );
  });

  it("always names the zone", () => {
    expect(spellView(plainView("Asia/Kolkata"))).toBe("from=-1h&to=now&tz=Asia/Kolkata");
  });

  it("is read as far as it makes sense", () => {
    const read = readView(
      "?from=yesterday&tz=Mars&kind=change,nonsense&severity=loud&group=colour&x=1",
      plain,
    );
    expect(read).toEqual({ ...plain, kinds: ["change"] });
    fc.assert(fc.property(fc.webQueryParameters(), (search) => void readView(`?${search}`, plain)));
  });

  it("keeps relative times relative until they are frozen", () => {
    const frozen = freezeView(plain, Date.UTC(2026, 10, 21, 1));
    expect(spellView(frozen)).toBe("from=2026-11-21T00:00:00Z&to=2026-11-21T01:00:00Z&tz=UTC");
  });

  it("never stands for an empty window", () => {
    fc.assert(
      fc.property(view, fc.integer({ min: 0, max: 4e12 }), (wanted, now) => {
        const { from, to } = rangeOf(wanted, now);
        expect(to).toBeGreaterThan(from);
      }),
    );
  });

  it("asks the server for exactly the filters it shows", () => {
    fc.assert(
      fc.property(view, (wanted) => {
        const cleared = activeFilters(wanted).reduce((left, name) => clearFilter(left, name), wanted);
        expect(filterQuery(cleared).toString()).toBe("");
        expect(filterQuery(wanted).size).toBe(activeFilters(wanted).length);
      }),
    );
  });
});
