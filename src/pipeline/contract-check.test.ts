import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { duration, instant } from "../model/instant.ts";
import { findingSettlements, type FindingCode } from "../model/source-health.ts";
import type { SourceContract } from "../sources/source.ts";
import {
  checkPage,
  ContractWatch,
  emptyMemory,
  lateAfterMs,
  type CheckedPage,
  type CheckedRecord,
  type WatchMemory,
} from "./contract-check.ts";

const clockErrorMs = 5_000;
const received = Date.UTC(2026, 10, 21);
const contract: SourceContract = {
  identity: "number",
  version: "never changes",
  ordering: "sorted",
  commitDelayMax: duration(60_000),
  clockErrorMax: duration(clockErrorMs),
  delivery: "pull",
  revisions: "never",
  blindSpots: "none",
};
const unsorted: SourceContract = { ...contract, ordering: "unsorted" };

/** A record that was read, of an event so long before it was received. */
function readAt(agoMs: number, position = "row 1"): CheckedRecord {
  const event = { occurredAt: instant(received - agoMs), precision: duration(0), details: {} };
  return { position, receivedAt: instant(received), events: [event] };
}

function broken(position = "row 1"): CheckedRecord {
  return { position, receivedAt: instant(received), events: undefined };
}

function page(records: readonly CheckedRecord[], fields: Partial<CheckedPage> = {}): CheckedPage {
  return { records, findings: [], endsPass: false, reconciling: false, ...fields };
}

function codesOf(of: SourceContract, given: CheckedPage, memory: WatchMemory = emptyMemory): FindingCode[] {
  return checkPage(of, memory, given).verdict.findings.map(({ code }) => code);
}

const ages = fc.array(fc.integer({ min: 0, max: 10 * 86_400_000 }), { minLength: 1, maxLength: 60 });

describe("order", () => {
  test("a page in order, give or take the clock's error, is never called unsorted", () => {
    fc.assert(
      fc.property(
        ages,
        fc.array(fc.nat(clockErrorMs / 2), { minLength: 60, maxLength: 60 }),
        (given, shakes) => {
          const records = given
            .toSorted((left, right) => right - left)
            .map((ago, index) => readAt(ago + shakes[index]!));
          expect(codesOf(contract, page(records))).toEqual([]);
        },
      ),
    );
  });

  test("one record further back than the clock's error is found wherever it stands", () => {
    fc.assert(
      fc.property(ages, fc.nat(), (given, seed) => {
        const sorted = given.toSorted((left, right) => right - left);
        const after = seed % sorted.length;
        const oldest = sorted[0]!;
        const stray = readAt(oldest + clockErrorMs + 1);
        const records = sorted.map((ago) => readAt(ago)).toSpliced(after + 1, 0, stray);
        expect(codesOf(contract, page(records))).toEqual(["unsorted"]);
        expect(codesOf(unsorted, page(records))).toEqual([]);
        expect(codesOf(contract, page(records, { reconciling: true }))).toEqual([]);
      }),
    );
  });

  /** The pages of a pass, one record after the other cut where `cuts` says so. */
  function inPages(given: readonly number[], cuts: readonly boolean[], pass?: number): CheckedPage[] {
    const pages: number[][] = [[]];
    for (const [index, ago] of given.entries()) {
      if (cuts[index] === true) pages.push([]);
      pages.at(-1)!.push(ago);
    }
    return pages.map((agos) =>
      page(
        agos.map((ago) => readAt(ago)),
        pass === undefined ? {} : { pass },
      ),
    );
  }

  function countUnsorted(pages: readonly CheckedPage[]): number {
    let memory = emptyMemory;
    let found = 0;
    for (const one of pages) {
      const checked = checkPage(contract, memory, one);
      found += checked.verdict.findings.filter(({ code }) => code === "unsorted").length;
      ({ memory } = checked);
    }
    return found;
  }

  test("a stray is found wherever the pages of its pass are cut, and the overlap of the next pass is none", () => {
    fc.assert(
      fc.property(ages, fc.array(fc.boolean(), { maxLength: 61 }), fc.nat(), (given, cuts, seed) => {
        const sorted = given.toSorted((left, right) => right - left);
        const again = sorted.slice(seed % sorted.length);
        expect(countUnsorted([...inPages(sorted, cuts, 1), ...inPages(again, cuts, 2)])).toBe(0);
        const stray = sorted[0]! + clockErrorMs + 1;
        const strayed = sorted.toSpliced((seed % sorted.length) + 1, 0, stray);
        expect(countUnsorted(inPages(strayed, cuts, 1))).toBe(1);
        // Pages that stand alone, such as those of a place beside the main one, prove nothing of each other.
        const alone = inPages(strayed, []);
        expect(countUnsorted([...alone, ...alone])).toBe(2);
      }),
    );
  });
});

