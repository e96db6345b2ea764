import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, controlPlane, fact, minute, page } from "../../../test/drafts.ts";
import { entityKey, parseEntityKey } from "../../model/entity.ts";
import { instant } from "../../model/instant.ts";
import type { StatedFact } from "../event-store.ts";

let db: TestStore;
/** When we learnt what was told by the n-th page. */
const learnt = (n: number) => Date.UTC(2020, 0, 1, n);
beforeAll(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
  const volume = (to: string, at: number) => fact("volume:v", "owned_by", `project:${to}`, at);
  const told: readonly (readonly StatedFact[])[] = [
    [volume("a", 1), fact("snapshot:s", "copy_of", "volume:v", 2)],
    [volume("b", 9)],
    // Learnt last: that it was b's long before we saw it.
    [volume("b", 5), fact("volume:v", "used_by", "user:u", 5)],
  ];
  for (const [index, facts] of told.entries()) {
    await db.store.events.append(page([], { facts }));
    // As if an hour had passed between any two.
    for (const table of ["topology_fact", "topology_run"]) {
      await db.sql(`UPDATE isochron.${table} SET recorded_at = $1 WHERE recorded_at > $2`, [
        new Date(learnt(index)).toISOString(),
        new Date(learnt(told.length)).toISOString(),
      ]);
    }
  }
});
afterAll(() => db.close());

/** `relation to at-minute`, oldest first. */
async function historyOf(thing: string, knownAt?: number): Promise<readonly string[]> {
  const known = await db.store.topology.history(
    controlPlane,
    parseEntityKey(thing),
    ...(knownAt === undefined ? [] : [instant(knownAt)]),
  );
  return known
    .toSorted((a, b) => a.at - b.at)
    .map(
      ({ from, relation, to, at }) =>
        `${entityKey(from)} ${relation} ${entityKey(to)} ${(at - minute(0)) / 60_000}`,
    );
}

describe("what is known of a resource", () => {
  test("is by default all that was ever told, without who used it", async () => {
    expect(await historyOf("volume:v")).toEqual([
      "volume:v owned_by project:a 1",
      "snapshot:s copy_of volume:v 2",
      "volume:v owned_by project:b 5",
    ]);
  });

  test("is by an earlier moment what had been recorded by then, in the stretches that it came to then", async () => {
    expect(await historyOf("volume:v", learnt(0))).toEqual([
      "volume:v owned_by project:a 1",
      "snapshot:s copy_of volume:v 2",
    ]);
    expect((await historyOf("volume:v", learnt(1))).at(-1)).toBe("volume:v owned_by project:b 9");
    expect((await historyOf("volume:v", learnt(2))).at(-1)).toBe("volume:v owned_by project:b 5");
    expect(await historyOf("volume:v", learnt(0) - 3_600_000)).toEqual([]);
  });
});
