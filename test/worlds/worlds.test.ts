import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerAll, findFalsehood, findFault } from "./judge.ts";
import { playHistory } from "./play.ts";
import { histories } from "./step.ts";

/** Raise it for a long run. */
const worldsTried = 600;

describe("in worlds of equal names, renames, transfers, removals and ids that two planes share", () => {
  it("no record is given to another tenant, by all facts or by those that were not lost, nor left waiting by all", () => {
    fc.assert(
      fc.property(histories, (history) => {
        expect(findFault(playHistory(history))).toBeUndefined();
      }),
      { numRuns: worldsTried },
    );
  });

  it("no record is given to another tenant at any moment on the way, where all is told as it happens", () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 0, max: 640 }), (history, second) => {
        const { statements, records } = playHistory(history);
        const facts = statements.map(({ fact }) => fact).filter(({ at }) => at <= second * 1000);
        const sofar = {
          statements,
          records: records.filter(({ draft }) => draft.occurredAt <= second * 1000),
        };
        const answers = answerAll(sofar, facts);
        const falsehoods = sofar.records.flatMap(
          (record, index) => findFalsehood(record, answers[index]!) ?? [],
        );
        expect(falsehoods).toEqual([]);
      }),
      { numRuns: worldsTried },
    );
  });

  it("gives the same answers, with the same evidence, in whatever order the facts are known", () => {
    fc.assert(
      fc.property(histories, fc.infiniteStream(fc.nat()), (history, ranks) => {
        const world = playHistory(history);
        const facts = world.statements.map(({ fact }) => fact);
        const shuffled = facts
          .map((fact) => ({ fact, rank: ranks.next().value ?? 0 }))
          .toSorted((a, b) => a.rank - b.rank)
          .map(({ fact }) => fact);
        expect(answerAll(world, shuffled)).toEqual(answerAll(world, facts));
      }),
      { numRuns: worldsTried / 4 },
    );
  });
});
