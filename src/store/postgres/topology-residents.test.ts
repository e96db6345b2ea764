import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, controlPlane } from "../../../test/drafts.ts";
import { entityKey } from "../../model/entity.ts";
import { residentsMax } from "./topology-residents.ts";

let db: TestStore;
beforeEach(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
});
afterEach(() => db.close());

/** Servers `PREFIX1` to `PREFIXcount` on the host, each since one second after the one before. */
async function settle(host: string, prefix: string, count: number): Promise<void> {
  await db.sql(
    `INSERT INTO isochron.topology_run (control_plane, from_kind, from_id, relation, to_kind, to_id, at, last_at, holds,
            connection, source_id)
     SELECT '${controlPlane}', 'server', '${prefix}' || n, 'runs_on', 'host', '${host}', at, at, true, 'nova', 'told'
       FROM generate_series(1, ${count}) AS n, LATERAL (SELECT timestamptz '2026-11-01' + n * interval '1 second' AS at) AS t`,
  );
}

async function join(host: string, aggregate: string): Promise<void> {
  await db.sql(
    `INSERT INTO isochron.topology_run (control_plane, from_kind, from_id, relation, to_kind, to_id, at, last_at, holds,
            connection, source_id)
     VALUES ('${controlPlane}', 'host', '${host}', 'member_of', 'aggregate', '${aggregate}', '2026-11-01', '2026-11-01', true,
             'nova', 'told')`,
  );
}

async function residents(...places: string[]) {
  const start = { keys: places, places: new Set(places) };
  const { facts, cut } = await db.store.topology.surroundings(controlPlane, start, 1);
  const found = new Set(
    facts.filter(({ relation }) => relation === "runs_on").map(({ from }) => entityKey(from)),
  );
  return { found, cut };
}

test("so many of a place are loaded and no more: the first to come are left out, and that is said", async () => {
  await settle("h", "s", residentsMax);
  const whole = await residents("host:h");
  expect([whole.found.size, whole.cut.size]).toEqual([residentsMax, 0]);
  await settle("h", "later", 1);
  const { found, cut } = await residents("host:h");
  expect(found.size).toBe(residentsMax);
  expect(cut.get("host:h|runs_on")).toEqual(found);
  expect([found.has("server:later1"), found.has("server:s1"), found.has("server:s2")]).toEqual([
    true,
    false,
    true,
  ]);
});

test("of the parts of a place as many are asked for as together bore so many, and the same beside any other", async () => {
  await settle("a", "one-", residentsMax / 2);
  await settle("b", "two-", residentsMax / 2);
  await settle("c", "three-", 1);
  for (const host of ["a", "b"]) await join(host, "g");
  expect((await residents("aggregate:g")).cut.size).toBe(0);
  await join("c", "g");
  for (const places of [["aggregate:g"], ["aggregate:g", "host:c"]]) {
    const { found, cut } = await residents(...places);
    expect([...cut]).toEqual([["aggregate:g|member_of", new Set(["host:a", "host:b"])]]);
    expect(found.size).toBe(residentsMax + places.length - 1);
  }
});