describe("the clock", () => {
  const reading = (aheadMs: number, errorMs = 1_200) => ({ aheadMs, errorMs });

  test("one that was read is off beyond what is promised and what the reading leaves open, either way", () => {
    fc.assert(
      fc.property(fc.integer({ min: -20_000, max: 20_000 }), fc.nat(10_000), (aheadMs, errorMs) => {
        const codes = codesOf(unsorted, page([], { clock: reading(aheadMs, errorMs) }));
        expect(codes).toEqual(Math.abs(aheadMs) > clockErrorMs + errorMs ? ["clock-off"] : []);
      }),
    );
    const [finding] = checkPage(unsorted, emptyMemory, page([], { clock: reading(-61_000) })).verdict
      .findings;
    expect(finding?.says).toBe("Its clock is 61 s behind ours, give or take 1.2 s, where 5 s are promised.");
  });

  test("a sane reading settles what a reading showed, and not what events showed", () => {
    const off = checkPage(unsorted, emptyMemory, page([readAt(1)], { clock: reading(60_000) }));
    expect(checkPage(unsorted, off.memory, page([], { clock: reading(0) })).verdict.settled).toContain(
      "clock-off",
    );
    expect(checkPage(unsorted, off.memory, page([])).verdict.settled).not.toContain("clock-off");
    // Another worker, or this one after a restart, did not see what the finding rests on.
    expect(checkPage(unsorted, emptyMemory, page([], { clock: reading(0) })).verdict.settled).not.toContain(
      "clock-off",
    );
    const future = checkPage(unsorted, emptyMemory, page([readAt(-60_000)], { clock: reading(0) }));
    const quiet = checkPage(unsorted, future.memory, page([], { clock: reading(0) }));
    expect(quiet.verdict.settled).not.toContain("clock-off");
    const sane = checkPage(unsorted, quiet.memory, page([readAt(1)], { clock: reading(0) }));
    expect(sane.verdict.settled).toContain("clock-off");
  });

  test("of several readings for a page the worst counts, for all its parts, and the next page has its own", () => {
    const watch = new ContractWatch();
    const check = (of = "a") => watch.check(of, unsorted, page([readAt(1)])).findings.length;
    for (const aheadMs of [0, 60_000, 100]) watch.noteClock("a", reading(aheadMs));
    expect([check(), check(), check("b")]).toEqual([1, 1, 0]);
    watch.noteClock("a", reading(100));
    expect(check()).toBe(0);
  });

  test("only what lies further ahead than the source's clock may be off is from the future", () => {
    fc.assert(
      fc.property(fc.integer({ min: -200_000, max: 200_000 }), (aheadMs) => {
        const codes = codesOf(unsorted, page([readAt(1000), readAt(-aheadMs)]));
        expect(codes).toEqual(aheadMs > clockErrorMs ? ["clock-off"] : []);
      }),
    );
  });

  test("a time that was already taken for suspect counts, and a precise one in between settles nothing by itself", () => {
    const suspect = {
      occurredAt: instant(received),
      precision: duration(0),
      details: { time_suspect: true },
    };
    const record = { position: "row 1", receivedAt: instant(received), events: [suspect] };
    const { verdict } = checkPage(unsorted, emptyMemory, page([record, readAt(1000)]));
    expect(verdict.findings).toMatchObject([{ code: "clock-off" }]);
    expect(verdict.settled).not.toContain("clock-off");
    expect(checkPage(unsorted, emptyMemory, page([readAt(1000)])).verdict.settled).toContain("clock-off");
    expect(checkPage(unsorted, emptyMemory, page([])).verdict.settled).toEqual([]);
  });
});

