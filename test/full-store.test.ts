import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { receiveRequest } from "../src/pipeline/receive.ts";
import { findSource } from "../src/sources/registry.ts";
import { get, problemIn, bearer, startApi } from "./api-host.ts";
import { fillWorld } from "./api-world.ts";
import { openTestStore, type TestStore } from "./database.ts";
import { stagesOver } from "./stages.ts";
import type { EventsPageJson } from "../src/present/api/contract.ts";

let database: TestStore;
let app: FastifyInstance;

beforeAll(async () => {
  database = await openTestStore();
  await fillWorld(database.store);
  const stages = stagesOver(database.store);
  app = await startApi(database.store, {
    ingest: (name, posted) =>
      receiveRequest(stages, findSource, { name, source: "alertmanager", controlPlane: "region-1" }, posted),
  });
});

afterAll(async () => {
  await app.close();
  await database.close();
});

const alert = (fingerprint: string) => ({
  version: "4",
  alerts: [
    { status: "firing", labels: { alertname: "DiskFull" }, startsAt: "2026-11-21T03:00:00Z", fingerprint },
  ],
});

function post(fingerprint: string) {
  return app.inject({
    method: "POST",
    url: "/api/v1/ingest/alerts",
    headers: bearer("provider"),
    payload: alert(fingerprint),
  });
}

/** Sessions take a default of the database at their start, so those that stand are ended. */
async function setReadOnly(mode: "on" | "off"): Promise<void> {
  const [{ name } = { name: "" }] = await database.sql<{ name: string }>("SELECT current_database() AS name");
  await database.sql(`ALTER DATABASE ${name} SET default_transaction_read_only = ${mode}`);
  await database.sql(
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
}

/** A session that was ended is noticed at its next use; the test asks until the pool has a new one. */
async function postUntilAnswered(fingerprint: string) {
  for (let attempt = 0; attempt < 10; attempt++) {
    const answer = await post(fingerprint);
    if (answer.statusCode === 200 || /read-only/.test(answer.body)) return answer;
  }
  throw new Error("no answer of the store itself");
}

test("while the store is read-only, posts are put off and what stands is read", async () => {
  expect((await post("one")).statusCode).toBe(200);
  await setReadOnly("on");
  const refused = await postUntilAnswered("two");
  expect(problemIn(refused)).toMatchObject({ code: "store-unavailable", status: 503 });
  expect(refused.headers["retry-after"]).toMatch(/^1\d$|^20$/);
  const page = await get(app, "/events?limit=1", "provider");
  expect(page.statusCode).toBe(200);
  expect(page.json<EventsPageJson>().events).toHaveLength(1);
  await setReadOnly("off");
  expect((await postUntilAnswered("two")).json()).toMatchObject({ created: 1 });
});

test("while the disk is full, posts are put off whole, nothing is set aside, and what stands is read", async () => {
  await database.sql(`CREATE FUNCTION isochron.refuse_room() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$`);
  await database.sql(`CREATE TRIGGER full_disk BEFORE INSERT ON isochron.event
    FOR EACH ROW EXECUTE FUNCTION isochron.refuse_room()`);
  const refused = await post("three");
  expect(problemIn(refused)).toMatchObject({ code: "store-unavailable", status: 503 });
  expect(refused.headers["retry-after"]).toMatch(/^\d+$/);
  expect((await get(app, "/events?limit=1", "provider")).statusCode).toBe(200);
  expect(await database.store.events.setAside("alerts", 5)).toEqual([]);
  await database.sql("DROP TRIGGER full_disk ON isochron.event");
  expect((await post("three")).json()).toMatchObject({ created: 1 });
});
