import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { OpenSetRow } from "./open-set.ts";
import { openKeys, OpenSet } from "./open-set.ts";

const step = fc.record({
  key: fc.constantFrom("a", "b", "c", "d", "e", "f"),
  open: fc.constantFrom<(0 | 1)[]>(0, 1),
  pass: fc.nat(3),
  forgets: fc.boolean(),
});

test("open rows are never crowded out, and rows of the overlap only up to their number", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(4), (steps, recentMax) => {
      const set = new OpenSet<OpenSetRow>({}, recentMax);
      const open = new Set<string>();
      for (const { key, open: isOpen, pass, forgets } of steps) {
        if (forgets) set.forget(key);
        else set.keep(key, { open: isOpen, pass });
        if (!forgets && isOpen === 1) open.add(key);
        else open.delete(key);
        const rows = Object.values(set.rows());
        expect(rows.filter((row) => row.open === 0).length).toBeLessThanOrEqual(recentMax);
        expect(new Set(openKeys(set.rows()))).toEqual(open);
      }
      // What is written down and read again counts as before.
      const again = new OpenSet(set.rows(), recentMax);
      for (const key of ["g", "h", "i", "j", "k"]) again.keep(key, { open: 0, pass: 9 });
      expect(Object.values(again.rows()).filter((row) => row.open === 0)).toHaveLength(recentMax);
    }),
  );
});

test("a row of the overlap that is read again stays, also where there is no room for another", () => {
  const set = new OpenSet<OpenSetRow>({ a: { open: 0, pass: 1 } }, 1);
  set.keep("a", { open: 0, pass: 2 });
  set.keep("b", { open: 0, pass: 2 });
  set.forgetUnread(2);
  expect(Object.keys(set.rows())).toEqual(["a"]);
  set.forgetUnread(3);
  expect(set.rows()).toEqual({});
});

test("of more open rows than can be watched the oldest are forgotten, and counted", () => {
  const set = new OpenSet<OpenSetRow>({}, 9);
  for (const key of ["a", "b", "c"]) set.keep(key, { open: 1, pass: 1 });
  expect([set.bound(2), Object.keys(set.rows()), set.bound(2)]).toEqual([1, ["b", "c"], 0]);
});
