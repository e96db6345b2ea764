import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openTestStore, type TestStore } from "../../../test/database.ts";
import { connection, draft, event, minute, page, project } from "../../../test/drafts.ts";
import type { ErasureTarget } from "../../model/retention.ts";
import { projectKey } from "../../model/tenant.ts";

let db: TestStore;

beforeEach(async () => {
  db = await openTestStore();
  await db.store.events.connect(connection);
});
afterEach(() => db.close());

test("a page that was half-way in when the erasure began is found by it", async () => {
  const page1 = page([event(draft("slow", 1), project("canary-project"))]);
  await db.store.events.append(page([event(draft("b", 1), project("other-project"))]));
  const blocker = new pg.Client({ connectionString: db.url });
  await blocker.connect();
  await blocker.query("BEGIN");
  // The page comes past the door, and waits for what it writes to.
  await blocker.query("LOCK TABLE isochron.delivery IN EXCLUSIVE MODE");
  const storing = db.store.events.append(page1);
  await waitFor("SELECT FROM pg_locks WHERE NOT granted AND relation = 'isochron.delivery'::regclass");
  const { retention } = db.store;
  const keys = [projectKey("default", "canary-project")];
  const target: ErasureTarget = { kind: "tenant", label: "x", keys };
  const { id } = await retention.requestErasure({ target, why: "w", by: "admin", at: minute(9) });
  const erasing = retention.erase((await retention.take("test", 60_000))!, id, minute(9));
  await waitFor("SELECT FROM pg_locks WHERE NOT granted AND locktype = 'advisory'");
  await blocker.query("COMMIT");
  await blocker.end();
  expect(await storing).toMatchObject({ created: 1 });
  expect((await erasing).counts).toMatchObject({ events: 1 });
  expect(await db.sql("SELECT key FROM isochron.event")).toEqual([{ key: "b" }]);
});

async function waitFor(question: string): Promise<void> {
  for (let tries = 0; (await db.sql(question)).length === 0; tries += 1) {
    if (tries === 2_000) throw new Error(`never came true: ${question}`);
  }
}
