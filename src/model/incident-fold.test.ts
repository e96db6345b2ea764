import fc from "fast-check";
import { expect, test } from "vitest";
import { extendIncident, foldIncident, refusalOf, type IncidentOpened } from "./incident-fold.ts";
import {
  incidentStates,
  measuredTimes,
  sectionAudiences,
  sectionNames,
  type IncidentChange,
  type IncidentEntry,
  type TimeMark,
} from "./incident.ts";
import { duration, instant } from "./instant.ts";
import { projectKey } from "./tenant.ts";

const opened: IncidentOpened = {
  id: "inc_0",
  origin: "hand",
  openedAt: instant(1_000),
  openedBy: "who opened it",
};

function entries(changes: readonly IncidentChange[], by = "an author", after = 0): readonly IncidentEntry[] {
  return changes.map((change, index) => ({
    sequence: after + index + 1,
    recordedAt: instant(2_000 + after + index),
    by,
    change,
  }));
}

function mark(at: number, provenance: TimeMark["provenance"], thing = "api"): IncidentChange {
  return {
    kind: "time",
    mark: { thing, time: "event", at: instant(at), precision: duration(0), provenance },
  };
}

const set: TimeMark["provenance"] = { kind: "set", by: "an author", why: "the log says so" };
const imported: TimeMark["provenance"] = { kind: "imported", document: "notes.md", row: 1 };
const word = fc.constantFrom("a", "b", "c");
const moment = fc.integer({ min: 0, max: 9_999 }).map((at) => instant(at));

const anyRow: fc.Arbitrary<IncidentChange> = fc
  .tuple(moment, word, fc.integer({ min: 1, max: 3 }))
  .map(([at, document, row]) => ({
    kind: "row",
    row: { document, row, at, precision: duration(0), eventKind: "activity", text: `at ${at}` },
  }));

const anyChange: fc.Arbitrary<IncidentChange> = fc.oneof(
  { arbitrary: anyRow, weight: 5 },
  fc.record({ kind: fc.constant("title" as const), title: word }),
  fc.record({ kind: fc.constant("window" as const), from: moment }),
  fc.record({ kind: fc.constant("pin" as const), event: word, note: word }),
  fc.record({ kind: fc.constant("unpin" as const), event: word, why: word }),
  fc.record({ kind: fc.constant("note" as const), text: word }),
  fc.record({
    kind: fc.constant("amendment" as const),
    text: word,
    audience: fc.constant("public" as const),
  }),
  fc.record({ kind: fc.constant("thing" as const), thing: fc.record({ id: word, name: word }) }),
  fc.record({ kind: fc.constant("drop-thing" as const), thing: word, why: word }),
  fc.tuple(moment, word, fc.boolean()).map(([at, thing, byHand]) => mark(at, byHand ? set : imported, thing)),
  fc.record({
    kind: fc.constant("clear-time" as const),
    thing: word,
    time: fc.constantFrom(...measuredTimes),
    why: word,
  }),
  fc.record({
    kind: fc.constant("section" as const),
    section: fc.constantFrom(...sectionNames),
    audience: fc.constantFrom(...sectionAudiences),
    text: fc.constantFrom("", "one", "two"),
  }),
  fc.record({
    kind: fc.constant("tell" as const),
    tenants: fc.array(word.map((id) => projectKey("default", id))),
  }),
  fc.record({
    kind: fc.constant("state" as const),
    state: fc.constantFrom(...incidentStates),
    hash: fc.constant("0".repeat(64)),
  }),
);

test("an incident is the same in however many parts its entries are folded", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(anyChange, word), { maxLength: 40 }),
      fc.array(fc.nat({ max: 40 }), { maxLength: 6 }),
      (given, cuts) => {
        const all = given.map(([change, by], index): IncidentEntry => {
          return { sequence: index + 1, recordedAt: instant(index), by, change };
        });
        const places = [0, ...cuts.toSorted((a, b) => a - b), all.length];
        const inParts = places
          .slice(1)
          .reduce(
            (incident, until, index) => extendIncident(incident, all.slice(places[index], until)),
            foldIncident(opened, []),
          );
        expect(inParts).toEqual(foldIncident(opened, all));
        const oneByOne = all.reduce((one, entry) => extendIncident(one, [entry]), foldIncident(opened, []));
        expect(oneByOne).toEqual(inParts);
        expect(inParts.version).toBe(all.length);
      },
    ),
  );
});

test("what somebody set stands before what a document says, and shows what was imported no more once it is cleared", () => {
  const thing: IncidentChange = { kind: "thing", thing: { id: "api", name: "The API" } };
  const both = foldIncident(opened, entries([thing, mark(5, set), mark(7, imported)]));
  expect(both.times.map(({ at }) => at)).toEqual([5]);
  const replaced = foldIncident(opened, entries([thing, mark(7, imported), mark(5, set)]));
  expect(replaced.times.map(({ at }) => at)).toEqual([5]);
  const cleared = extendIncident(
    replaced,
    entries([{ kind: "clear-time", thing: "api", time: "event", why: "wrong" }], "an author", 3),
  );
  expect(cleared.times).toEqual([]);
});

test("a time that was inferred gives way to any other, and keeping it undoes no review", () => {
  const inferred = mark(5, { kind: "inferred", rule: "first-alert/1", says: "the first alert" });
  expect(foldIncident(opened, entries([mark(7, imported), inferred])).times.map(({ at }) => at)).toEqual([7]);
  const kept = foldIncident(opened, entries([{ kind: "state", state: "reviewed" }, inferred]));
  expect(kept).toMatchObject({ state: "reviewed", times: [{ at: 5 }] });
});

test("a change after the review makes a draft of it again", () => {
  const reviewed = foldIncident(opened, entries([{ kind: "state", state: "reviewed" }], "a reviewer"));
  expect(reviewed).toMatchObject({ state: "reviewed", reviewed: { by: "a reviewer", byAnother: true } });
  const edited = extendIncident(reviewed, entries([{ kind: "title", title: "Another" }], "an author", 1));
  expect(edited.state).toBe("draft");
  expect(edited.reviewed).toBeUndefined();
});

test("a review by who wrote some of it is told apart from one by somebody else", () => {
  const own = foldIncident(
    opened,
    entries([
      { kind: "note", text: "seen" },
      { kind: "state", state: "reviewed" },
    ]),
  );
  expect(own.reviewed?.byAnother).toBe(false);
});

test("a published incident takes amendments and nothing else", () => {
  fc.assert(
    fc.property(anyChange, (change) => {
      const published = foldIncident(
        opened,
        entries([
          { kind: "state", state: "reviewed" },
          { kind: "state", state: "published", hash: "0".repeat(64) },
        ]),
      );
      expect(refusalOf(published, change)).toBe(change.kind === "amendment" ? undefined : "published");
    }),
  );
});

test("a draft is not published before it is reviewed, and nothing unpublished is amended", () => {
  const draft = foldIncident(opened, []);
  expect(refusalOf(draft, { kind: "state", state: "published", hash: "0".repeat(64) })).toBe("no-such-step");
  expect(refusalOf(draft, { kind: "amendment", text: "later", audience: "public" })).toBe("not-published");
});
