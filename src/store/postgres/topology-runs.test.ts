import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, controlPlane, fact, minute, page } from "../../../test/drafts.ts";
import { entityKey } from "../../model/entity.ts";
import { relations, type Relation } from "../../model/topology.ts";
import type { StatedFact } from "../event-store.ts";
import { crowdable } from "./change-points.ts";

let db: TestStore;
beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
});
afterAll(() => db.close());
beforeEach(() => db.sql("TRUNCATE isochron.topology_fact"));

/** A run as the definition has it: equal observations that follow one another in the order of time, target and word. */
interface Run {
  readonly origin: string;
  readonly says: string;
  readonly from: number;
  readonly to: number;
  readonly sourceId: string;
}

function runsOf(facts: readonly StatedFact[]): readonly Run[] {
  const says = (one: StatedFact) => `${one.holds ? "" : "not "}${entityKey(one.to)}`;
  const lines = Map.groupBy(facts, ({ from, relation, to }) =>
    [entityKey(from), relation, relations[relation] === "plural" ? entityKey(to) : ""].join(" "),
  );
  return [...lines].flatMap(([line, own]) => {
    const distinct = new Map<string, StatedFact>();
    for (const one of own) {
      const key = `${one.at} ${says(one)}`;
      const known = distinct.get(key);
      if (known === undefined || one.sourceId < known.sourceId) distinct.set(key, one);
    }
    const inOrder = [...distinct.values()].sort(
      (a, b) =>
        a.at - b.at ||
        (entityKey(a.to) < entityKey(b.to) ? -1 : entityKey(a.to) > entityKey(b.to) ? 1 : 0) ||
        Number(a.holds) - Number(b.holds),
    );
    const runs: Run[] = [];
    for (const one of inOrder) {
      const last = runs.at(-1);
      const at = (one.at - minute(0)) / 60_000;
      const origin = line.split(" ").slice(0, 2).join(" ");
      if (last !== undefined && last.says === says(one)) runs[runs.length - 1] = { ...last, to: at };
      else runs.push({ origin, says: says(one), from: at, to: at, sourceId: one.sourceId });
    }
    return runs;
  });
}

const inOrder = (runs: readonly Run[]) => runs.map((run) => JSON.stringify(run)).sort();

async function storedRuns(): Promise<readonly Run[]> {
  const rows = await db.sql<Run & { from: number; to: number }>(
    `SELECT from_kind || ':' || from_id || ' ' || relation AS origin,
            CASE WHEN holds THEN '' ELSE 'not ' END || to_kind || ':' || to_id AS says,
            (extract(epoch FROM at - $1::timestamptz) / 60)::int AS "from",
            (extract(epoch FROM last_at - $1::timestamptz) / 60)::int AS "to", source_id AS "sourceId"
       FROM isochron.topology_run`,
    [new Date(minute(0)).toISOString()],
  );
  return rows.map(({ origin, says, from, to, sourceId }) => ({ origin, says, from, to, sourceId }));
}

const observationArbitrary = fc.record({
  from: fc.constantFrom("server:s", "volume:v"),
  relation: fc.constantFrom<Relation>("runs_on", "attached_to", "part_of"),
  to: fc.constantFrom("host:a", "host:b", "host:c"),
  at: fc.integer({ min: 0, max: 9 }),
  holds: fc.boolean(),
  sourceId: fc.constantFrom("m", "z", "b"),
});
const pagesArbitrary = fc
  .array(observationArbitrary, { minLength: 1, maxLength: 40 })
  .map((told) =>
    told.map(({ from, relation, to, at, holds, sourceId }) =>
      fact(from, relation, to, at, { holds, sourceId }),
    ),
  )
  .chain((facts) =>
    fc.tuple(fc.constant(facts), fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 40 })),
  );

