import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Attribution } from "../../src/model/event.ts";
import { ingest, type Stages } from "../../src/pipeline/ingest.ts";
import { reattribute } from "../../src/pipeline/reattribute.ts";
import { openTestStore, type TestStore } from "../database.ts";
import { stagesOver } from "../stages.ts";
import { answerAll, findFalsehood, resolver } from "./judge.ts";
import { playHistory, type World } from "./play.ts";
import { histories } from "./step.ts";
import { asRecord, toldBy, worldSource, type Told } from "./world-source.ts";

/** Raise it for a long run. */
const worldsTried = 20;

let db: TestStore;
let stages: Stages;
let arms = 0;
beforeAll(async () => {
  db = await openTestStore();
  stages = { ...stagesOver(db.store), resolve: resolver };
});
afterAll(() => db.close());

/** Takes the pages in, as connections to planes of their own, and gives what each record was attributed to in the end. */
async function arrive(pages: readonly (readonly Told[])[]): Promise<ReadonlyMap<string, Attribution>> {
  arms += 1;
  const nameOf = (plane: string) => `${plane}#${arms}`;
  for (const plane of ["north", "south"]) {
    const name = nameOf(plane);
    await db.store.events.connect({ name, source: worldSource.name, controlPlane: name, config: {} });
  }
  for (const [number, page] of pages.entries()) {
    for (const [plane, told] of Map.groupBy(page, (one) => one.plane)) {
      const name = nameOf(plane);
      const connection = { name, source: worldSource.name, controlPlane: name };
      const records = told.map((one, index) => asRecord(one, number * 10_000 + index));
      await ingest(stages, { connection, source: worldSource, stream: "main", records });
    }
    await reattribute(stages);
  }
  const rows = await db.sql<{ source_id: string; attribution: Attribution }>(
    "SELECT source_ids[1] AS source_id, attribution FROM isochron.event WHERE connection = ANY($1)",
    [["north", "south"].map(nameOf)],
  );
  return new Map(
    rows.map(({ source_id, attribution }) => [
      source_id,
      JSON.parse(JSON.stringify(attribution).replaceAll(`#${arms}`, "")),
    ]),
  );
}

function withoutSources(answers: ReadonlyMap<string, Attribution>): unknown {
  const plain = [...answers].map(([id, { evidence, ...answer }]) => [
    id,
    answer,
    evidence.map(({ says }) => says),
  ]);
  return Object.fromEntries(plain.map(([id, ...rest]) => [id, rest]));
}

/** What the resolver says with everything that was told at hand: the store has to load all that it asks for. */
function answersByAll(world: World): ReadonlyMap<string, Attribution> {
  const facts = world.statements.filter(({ lost }) => !lost).map(({ fact }) => fact);
  const answers = answerAll(world, facts);
  return new Map(world.records.map((record, index) => [record.draft.key, answers[index]!]));
}

function falsehoods({ records }: World, answers: ReadonlyMap<string, Attribution>): readonly string[] {
  return records.flatMap((record) => findFalsehood(record, answers.get(record.draft.key)!) ?? []);
}

test("facts and records that come in any order and in any pages end in the answers of all facts at hand", async () => {
  await fc.assert(
    fc.asyncProperty(histories, fc.infiniteStream(fc.nat({ max: 999 })), async (history, ranks) => {
      const world = playHistory(history);
      const told = toldBy(world);
      const factsFirst = await arrive([
        told.filter((one) => "fact" in one),
        told.filter((one) => "draft" in one),
      ]);
      const mixed = told
        .map((one) => ({ one, rank: ranks.next().value ?? 0 }))
        .toSorted((a, b) => a.rank - b.rank)
        .map(({ one }) => one);
      const perPage = Math.ceil(mixed.length / 6);
      const pages = Array.from({ length: 6 }, (_, n) => mixed.slice(n * perPage, (n + 1) * perPage));
      const answers = await arrive(pages);
      expect(answers.size).toBe(world.records.length);
      expect(withoutSources(answers)).toEqual(withoutSources(factsFirst));
      expect(withoutSources(answers)).toEqual(withoutSources(answersByAll(world)));
      expect(falsehoods(world, answers)).toEqual([]);
    }),
    // Shrinking takes minutes here; the seed that is told tells enough.
    { numRuns: worldsTried, endOnFailure: true },
  );
}, 120_000);
