import { expect, test } from "vitest";
import { instant } from "../../model/instant.ts";
import type { ListingPlace } from "./inventory-cursor.ts";
import { inventoryCursor } from "./inventory-cursor.ts";
import { endListing } from "./listing-end.ts";
import { listingNamed } from "./listings.ts";

const agents = listingNamed("agents")!;
const ports = listingNamed("ports")!;

/** Successive complete listings of agents with these ids: which are told as gone, and what is suspected. */
function listAgents(...passes: readonly (readonly string[])[]) {
  let place: ListingPlace | undefined;
  return passes.map((ids, index) => {
    const known = Object.fromEntries(ids.map((id) => [id, ["up"]]));
    const ended = endListing(agents, place, instant(index), { known, rows: ids.length });
    place = { seenAt: index, since: index, ...ended.place };
    return {
      gone: ended.gone.map(({ position }) => position.split(" ").at(-1)),
      findings: ended.findings.map(({ code }) => code),
    };
  });
}

const names = (count: number) => Array.from({ length: count }, (_one, index) => `agent-${index}`);
const quiet = { gone: [], findings: [] };

test("an agent that two complete listings lack is gone, and told once", () => {
  expect(listAgents(["a", "b"], ["a"], ["a"], ["a"])).toEqual([
    quiet,
    quiet,
    { gone: ["b"], findings: [] },
    quiet,
  ]);
  expect(listAgents(["a", "b"], ["a"], ["a", "b"], ["a"]).flatMap(({ gone }) => gone)).toEqual([]);
});

test.each([
  ["with a narrower scope, most are missing", names(20), names(4)],
  ["with a narrower scope, none is left of a few", names(3), []],
])("%s: that is said for as long as it lasts, and nobody is gone", (_what, all, few) => {
  const suspicious = { gone: [], findings: ["sudden-drop"] };
  expect(listAgents(all, few, few, few, all, all)).toEqual([
    quiet,
    suspicious,
    suspicious,
    suspicious,
    quiet,
    quiet,
  ]);
});

test("agents that stay away for a day of listings were deleted, when the listing first lacked them", () => {
  const hour = 3_600_000;
  const [all, few] = [names(20), names(4)];
  let place: ListingPlace | undefined;
  const told = Array.from({ length: 30 }, (_, index) => {
    const ids = index < 2 ? all : few;
    const known = Object.fromEntries(ids.map((id) => [id, ["up"]]));
    const ended = endListing(agents, place, instant(index * hour), { known, rows: ids.length });
    place = { seenAt: index * hour, since: 0, ...ended.place };
    return ended;
  });
  expect(told.map(({ findings }) => findings.length)).toEqual(
    told.map((_, index) => (index >= 2 && index < 26 ? 1 : 0)),
  );
  const gone = told.flatMap((ended, index) => ended.gone.map((record) => ({ index, record })));
  expect(gone).toHaveLength(16);
  for (const { index, record } of gone) {
    const { seenAt, previousSeenAt } = JSON.parse(new TextDecoder().decode(record.bytes)) as Record<
      string,
      number
    >;
    expect([index, previousSeenAt, seenAt]).toEqual([26, hour, 2 * hour]);
  }
});

test("a listing of which nothing is remembered is suspected by its length, once", () => {
  const place = (rows: number | null): ListingPlace => ({
    seenAt: 1,
    since: 1,
    known: {},
    missing: {},
    drop: null,
    rows,
  });
  const codes = (before: number | null, rows: number | null) =>
    endListing(ports, place(before), instant(2), { known: {}, rows }).findings.map(({ code }) => code);
  expect(codes(1_000, 400)).toEqual(["sudden-drop"]);
  expect(codes(12, 0)).toEqual(["sudden-drop"]);
  expect([codes(1_000, 600), codes(12, 11), codes(null, 0), codes(1_000, null)]).toEqual([[], [], [], []]);
});

test("a cursor of an earlier version is read as it stands", () => {
  const old = {
    passedAt: 5,
    pass: null,
    listings: { agents: { seenAt: 5, since: 4, known: { a: ["up"] } } },
  };
  const { listings } = inventoryCursor.parse(old);
  expect(endListing(agents, listings["agents"], instant(9), { known: {}, rows: 0 }).place).toEqual({
    known: { a: ["up"] },
    missing: { a: 5 },
    drop: null,
    rows: 0,
  });
});

test.each([
  ["too long to be remembered whole", 10_001],
  ["of which an older cursor remembered a part", 3],
])("of a listing %s nothing is taken for gone", (_what, rows) => {
  const before = { seenAt: 0, since: 0, known: { a: [], b: [] }, missing: { b: 0 }, drop: null, rows };
  const read = { known: { a: [] }, rows: rows - 1 };
  const ended = endListing(listingNamed("volumes")!, before, instant(1), read);
  expect(ended).toMatchObject({ gone: [], place: { known: { a: [] }, missing: {} } });
});

test("of a listing that is remembered whole, what two in a row lack is gone", () => {
  const before = { seenAt: 0, since: 0, known: { a: [], b: [] }, missing: { b: 0 }, drop: null, rows: 1 };
  const ended = endListing(listingNamed("volumes")!, before, instant(1), { known: { a: [] }, rows: 1 });
  expect(ended.gone).toHaveLength(1);
});