function cut<T>(items: readonly T[], sizes: readonly number[]): readonly (readonly T[])[] {
  const pages: (readonly T[])[] = [];
  for (let start = 0; start < items.length;) {
    const size = sizes[pages.length % sizes.length]!;
    pages.push(items.slice(start, start + size));
    start += size;
  }
  return pages;
}

describe("runs", () => {
  test("are those of the definition, in whatever order and in whatever pages the observations come", async () => {
    await fc.assert(
      fc.asyncProperty(pagesArbitrary, async ([facts, sizes]) => {
        await db.sql("TRUNCATE isochron.topology_fact");
        for (const facts_ of cut(facts, sizes)) await db.store.events.append(page([], { facts: facts_ }));
        expect(inOrder(await storedRuns())).toEqual(inOrder(runsOf(facts)));
      }),
      { numRuns: 150 },
    );
  }, 120_000);

  test("are the same of two pages that are stored at the same time", async () => {
    await db.store.events.connect({ ...connection, name: "other" });
    for (let round = 0; round < 20; round += 1) {
      const mine = [1, 4, 9].map((at) => fact(`server:${round}`, "runs_on", "host:a", at, { sourceId: "a" }));
      const theirs = [3, 5].map((at) => fact(`server:${round}`, "runs_on", "host:b", at, { sourceId: "b" }));
      await Promise.all([
        db.store.events.append(page([], { facts: mine })),
        db.store.events.append(page([], { facts: theirs, connection: "other" })),
      ]);
      const stored = (await storedRuns()).filter(({ origin }) => origin === `server:${round} runs_on`);
      expect(inOrder(stored)).toEqual(inOrder(runsOf([...mine, ...theirs])));
    }
  });

  test("of a thing seen again and again stay one, however often", async () => {
    for (let at = 0; at < 30; at += 1)
      await db.store.events.append(page([], { facts: [fact("server:s", "runs_on", "host:a", at)] }));
    expect(await storedRuns()).toEqual([
      { origin: "server:s runs_on", says: "host:a", from: 0, to: 29, sourceId: "record-0" },
    ]);
    expect(await db.sql("SELECT FROM isochron.topology_fact")).toHaveLength(30);
  });
});

describe("what too many stand in", () => {
  test("sorts after every other relation, so that the others are one stretch of the index", () => {
    const others = Object.keys(relations).filter((name) => !crowdable.includes(name as Relation));
    expect(others.filter((name) => name > crowdable[0]!)).toEqual([]);
  });

  test("is left out whole, and called crowded under the id without its kind as well", async () => {
    const users = Array.from({ length: 201 }, (_, n) => fact("volume:v", "used_by", `user:${n}`, 1));
    const projects = Array.from({ length: 201 }, (_, n) => fact("user:admin", "works_in", `project:${n}`, 1));
    await db.store.events.append(
      page([], { facts: [...users, ...projects, fact("volume:v", "named", "name:data", 1)] }),
    );
    const start = { keys: ["volume:v", "user:admin"], places: new Set<string>() };
    const found = await db.store.topology.surroundings(controlPlane, start, 1);
    expect(found.facts.map(({ from, relation }) => `${entityKey(from)} ${relation}`)).toEqual([
      "volume:v named",
    ]);
    expect([...found.crowded].sort()).toEqual([
      "resource:admin|works_in",
      "resource:v|used_by",
      "user:admin|works_in",
      "volume:v|used_by",
    ]);
  });

  test("is not counted twice where a thing is asked for by its kind and without it", async () => {
    const users = Array.from({ length: 150 }, (_, n) => fact("resource:v", "used_by", `user:${n}`, 1));
    await db.store.events.append(page([], { facts: [...users, fact("volume:v", "named", "name:data", 1)] }));
    const start = { keys: ["volume:v", "resource:v"], places: new Set<string>() };
    const found = await db.store.topology.surroundings(controlPlane, start, 1);
    expect(found.facts.filter(({ relation }) => relation === "used_by")).toHaveLength(150);
    expect(found.crowded).toEqual(new Set());
  });
});
