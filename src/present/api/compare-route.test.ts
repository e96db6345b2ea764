import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { get, problemIn, startApi } from "../../../test/api-host.ts";
import { fillWorld } from "../../../test/api-world.ts";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { compareEvents } from "../../pipeline/compare.ts";

let db: TestStore;
let app: FastifyInstance;
beforeAll(async () => {
  db = await openTestStore();
  await fillWorld(db.store);
  app = await startApi(db.store, { compare: (scope, query) => compareEvents(db.store.reader, scope, query) });
});
afterAll(async () => {
  await app.close();
  await db.close();
});

const span = "from=2026-11-20T10:00:00Z&to=2026-11-20T12:00:00Z";

test("all of a span is not held against what is left of it, which is nothing", async () => {
  const answer = await get(app, `/compare?${span}&baseline=rest`, "provider");
  expect(problemIn(answer)).toMatchObject({
    code: "query-invalid",
    detail: expect.stringContaining("filter"),
  });
  expect((await get(app, `/compare?${span}&baseline=rest&kind=change`, "provider")).statusCode).toBe(200);
  expect((await get(app, `/compare?${span}`, "provider")).statusCode).toBe(200);
});
