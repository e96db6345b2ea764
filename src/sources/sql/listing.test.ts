import { expect, test } from "vitest";
import { tableMappingSchema } from "./mapping.ts";
import type { RowNews } from "./place.ts";
import { beginPass, takeRows } from "./place.ts";
import { freshPlace, sqlCursor } from "./sql-cursor.ts";

/** What a table that is listed whole tells of rows that went. */

const mapping = tableMappingSchema.parse({
  table: "flag",
  key: ["id"],
  order: { by: "listing" },
  row_kind: "flag",
  transitions: [
    { name: "made", stamp: "at", type: "flag.made", kind: "change", category: "other", summary: "made" },
  ],
});
const hour = 3_600_000;

/** The news of each of several passes, an hour apart, over a table with these ids; two rows make a page. */
function listEveryHour(passes: readonly (readonly string[])[]) {
  let place = freshPlace;
  return passes.map((ids, index) => {
    const ms = index * hour;
    const clock = { now: `hour ${index}`, floor: "", ms, gapLifetimeMs: 1 };
    const news: RowNews[] = [];
    let suspected = 0;
    for (let from = 0; from === 0 || from < ids.length; from += 2) {
      const forward = ids.slice(from, from + 2).map((id) => {
        return { row: { id, at: "2026-11-20" }, place: [id], isFresh: false, isOld: false };
      });
      const rows = { revisited: [], late: [], strays: [], forward, isLast: from + 2 >= ids.length };
      const step = takeRows(mapping, beginPass(place, clock), clock, rows);
      news.push(...step.news);
      ({ suspected } = step);
      const stored = {
        ...sqlCursor.parse({
          tables: { flag: step.place },
          todo: null,
          read: [],
          failed: [],
          completeMs: null,
        }),
      };
      place = stored.tables["flag"]!;
    }
    return { suspected, gone: news.filter(({ isGone }) => isGone) };
  });
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `row-${10 + index}`);
const repeat = (ids: readonly string[], times: number) => Array.from({ length: times }, () => ids);

test("a row that is gone went between the last pass that had it and the first that lacked it", () => {
  const told = listEveryHour([["a", "b"], ["a", "b"], ["a"], ["a"], ["a"]]);
  expect(told.map(({ gone }) => gone.map(({ wentMs }) => wentMs))).toEqual([
    [],
    [],
    [],
    [[hour, 2 * hour]],
    [],
  ]);
});

test("rows that vanished at once are told after a day, with the span in which they went", () => {
  const told = listEveryHour([...repeat(names(20), 2), ...repeat(names(5), 26)]);
  expect(told.map(({ suspected }) => suspected)).toEqual([0, 0, ...Array<number>(24).fill(15), 0, 0]);
  const gone = told.flatMap((pass, index) => pass.gone.map((one) => ({ index, ...one })));
  expect(gone.map(({ row }) => row["id"]).toSorted()).toEqual(names(20).slice(5));
  expect(new Set(gone.map(({ index, wentMs }) => `${index} ${wentMs!.join()}`))).toEqual(
    new Set([`26 ${hour},${2 * hour}`]),
  );
});

test("one of them that comes back for a while begins the day anew", () => {
  const few = names(5);
  const told = listEveryHour([names(20), ...repeat(few, 20), names(6), ...repeat(few, 23)]);
  expect(told.flatMap(({ gone }) => gone)).toEqual([]);
  expect(told.at(-1)!.suspected).toBe(15);
});