describe("the form of records", () => {
  /** The memory after these pages. */
  function after(pages: readonly CheckedPage[]): WatchMemory {
    return pages.reduce((memory, one) => checkPage(unsorted, memory, one).memory, emptyMemory);
  }

  test("a broken record now and then is no drift, and a fifth of the latest is", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 200 }), (isRead) => {
        const memory = after(
          isRead
            .slice(0, -1)
            .map((one, index) => page([one ? readAt(1) : broken(`x${"y".repeat(index % 7)}`)])),
        );
        const last = isRead.at(-1)!;
        const recent = isRead.slice(-50);
        const bad = recent.filter((one) => !one).length;
        const expected = !last && bad >= 3 && bad > recent.length * 0.2;
        const codes = codesOf(unsorted, page([last ? readAt(1) : broken("other")]), memory);
        expect(codes).toEqual(expected ? ["schema-drift"] : []);
      }),
    );
  });

  test("the first broken record of a kind that always could be read is a drift, whatever its numbers", () => {
    const many = Array.from({ length: 100 }, (_, number) => readAt(1, `servers #${number}`));
    const memory = after([page(many)]);
    expect(codesOf(unsorted, page([broken("servers #7777")]), memory)).toEqual(["schema-drift"]);
    expect(codesOf(unsorted, page([broken("volumes #1")]), memory)).toEqual([]);
    // Others of its kind can still be read, so that it is this record that is broken.
    expect(codesOf(unsorted, page([broken("servers #1"), readAt(1, "servers #2")]), memory)).toEqual([]);
    expect(codesOf(unsorted, page([broken("servers #7777")]), after([page(many.slice(1))]))).toEqual([]);
  });

  test("a drift is over with a page that reads well, once what came before it is forgotten", () => {
    const memory = after([page(Array.from({ length: 20 }, () => broken()))]);
    const [few, many] = [2, 90].map((length) => page(Array.from({ length }, () => readAt(1))));
    expect(checkPage(unsorted, memory, few!).verdict.settled).not.toContain("schema-drift");
    expect(checkPage(unsorted, memory, many!).verdict.settled).toContain("schema-drift");
  });
});

test("what the source found itself stands until a whole pass went by without it", () => {
  const drop = { code: "sudden-drop", says: "Half of the listing is gone." } as const;
  const first = checkPage(unsorted, emptyMemory, page([], { findings: [drop] }));
  expect(first.verdict.findings).toEqual([drop]);
  const sameEnd = checkPage(unsorted, first.memory, page([], { endsPass: true }));
  expect(sameEnd.verdict.settled).not.toContain("sudden-drop");
  const nextEnd = checkPage(unsorted, sameEnd.memory, page([], { endsPass: true }));
  expect(nextEnd.verdict.settled).toContain("sudden-drop");
});

test("every finding has a way to end", () => {
  for (const { by, afterMs } of Object.values(findingSettlements)) {
    expect(by !== "time" || afterMs !== undefined).toBe(true);
  }
});

test("how old a new event may be depends on what the source's claim speaks of", () => {
  expect(lateAfterMs({ ...contract, completeness: "settled" })).toBe(0);
  expect(lateAfterMs({ ...contract, completeness: "read" })).toBe(65_000);
  expect(lateAfterMs(contract)).toBeUndefined();
});
